"""Declarations, contract and envelope say the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from flux.kernel.faults import Fault, Mode, PortFailure, load_contract
from flux.kernel.wire import Call, Kind, Problem, WireTrouble
from flux.operator import faults
from flux.operator.envelope import OperatorEnvelope, invalid
from flux.operator.plane import outline

envelope = OperatorEnvelope()
call = cast(Call, SimpleNamespace(route=object(), method="POST"))


def body(trouble: Exception, at: Call = call) -> tuple[Fault, dict[str, Any]]:
    error = envelope.translate(trouble, at)
    text, _ = envelope.render(error, at)
    assert envelope.fits(error.fault.status, text) is None
    return error.fault, msgspec.json.decode(text)


def test_declarations_are_the_contract() -> None:
    rows = load_contract("operator")
    faults.operator.check(rows)
    assert [row.key for row in rows] == [fault.key for fault in faults.operator]
    assert not any(row.published for row in rows)


@pytest.mark.parametrize("fault", list(faults.operator), ids=lambda fault: fault.code)
def test_every_failure_fits_its_envelope_and_schema(fault: Fault) -> None:
    text, _ = envelope.render(fault.sampled(), call)
    assert envelope.fits(fault.status, text) is None
    told, schema = msgspec.json.decode(text), envelope.schema(fault)
    assert list(told) == ["code", "message", "details"] == schema["required"]
    assert schema["properties"]["code"]["const"] == told["code"] == fault.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.UNKNOWN_ROUTE, "NOT_FOUND"),
        (Kind.UPGRADE_REFUSED, "NOT_FOUND"),
        (Kind.WRONG_METHOD, "METHOD_NOT_ALLOWED"),
        (Kind.MALFORMED_JSON, "INVALID_REQUEST"),
        (Kind.BAD_UTF8, "INVALID_REQUEST"),
        (Kind.DUPLICATE_KEY, "INVALID_REQUEST"),
        (Kind.NUL_CHARACTER, "INVALID_REQUEST"),
        (Kind.TOO_DEEP, "INVALID_REQUEST"),
        (Kind.NOT_AN_OBJECT, "INVALID_REQUEST"),
        (Kind.BAD_REQUEST, "INVALID_REQUEST"),
        (Kind.CONTENT_TYPE, "UNSUPPORTED_MEDIA_TYPE"),
        (Kind.BODY_TOO_LARGE, "REQUEST_TOO_LARGE"),
        (Kind.BODY_TOO_SLOW, "REQUEST_TIMEOUT"),
        (Kind.REQUEST_TIMEOUT, "REQUEST_TIMEOUT"),
        (Kind.HEADERS_TOO_LARGE, "HEADERS_TOO_LARGE"),
        (Kind.URL_TOO_LONG, "URL_TOO_LONG"),
        (Kind.SIMULATION_REFUSED, "SIMULATION_REFUSED"),
        (Kind.MAINTENANCE, "SERVICE_UNAVAILABLE"),
        (Kind.DRAINING, "SERVICE_UNAVAILABLE"),
    ],
)
def test_every_trouble_of_the_wire_has_its_code(kind: Kind, code: str) -> None:
    fault, told = body(WireTrouble(kind, limit=64, position=3, subject="k", allowed=("GET", "HEAD")))
    assert fault.code == told["code"] == code
    if code == "INVALID_REQUEST":
        assert len(told["details"]["problems"]) == 1


def test_no_kind_of_trouble_is_forgotten() -> None:
    for kind in Kind:
        problems = [Problem("body", "a", "missing", "a value")] if kind is Kind.INVALID_VALUES else []
        body(WireTrouble(kind, problems=problems))


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (PortFailure("store", Mode.UNAVAILABLE), "SERVICE_UNAVAILABLE"),
        (PortFailure("store", Mode.TIMEOUT), "SERVICE_UNAVAILABLE"),
        (PortFailure("store", Mode.ERROR), "INTERNAL_ERROR"),
        (PortFailure("handler", Mode.GARBAGE), "INTERNAL_ERROR"),
        (ZeroDivisionError("secret text"), "INTERNAL_ERROR"),
    ],
)
def test_broken_ports_and_bugs(trouble: Exception, code: str) -> None:
    fault, told = body(trouble)
    assert fault.code == code and "secret" not in str(told)


def test_every_wrong_value_is_listed_and_the_first_is_in_the_message() -> None:
    problems = [
        Problem("body", "count", "too_small", "at least 1", 0, 1),
        Problem("body", "port", "missing", "a value"),
    ]
    _, told = body(WireTrouble(Kind.INVALID_VALUES, problems))
    assert told["message"] == "The request is not valid: count: expected at least 1 (and 1 more)"
    assert told["details"]["problems"] == [
        {"where": "body", "path": "count", "kind": "too_small", "expected": "at least 1"},
        {"where": "body", "path": "port", "kind": "missing", "expected": "a value"},
    ]


def test_hostile_paths_come_back_short() -> None:
    text, _ = envelope.render(invalid([Problem("body", "x" * 100_000, "type", "y" * 100_000)]), call)
    assert len(text) < 2_000


@pytest.mark.parametrize(
    ("route", "method", "where"),
    [(None, "GET", "path"), (object(), "GET", "query"), (object(), "POST", "body")],
)
def test_what_cannot_be_read_is_named_by_its_place(route: object, method: str, where: str) -> None:
    at = cast(Call, SimpleNamespace(route=route, method=method))
    _, told = body(WireTrouble(Kind.BAD_UTF8), at)
    assert told["details"]["problems"][0]["where"] == where


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, b"<html>"),
        (404, b"[]"),
        (404, b'{"code":"NOT_FOUND","message":"m"}'),
        (404, b'{"code":"NOT_FOUND","message":1,"details":{}}'),
        (400, b'{"code":"NOT_FOUND","message":"m","details":{}}'),
        (400, b'{"code":["x"],"message":"m","details":{}}'),
        (400, b'{"code":"INVALID_REQUEST","message":"m","details":{"problems":1}}'),
    ],
)
def test_what_is_no_envelope_does_not_fit(status: int, text: bytes) -> None:
    assert envelope.fits(status, text)


@pytest.mark.parametrize("sandbox", [False, True])
def test_every_route_can_fail_as_the_wire_can(sandbox: bool) -> None:
    for route in outline(sandbox=sandbox).routes:
        codes = {fault.code for fault in outline(sandbox=sandbox).can_fail_with(route)}
        assert {"INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "SIMULATION_REFUSED", "INVALID_REQUEST"} <= codes
        assert ("UNAUTHORIZED" in codes) == route.path.startswith(("/sandbox/", "/operator/"))
        assert ("REQUEST_TOO_LARGE" in codes) == (route.method in ("POST", "PUT"))
