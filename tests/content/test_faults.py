"""The plane's reference: literal expectations, so that no edit of code and contract together can pass."""

from __future__ import annotations

import msgspec
import pytest

from flux.content.envelope import ContentEnvelope
from flux.content.faults import VALIDATION_ERROR, content
from flux.kernel.faults import load_contract

PUBLISHED = [
    ("authentication_failed", 401, "Authentication failed"),
    ("permission_denied", 403, "Permission denied"),
    ("route_not_found", 404, "Route not found"),
    ("resource_not_found", 404, "Resource does not exist"),
    ("component_not_found", 404, "Component does not exist"),
    ("action_not_allowed", 405, "Action not allowed"),
    ("request_timeout", 408, "Request timeout"),
    ("max_response_size_exceeded", 413, "Response size exceeded"),
    ("validation_error", 422, "Invalid data was provided"),
    ("invalid_request", 422, "Invalid request"),
    ("unknown_field", 422, "Unknown field"),
    ("failed_join", 422, "Failed to join folder: folder not found"),
    ("too_many_join_folders", 422, "Too many folders in join"),
    ("unknown_locale", 422, "Unknown locale"),
    ("invalid_locale", 422, "Invalid locale"),
    ("missed_component", 422, "Component is required"),
    ("rate_limit_exceeded", 429, "Rate limit exceeded"),
    ("internal_server_error", 500, "Internal server error"),
]


def test_the_reference_publishes_these_18_codes() -> None:
    rows = [(row.code, row.status, row.message) for row in load_contract("content") if row.published]
    assert rows == PUBLISHED
    assert len(rows) == 18


def test_the_declarations_follow_the_contract() -> None:
    content.check(load_contract("content"))
    assert [(fault.code, fault.status, fault.message) for fault in content][:18] == PUBLISHED


def test_every_fault_leaves_in_the_three_member_envelope() -> None:
    envelope = ContentEnvelope()
    for fault in content:
        body, headers = envelope.render(fault.sampled(), None)  # type: ignore[arg-type]
        assert envelope.fits(fault.status, body) is None
        assert list(msgspec.json.decode(body)) == ["message", "error_code", "detail"]
        assert set(headers) == set(fault.headers)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"message": "Authentication failed", "error_code": "authentication_failed"}'),
        (404, b'{"message": "Authentication failed", "error_code": "authentication_failed", "detail": null}'),
        (401, b'{"message": "", "error_code": "authentication_failed", "detail": null}'),
        (401, b'{"message": "x", "error_code": "authentication_failed", "detail": "text"}'),
        (401, b"Unauthorized"),
    ],
)
def test_other_bodies_do_not_fit(status: int, body: bytes) -> None:
    assert ContentEnvelope().fits(status, body) is not None


def test_the_validation_detail_is_the_published_one_when_simulated() -> None:
    body, _ = ContentEnvelope().render(VALIDATION_ERROR.sampled(), None)  # type: ignore[arg-type]
    assert msgspec.json.decode(body)["detail"] == [
        {
            "field": "where.$.all_of.0.status__eq",
            "message": "Invalid type",
            "details": "This field is required",
        },
        {"field": "find_text.query", "message": "Invalid value", "details": "String too short"},
    ]
