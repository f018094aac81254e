"""The published reference: 39 rows, 38 codes, and a declaration for each."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flux.kernel.faults import Mode, PortFailure, load_contract
from flux.kernel.wire import Call, Kind, Problem, WireTrouble
from flux.paygate.envelope import PaygateEnvelope
from flux.paygate.faults import INVALID_WALLET, RATE_LIMIT_EXCEEDED, paygate

envelope = PaygateEnvelope()


def call(path: str = "/api/v2/apis", route: object = "some route") -> Call:
    return cast(Call, SimpleNamespace(path=path, method="GET", request_id="req-12345678", route=route))


def body_of(error: Any, path: str = "/api/v2/apis") -> dict[str, Any]:
    raw, _ = envelope.render(error, call(path))
    return cast(dict[str, Any], json.loads(raw))


def test_the_reference_has_39_rows_of_38_codes() -> None:
    published = [row for row in load_contract("paygate") if row.published]
    assert len(published) == 39
    assert len({row.code for row in published}) == 38
    assert sorted(row.status for row in published if row.code == "RATE_LIMIT_EXCEEDED") == [403, 429]
    counts = {
        status: sum(row.status == status for row in published)
        for status in (400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503)
    }
    assert counts == {400: 5, 401: 6, 402: 5, 403: 4, 404: 3, 409: 2, 422: 4, 429: 2, 500: 4, 502: 2, 503: 2}


def test_every_row_is_declared_with_its_message() -> None:
    paygate.check(load_contract("paygate"))


def test_declarations_stand_in_the_order_of_the_reference() -> None:
    published = [(row.code, row.status) for row in load_contract("paygate") if row.published]
    assert [(fault.code, fault.status) for fault in paygate][:39] == published


@pytest.mark.parametrize("fault", list(paygate), ids=lambda fault: fault.key)
def test_every_sample_fits_the_envelope(fault: Any) -> None:
    raw, _ = envelope.render(fault.sampled(), call())
    assert envelope.fits(fault.status, raw) is None
    body = json.loads(raw)
    assert list(body) == ["error", "message", "code", "details"]
    assert body["error"] == fault.code
    assert body["code"] == fault.status


def test_an_empty_detail_is_an_empty_object() -> None:
    assert body_of(INVALID_WALLET())["details"] == {}


def test_retry_after_is_a_header_and_a_detail() -> None:
    error = RATE_LIMIT_EXCEEDED(seconds=7, scope="ip", limit=2, windowSeconds=60)
    assert error.headers == {"Retry-After": "7"}
    assert body_of(error)["details"]["retryAfterSeconds"] == 7
    assert body_of(error)["details"]["retryable"] is True
    assert body_of(error)["message"] == "Rate limit exceeded. Retry after 7 seconds"


def test_gateway_routes_carry_the_code_in_a_header() -> None:
    for path in ("/api/v2/gateway/api_1/x", "/api/v2/x402/api_1/x"):
        assert envelope.render(INVALID_WALLET(), call(path))[1] == {"X-Gateway-Error": "INVALID_WALLET"}
    assert envelope.render(INVALID_WALLET(), call("/api/v2/apis"))[1] == {}


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_every_wire_trouble_has_a_fault(kind: Kind) -> None:
    trouble = WireTrouble(kind, problems=[Problem("query", "page", "too_small", "at least 1", "0", 1)])
    error = envelope.translate(trouble, call())
    assert error.fault.code != "INTERNAL_ERROR"
    assert envelope.fits(error.fault.status, envelope.render(error, call())[0]) is None


def test_missing_values_come_before_wrong_ones() -> None:
    problems = [
        Problem("body", "name", "type", "a string", 1),
        Problem("body", "currency", "missing", "a value"),
    ]
    error = envelope.translate(WireTrouble(Kind.INVALID_VALUES, problems), call())
    assert body_of(error) == {
        "error": "MISSING_PARAMETER",
        "message": "Required parameter missing: currency",
        "code": 400,
        "details": {"param": "currency", "in": "body"},
    }


def test_what_was_received_is_cut_at_100_characters() -> None:
    problem = Problem("query", "search", "too_long", "at most 200 characters", "x" * 500, 200)
    error = envelope.translate(WireTrouble(Kind.INVALID_VALUES, [problem]), call())
    assert body_of(error)["details"]["received"] == "x" * 100


@pytest.mark.parametrize(
    ("port", "mode", "expected"),
    [
        ("store", Mode.ERROR, ("DATABASE_ERROR", 500)),
        ("handler", Mode.ERROR, ("INTERNAL_ERROR", 500)),
        ("chain", Mode.GARBAGE, ("BLOCKCHAIN_ERROR", 500)),
        ("chain", Mode.ERROR, ("BLOCKCHAIN_ERROR", 500)),
        ("chain", Mode.UNAVAILABLE, ("BLOCKCHAIN_UNAVAILABLE", 503)),
        ("chain", Mode.TIMEOUT, ("BLOCKCHAIN_UNAVAILABLE", 503)),
        ("upstream", Mode.UNAVAILABLE, ("GATEWAY_ERROR", 500)),
        ("upstream", Mode.ERROR, ("GATEWAY_ERROR", 500)),
        ("upstream", Mode.GARBAGE, ("INVALID_GATEWAY_RESPONSE", 502)),
        ("upstream", Mode.TIMEOUT, ("GATEWAY_TIMEOUT", 502)),
    ],
)
def test_a_broken_port_becomes_its_code(port: str, mode: Mode, expected: tuple[str, int]) -> None:
    error = envelope.translate(PortFailure(port, mode, "injected"), call())
    assert (error.fault.code, error.fault.status) == expected


def test_an_unexpected_exception_never_leaks_its_text() -> None:
    error = envelope.translate(RuntimeError("postgres://user:secret@db"), call())
    raw, _ = envelope.render(error, call())
    assert error.fault.code == "INTERNAL_ERROR"
    assert b"secret" not in raw
    assert json.loads(raw)["details"]["requestId"] == "req-12345678"


def test_fits_notices_what_is_wrong() -> None:
    good = {"error": "INVALID_WALLET", "message": "m", "code": 401, "details": {}}
    assert envelope.fits(401, json.dumps(good).encode()) is None
    for change in ({"code": 400}, {"details": []}, {"error": "NOPE"}, {"more": 1}, {"message": "{param}"}):
        assert envelope.fits(401, json.dumps({**good, **change}).encode()) is not None
    assert envelope.fits(401, b"[]") is not None
    assert envelope.fits(401, b"{") is not None
