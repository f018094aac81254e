"""Reading the three envelopes, without a network."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.client import AnsweredError, FieldProblem, Refusal, TargetAnswer, UnreadableAnswer
from flux.client.dialects import COMMUNITY, CONTENT, PAYGATE, Dialect
from flux.client.errors import Answer, CommunityError, ContentError, PaygateError, community, content, paygate

PLANES = {"community": COMMUNITY, "content": CONTENT, "paygate": PAYGATE}


def read(
    dialect: Dialect, status: int, body: Any, path: str = "/x", method: str = "GET", **headers: str
) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return dialect.read(Answer(status, named, raw, method, "http://x/", 1_000_000_000.0), path)


def test_community_members() -> None:
    body = {"code": "SUDO_MODE_REQUIRED", "message": "Sudo mode required", "has_mfa": True}
    error = read(COMMUNITY, 403, body, x_request_id="r1")
    assert type(error) is community.SudoModeRequired
    assert isinstance(error, community.CommunityForbidden)
    assert (error.code, error.status, error.message) == ("SUDO_MODE_REQUIRED", 403, "Sudo mode required")
    assert error.raw["has_mfa"] is True
    assert error.request_id == "r1"
    assert error.plane == "community"
    assert str(error) == "403 SUDO_MODE_REQUIRED: Sudo mode required [request r1]"


def test_community_field_errors_as_array_and_as_tree() -> None:
    envelope = {"code": "VALIDATION_ERROR", "message": "Invalid"}
    array = [{"path": "embeds.0.title", "message": "Too long", "code": "STRING_LENGTH_INVALID"}]
    tree = {
        "embeds": {"0": {"title": {"_errors": [{"code": "STRING_LENGTH_INVALID", "message": "Too long"}]}}}
    }
    expected = (FieldProblem("embeds.0.title", "Too long", "STRING_LENGTH_INVALID"),)
    for errors in (array, tree):
        error = read(COMMUNITY, 400, {**envelope, "errors": errors})
        assert type(error) is community.ValidationError
        assert error.errors == expected


def test_content_members() -> None:
    detail = [{"field": "find_text.query", "message": "Invalid value", "details": "String too short"}]
    body = {"message": "Invalid data was provided", "error_code": "validation_error", "detail": detail}
    error = read(CONTENT, 422, body)
    assert type(error) is content.ValidationError
    assert error.detail == detail
    assert error.errors == (FieldProblem("find_text.query", "Invalid value", "", "String too short"),)


def test_content_detail_of_written_data() -> None:
    entry = {"json_path": "$.title", "message": "This field is required", "type": "required"}
    body = {"message": "No", "error_code": "data_validation_error", "detail": {"errors": [entry]}}
    error = read(CONTENT, 422, body)
    assert error.errors == (FieldProblem("$.title", "This field is required", "required"),)


def test_paygate_members() -> None:
    body = {
        "error": "INVALID_OPENAPI",
        "message": "OpenAPI specification is invalid",
        "code": 422,
        "details": {"errors": [{"path": "paths", "message": "missing"}]},
    }
    error = read(PAYGATE, 422, body)
    assert type(error) is paygate.InvalidOpenapi
    assert error.number == 422
    assert error.details == body["details"]
    assert error.errors == (FieldProblem("paths", "missing"),)


def test_one_code_under_two_statuses() -> None:
    body = {"error": "RATE_LIMIT_EXCEEDED", "message": "Rate limit exceeded", "details": {}}
    assert type(read(PAYGATE, 429, {**body, "code": 429})) is paygate.RateLimitExceeded
    assert type(read(PAYGATE, 403, {**body, "code": 403})) is paygate.RateLimitBanned
    assert not issubclass(paygate.RateLimitBanned, paygate.RateLimitExceeded)


def test_a_known_code_under_another_status_keeps_its_class() -> None:
    error = read(PAYGATE, 418, {"error": "INSUFFICIENT_PAYMENT", "message": "m", "code": 418, "details": {}})
    assert type(error) is paygate.InsufficientPayment
    assert error.status == 418


def test_a_code_that_an_extension_repeats_has_a_class_for_each_status() -> None:
    body = {"error": "MISSING_PAYMENT_TX", "message": "m", "code": 402, "details": {}, "x402Version": 1}
    assert type(read(PAYGATE, 402, body)) is paygate.MissingPaymentTx402
    assert type(read(PAYGATE, 401, {**body, "code": 401})) is paygate.MissingPaymentTx


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, community.CommunityNotFound),
        (429, community.CommunityTooManyRequests),
        (500, community.CommunityServerError),
        (599, community.CommunityServerError),
        (418, CommunityError),
    ],
)
def test_an_unknown_code_takes_the_class_of_its_status(status: int, kind: type[CommunityError]) -> None:
    error = read(COMMUNITY, status, {"code": "FROM_THE_FUTURE", "message": "m"})
    assert type(error) is kind
    assert error.code == "FROM_THE_FUTURE"
    assert not error.declared
    assert error.advice == ""


def test_a_declared_class_says_what_to_do() -> None:
    error = read(COMMUNITY, 404, {"code": "UNKNOWN_CHANNEL", "message": "Unknown Channel"})
    assert error.declared
    assert error.retry == "never"
    assert len(error.advice) > 20
    assert "\n" not in error.advice


@pytest.mark.parametrize("dialect", PLANES.values(), ids=PLANES)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'"x"', b"{}", b"[" * 100_000, b'{"code": 5, "message": "m"}', b"\xff"],
    ids=["empty", "html", "array", "null", "text", "object", "deep", "number", "bytes"],
)
def test_other_bodies_are_unreadable(dialect: Dialect, body: bytes) -> None:
    error = read(dialect, 502, body)
    assert type(error) is UnreadableAnswer
    assert error.status == 502
    assert error.answer.body == body
    assert str(error).startswith("502: ")


def test_the_envelope_of_another_plane_is_unreadable() -> None:
    bodies = {
        "community": {"code": "X", "message": "m"},
        "content": {"error_code": "x", "message": "m", "detail": None},
        "paygate": {"error": "X", "message": "m", "code": 404, "details": {}},
    }
    for name, dialect in PLANES.items():
        for other, body in bodies.items():
            error = read(dialect, 404, body)
            assert isinstance(error, Refusal) == (name == other), (name, other)


def test_an_answer_to_head_has_no_body() -> None:
    error = read(CONTENT, 404, b"", method="HEAD")
    assert type(error) is content.ContentNotFound
    assert error.code == ""
    error = read(PAYGATE, 404, b"", "/gateway/api_1/x", "HEAD", x_gateway_error="API_NOT_FOUND")
    assert type(error) is paygate.ApiNotFound
    assert error.code == "API_NOT_FOUND"


def test_only_the_gateways_own_answers_to_a_paid_call_are_refusals() -> None:
    body = {"error": "API_DISABLED", "message": "m", "code": 403, "details": {}}
    error = read(PAYGATE, 403, body, "/gateway/api_1/x", x_payment_status="consumed", x_call_id="call_1")
    assert type(error) is TargetAnswer
    assert (error.status, error.payment_status, error.call_id) == (403, "consumed", "call_1")
    assert type(read(PAYGATE, 403, body, "/api/v2/x402/api_1")) is TargetAnswer
    error = read(PAYGATE, 403, body, "gateway/api_1/x", x_gateway_error="API_DISABLED")
    assert type(error) is paygate.ApiDisabled
    assert type(read(PAYGATE, 403, body, "/apis/api_1")) is paygate.ApiDisabled


@pytest.mark.parametrize(
    ("dialect", "body", "headers", "expected"),
    [
        (
            COMMUNITY,
            {"code": "RATE_LIMITED", "message": "m", "retry_after": 0.25},
            {"retry_after": "1"},
            0.25,
        ),
        (COMMUNITY, {"code": "RATE_LIMITED", "message": "m"}, {"retry_after": "7"}, 7.0),
        (COMMUNITY, {"code": "RATE_LIMITED", "message": "m", "retry_after": True}, {"retry_after": "7"}, 7.0),
        (COMMUNITY, {"code": "RATE_LIMITED", "message": "m", "retry_after": -1}, {}, None),
        (COMMUNITY, {"code": "RATE_LIMITED", "message": "m", "retry_after": "3"}, {}, None),
        (CONTENT, {"error_code": "rate_limit_exceeded", "message": "m"}, {"retry_after": "2.5"}, 2.5),
        (CONTENT, {"error_code": "rate_limit_exceeded", "message": "m"}, {"retry_after": "soon"}, None),
        (CONTENT, {"error_code": "rate_limit_exceeded", "message": "m"}, {"retry_after": "-3"}, None),
        (CONTENT, {"error_code": "rate_limit_exceeded", "message": "m"}, {"retry_after": "9" * 400}, 1e9),
        (
            CONTENT,
            {"error_code": "rate_limit_exceeded", "message": "m"},
            {"retry_after": "Sun, 09 Sep 2001 01:46:50 GMT"},  # 1_000_000_010
            10.0,
        ),
        (
            CONTENT,
            {"error_code": "rate_limit_exceeded", "message": "m"},
            {"retry_after": "Sun, 09 Sep 2001 01:46:50 GMT", "date": "Sun, 09 Sep 2001 01:46:47 GMT"},
            3.0,
        ),
        (
            CONTENT,
            {"error_code": "rate_limit_exceeded", "message": "m"},
            {"retry_after": "Sun, 09 Sep 2001 01:00:00 GMT"},
            0.0,
        ),
        (
            PAYGATE,
            {
                "error": "SERVICE_UNAVAILABLE",
                "message": "m",
                "code": 503,
                "details": {"retryAfterSeconds": 4},
            },
            {},
            4.0,
        ),
        (
            PAYGATE,
            {
                "error": "SERVICE_UNAVAILABLE",
                "message": "m",
                "code": 503,
                "details": {"retryAfterSeconds": 4},
            },
            {"retry_after": "9"},
            9.0,
        ),
    ],
)
def test_retry_after(dialect: Dialect, body: Any, headers: dict[str, str], expected: float | None) -> None:
    assert read(dialect, 429, body, **headers).retry_after == expected


def test_errors_survive_pickling() -> None:
    refusal = read(
        COMMUNITY, 404, {"code": "UNKNOWN_CHANNEL", "message": "Unknown Channel"}, x_request_id="r"
    )
    refusal.attempts = 3
    copied = pickle.loads(pickle.dumps(refusal))
    assert type(copied) is community.UnknownChannel
    assert (copied.message, copied.attempts, copied.request_id) == ("Unknown Channel", 3, "r")
    copied = pickle.loads(pickle.dumps(UnreadableAnswer(Answer(502), "why")))
    assert copied.why == "why"


def test_a_subclass_of_ones_own_enters_no_table() -> None:
    class Mine(community.UnknownChannel):
        pass

    assert CommunityError.class_for("UNKNOWN_CHANNEL", 404) is community.UnknownChannel
    assert Mine not in CommunityError.rows.values()


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
members = ("code", "message", "error", "error_code", "errors", "detail", "details", "retry_after", "_errors")
codes = st.sampled_from(["UNKNOWN_CHANNEL", "validation_error", "RATE_LIMIT_EXCEEDED", "X"])


@given(
    dialect=st.sampled_from(list(PLANES.values())),
    status=st.integers(400, 599),
    body=st.dictionaries(st.sampled_from(members), json_values | codes, max_size=6),
    wait=st.text(max_size=30),
)
def test_no_body_breaks_the_reader(dialect: Dialect, status: int, body: dict[str, Any], wait: str) -> None:
    error = read(dialect, status, body, retry_after=wait)
    assert isinstance(error, AnsweredError)
    assert error.status == status
    assert error.retry_after is None or 0 <= error.retry_after <= 1e9
    str(error)


def test_bases() -> None:
    for base, module in ((CommunityError, community), (ContentError, content), (PaygateError, paygate)):
        for row in base.rows.values():
            assert issubclass(row, base)
            assert getattr(module, row.__name__) is row
