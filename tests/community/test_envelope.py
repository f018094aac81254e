"""How the community spells failures, without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from flux.community import faults
from flux.community.envelope import CommunityEnvelope, invalid
from flux.kernel.faults import FaultError, Mode, PortFailure
from flux.kernel.wire import Call, Kind, Problem, WireTrouble

envelope = CommunityEnvelope()


def call(**headers: str) -> Call:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    return cast(Call, SimpleNamespace(header=found.get, route=None))


def body(error: FaultError, **headers: str) -> dict[str, Any]:
    raw, _ = envelope.render(error, call(**headers))
    return cast(dict[str, Any], msgspec.json.decode(raw))


def test_every_fault_fits_its_own_envelope() -> None:
    for fault in faults.community:
        raw, _ = envelope.render(fault.sampled(), call())
        assert envelope.fits(fault.status, raw) is None, fault.key


def test_the_plain_form_has_code_and_message_only() -> None:
    assert body(faults.UNKNOWN_CHANNEL()) == {"code": "UNKNOWN_CHANNEL", "message": "Unknown Channel"}


def test_another_status_or_a_missing_member_does_not_fit() -> None:
    raw, _ = envelope.render(faults.UNKNOWN_CHANNEL(), call())
    assert envelope.fits(403, raw) is not None
    assert envelope.fits(429, b'{"code":"RATE_LIMITED","message":"slow"}') == "retry_after is missing"
    assert envelope.fits(404, b"[]") == "not an object"
    assert envelope.fits(404, b"<html>") is not None


def test_rate_limits_round_the_header_up_and_keep_the_float_in_the_body() -> None:
    error = faults.RATE_LIMITED(retry_after=0.2344, **{"global": True})
    raw, headers = envelope.render(error, call())
    assert msgspec.json.decode(raw)["retry_after"] == 0.234
    assert headers == {"Retry-After": "1", "X-RateLimit-Global": "true"}


def test_validation_as_a_list_and_as_a_tree() -> None:
    problems = [
        Problem("body", "name", "missing", "a value"),
        Problem("body", "embeds.0.title", "too_long", "at most 256 characters", "x", 256),
    ]
    error = envelope.translate(WireTrouble(Kind.INVALID_VALUES, problems), call())
    assert body(error)["errors"] == [
        {"path": "name", "message": "This field is required.", "code": "REQUIRED"},
        {"path": "embeds.0.title", "message": "Expected at most 256 characters.", "code": "LENGTH_INVALID"},
    ]
    tree = body(error, x_error_format="tree")["errors"]
    assert tree["name"] == {"_errors": [{"code": "REQUIRED", "message": "This field is required."}]}
    assert tree["embeds"]["0"]["title"]["_errors"][0]["code"] == "LENGTH_INVALID"


def test_oauth_failures_speak_both_dialects() -> None:
    told = body(faults.INVALID_CLIENT())
    assert told["code"] == "INVALID_CLIENT"
    assert told["error"] == "invalid_client"
    assert told["error_description"] == told["message"]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_trouble_of_the_wire_has_a_spelling(kind: Kind) -> None:
    error = envelope.translate(WireTrouble(kind, limit=10, subject="x"), call())
    raw, _ = envelope.render(error, call())
    assert envelope.fits(error.fault.status, raw) is None


@pytest.mark.parametrize(
    ("port", "mode", "code"),
    [
        ("realtime", Mode.ERROR, "BAD_GATEWAY"),
        ("realtime", Mode.GARBAGE, "BAD_GATEWAY"),
        ("realtime", Mode.UNAVAILABLE, "SERVICE_UNAVAILABLE"),
        ("mail", Mode.TIMEOUT, "GATEWAY_TIMEOUT"),
        ("store", Mode.UNAVAILABLE, "SERVICE_UNAVAILABLE"),
        ("store", Mode.ERROR, "INTERNAL_SERVER_ERROR"),
        ("handler", Mode.ERROR, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_broken_ports(port: str, mode: Mode, code: str) -> None:
    assert envelope.translate(PortFailure(port, mode), call()).fault.code == code


def test_an_unexpected_exception_leaks_nothing() -> None:
    error = envelope.translate(RuntimeError("password=hunter2"), call())
    assert body(error) == {"code": "INTERNAL_SERVER_ERROR", "message": "Internal server error"}


def test_one_field() -> None:
    assert body(invalid("email", "Taken.", "EMAIL_ALREADY_IN_USE"))["errors"][0]["path"] == "email"
