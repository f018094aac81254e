"""How the paygate spells failures: `{"error", "message", "code", "details"}`, those four keys and no others.

Answers to x402 clients add `x402Version` and `accepts` (the fault's `extra`). `code` is the HTTP status. `details` is
always an object: the fault's parameters, its free detail, and `retryable` where a client's guess from the number
alone would be wrong or should be confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flux.kernel.faults import Fault, FaultError, Mode, PortFailure, Retry
from flux.kernel.wire import Call, Kind, Problem, Trouble, WireTrouble
from flux.paygate.faults import (
    BANNED,
    BLOCKCHAIN_ERROR,
    BLOCKCHAIN_UNAVAILABLE,
    DATABASE_ERROR,
    ENDPOINT_NOT_FOUND,
    GATEWAY_ERROR,
    GATEWAY_TIMEOUT,
    INTERNAL_ERROR,
    INVALID_API_ID,
    INVALID_ENDPOINT,
    INVALID_GATEWAY_RESPONSE,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    MISSING_PARAMETER,
    PAYMENT_NOT_CONFIRMED,
    QUOTA_EXCEEDED,
    SERVICE_UNAVAILABLE,
    SIMULATION_REFUSED,
    paygate,
)

GATEWAY_PREFIXES = ("/api/v2/gateway/", "/api/v2/x402/")
BELOW_LISTING = 5
"""Slashes up to and including the one behind a listing's id."""
RETRY_SECONDS = 5
OVERLOAD_SECONDS = 30

_SPELLING = {"seconds": "retryAfterSeconds"}
_X402_KEYS = {"x402Version", "accepts"}
_KEYS = {"error", "message", "code", "details"}
_REASONS = {
    Kind.MALFORMED_JSON: "malformed_json",
    Kind.BAD_UTF8: "malformed_json",
    Kind.DUPLICATE_KEY: "duplicate_key",
    Kind.NUL_CHARACTER: "nul_character",
    Kind.TOO_DEEP: "too_deep",
    Kind.NOT_AN_OBJECT: "not_an_object",
    Kind.CONTENT_TYPE: "content_type",
    Kind.BODY_TOO_LARGE: "body_too_large",
    Kind.BODY_TOO_SLOW: "body_too_slow",
    Kind.HEADERS_TOO_LARGE: "headers_too_large",
    Kind.URL_TOO_LONG: "url_too_long",
    Kind.UPGRADE_REFUSED: "upgrade_not_supported",
    Kind.BAD_REQUEST: "bad_request",
}
_JSON_TYPES: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array"},
    dict: {"type": "object"},
}


def is_gateway(call: Call) -> bool:
    return call.path.startswith(GATEWAY_PREFIXES)


