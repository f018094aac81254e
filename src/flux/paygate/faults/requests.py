"""400: what the caller sent is not understood."""

from __future__ import annotations

from flux.paygate.faults.table import paygate

INVALID_REQUEST = paygate.declare(
    "INVALID_REQUEST",
    400,
    "Request body is invalid JSON",
    advice="The body could not be read. `details.reason` says why: `malformed_json` (with `position`), `not_an_object`, "
    "`duplicate_key`, `content_type` (send `application/json`), `body_too_large`, `bad_payment_payload`, "
    "`upgrade_not_supported` and their kin. Mend the request and send it again; the payment was not touched.",
    params={"reason": str},
    sample={"reason": "malformed_json"},
)
MISSING_PARAMETER = paygate.declare(
    "MISSING_PARAMETER",
    400,
    "Required parameter missing: {param}",
    advice="A required value is absent. `details.param` names the first one in the order of the reference and `details.in` "
    "tells where it belongs: body, query or header.",
    params={"param": str},
    sample={"param": "name"},
)
INVALID_PARAMETER = paygate.declare(
    "INVALID_PARAMETER",
    400,
    "Invalid parameter value: {param}",
    advice="A value is there and does not fit. `details.param` names it, `details.expected` says what would do, and "
    "`details.received` repeats at most 100 characters of what came.",
    params={"param": str},
    sample={"param": "limit"},
)
INVALID_API_ID = paygate.declare(
    "INVALID_API_ID",
    400,
    "API ID format is invalid",
    advice="A listing id is `api_` followed by 1 to 60 letters and digits. The bare form some old guides show is not accepted: "
    "take the id from the listing itself.",
    params={"apiId": str},
    sample={"apiId": "abc123"},
)
INVALID_ENDPOINT = paygate.declare(
    "INVALID_ENDPOINT",
    400,
    "Endpoint path is invalid",
    advice="The path behind the listing id, or an operation path of a listing, holds something that must never reach a target: "
    "control characters, dot segments, encoded separators, empty segments. `details.reason` names it. Nothing was charged.",
    params={"path": str, "reason": str},
    sample={"path": "/..%2fadmin", "reason": "encoded_separator"},
)