class Prepared(FaultError):
    """A failure that is met again and again, with its whole body (`prepared_body`)."""

    __slots__ = ("body",)

    def __init__(
        self,
        fault: Fault,
        params: Mapping[str, Any],
        detail: Any,
        extra: Mapping[str, Any],
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        super().__init__(fault, params, detail, extra, headers)
        self.body = body


class PaygateEnvelope:
    """Implements `flux.kernel.wire.Envelope`."""

    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        if isinstance(trouble, WireTrouble):
            return _from_wire(trouble, call)
        if isinstance(trouble, PortFailure):
            return _from_port(trouble, call)
        return INTERNAL_ERROR(requestId=call.request_id)

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        body = error.body if type(error) is Prepared else _body(error, call.request_id)
        return body, {"X-Gateway-Error": error.fault.code} if is_gateway(call) else {}

    def fits(self, status: int, body: bytes) -> str | None:
        try:
            found = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return "the body is not JSON"
        if not isinstance(found, dict):
            return "the body is not an object"
        wanted = _KEYS | _X402_KEYS if _X402_KEYS & found.keys() else _KEYS
        if found.keys() != wanted:
            return f"the keys are {', '.join(found)}"
        if found["code"] != status:
            return f"code is {found['code']}, the status {status}"
        if not isinstance(found["details"], dict):
            return "details is not an object"
        fault = paygate.find(f"{found['error']}@{status}")
        if fault is None:
            return f"{found['error']} is not declared under {status}"
        if "{" in str(found["message"]):
            return "the message has an unfilled placeholder"
        return None

    def schema(self, fault: Fault) -> dict[str, Any]:
        known = {_SPELLING.get(name, name): _JSON_TYPES[kind] for name, kind in fault.params.items()}
        return {
            "type": "object",
            "required": ["error", "message", "code", "details"],
            "properties": {
                "error": {"const": fault.code},
                "message": {"type": "string"},
                "code": {"const": fault.status},
                "details": {"type": "object", "properties": known},
            },
        }


def _body(error: FaultError, request_id: str) -> bytes:
    fault = error.fault
    body = {
        "error": fault.code,
        "message": error.message,
        "code": fault.status,
        "details": _details(error, request_id),
        **error.extra,
    }
    return msgspec.json.encode(body, enc_hook=str)


def prepared_body(error: FaultError) -> bytes:
    """For `Prepared`: the body of a failure that says the same to everybody."""
    assert "requestId" not in error.params
    return _body(error, "")


def _details(error: FaultError, request_id: str) -> dict[str, Any]:
    details = {_SPELLING.get(name, name): value for name, value in error.params.items()}
    if "requestId" in details:
        details["requestId"] = request_id
    if isinstance(error.detail, dict):
        details.update(error.detail)
    retryable = _retryable(error.fault)
    if retryable is not None:
        details.setdefault("retryable", retryable)
    return details


def _retryable(fault: Fault) -> bool | None:
    """None where the documented rule (retry 5xx and 429) already says no."""
    if fault in (BANNED, QUOTA_EXCEEDED):
        return False
    return True if fault.retry is Retry.LATER or fault is PAYMENT_NOT_CONFIRMED else None


def shown(value: object) -> str:
    """What was received, as text of at most 100 characters."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode("utf-8", "replace")
    return text[:100]


def _from_wire(trouble: WireTrouble, call: Call) -> FaultError:
    kind = trouble.kind
    if kind is Kind.UNKNOWN_ROUTE:
        return ENDPOINT_NOT_FOUND(method=call.method, path=call.path)
    if kind is Kind.WRONG_METHOD:
        return ENDPOINT_NOT_FOUND(
            method=call.method, path=call.path, headers={"Allow": ", ".join(trouble.allowed)}
        )
    if kind is Kind.INVALID_VALUES:
        return _from_problems(trouble.problems)
    if kind is Kind.SIMULATION_REFUSED:
        return SIMULATION_REFUSED(subject=trouble.subject)
    if kind in (Kind.MAINTENANCE, Kind.DRAINING):
        return SERVICE_UNAVAILABLE(reason="maintenance", seconds=OVERLOAD_SECONDS)
    if kind is Kind.REQUEST_TIMEOUT:
        return SERVICE_UNAVAILABLE(reason="overload", seconds=OVERLOAD_SECONDS)
    if kind in (Kind.NUL_CHARACTER, Kind.BAD_UTF8) and call.route is None and is_gateway(call):
        # The router refuses such a path before any route is known; for the caller it is a bad endpoint path.
        below = call.path.split("/", BELOW_LISTING)
        path = "/" + below[-1] if len(below) > BELOW_LISTING else call.path
        return INVALID_ENDPOINT(path=shown(path), reason="illegal_character")
    detail: dict[str, Any] = {}
    if trouble.position is not None:
        detail["position"] = trouble.position
    if trouble.limit is not None:
        detail["limit"] = trouble.limit
    if trouble.subject:
        detail["received"] = trouble.subject[:100]
    return INVALID_REQUEST(reason=_REASONS.get(kind, kind.value), detail=detail)


def _from_problems(problems: list[Problem]) -> FaultError:
    """Missing values come before wrong ones, each in field order."""
    first = next((problem for problem in problems if problem.kind == "missing"), problems[0])
    if first.where == "body" and not first.path:
        reason = "not_an_object" if first.kind in ("type", "null") else "malformed_json"
        return INVALID_REQUEST(reason=reason)
    if first.kind == "missing":
        return MISSING_PARAMETER(param=first.path, detail={"in": first.where})
    received = shown(first.received)
    if first.where == "path" and first.path == "api_id":
        return INVALID_API_ID(apiId=received, detail={"expected": first.expected})
    name = _PATH_NAMES.get(first.path, first.path) if first.where == "path" else first.path
    return INVALID_PARAMETER(
        param=name or first.where,
        detail={"in": first.where, "expected": first.expected, "received": received},
    )


_PATH_NAMES = {"call_id": "callId", "tx_hash": "txHash", "address": "address"}


def _from_port(failure: PortFailure, call: Call) -> FaultError:
    """Ports whose room did not already say more."""
    if failure.port == "store":
        return DATABASE_ERROR(requestId=call.request_id)
    if failure.port == "chain":
        return chain_fault(failure, getattr(failure, "chain", ""))
    if failure.port == "upstream":
        held: dict[str, Any] = {"paymentStatus": "released", "callId": ""}
        if failure.mode is Mode.GARBAGE:
            return INVALID_GATEWAY_RESPONSE(reason=failure.reason or "protocol", **held)
        if failure.mode is Mode.TIMEOUT:
            return GATEWAY_TIMEOUT(timeoutMs=0, phase="connect", **held)
        return GATEWAY_ERROR(reason=failure.reason or "connect", **held)
    return INTERNAL_ERROR(requestId=call.request_id)


_UNAVAILABLE_REASONS = ("unreachable", "timeout", "circuit_open", "not_configured")
_ERROR_REASONS = ("rpc_error", "bad_response", "chain_id_mismatch", "inconsistent")


def chain_fault(failure: PortFailure, chain: str) -> FaultError:
    """The node did not answer (503), or answered with something that is no good (500)."""
    if failure.mode in (Mode.UNAVAILABLE, Mode.TIMEOUT):
        reason = failure.reason
        if reason not in _UNAVAILABLE_REASONS:
            reason = "timeout" if failure.mode is Mode.TIMEOUT else "unreachable"
        detail = {"retryable": False} if reason == "not_configured" else {}
        return BLOCKCHAIN_UNAVAILABLE(chain=chain, reason=reason, seconds=RETRY_SECONDS, detail=detail)
    reason = failure.reason
    if reason not in _ERROR_REASONS:
        reason = "bad_response" if failure.mode is Mode.GARBAGE else "rpc_error"
    return BLOCKCHAIN_ERROR(chain=chain, reason=reason)
