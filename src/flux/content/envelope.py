"""The content plane's spelling of failures: `{"message", "error_code", "detail"}`, on every non-2xx.

The only place of the plane that writes error JSON. Delivery and management share the envelope and differ in the
codes of a few wire troubles: a verb that is not there, a body that is not JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from flux.content import faults
from flux.content.families import is_management
from flux.content.faults import content
from flux.kernel.faults import Fault, FaultError, Mode, PortFailure
from flux.kernel.wire.call import Call
from flux.kernel.wire.planes import Trouble
from flux.kernel.wire.troubles import Kind, Problem, WireTrouble

_KEYS = {"message", "error_code", "detail"}

_WORDS = {
    "missing": "Missing value",
    "null": "Invalid type",
    "type": "Invalid type",
}
_BOUNDS: dict[str, Callable[[Any], str]] = {
    "too_short": lambda bound: (
        "String too short" if bound in (None, 1) else f"At least {bound} characters or elements are required"
    ),
    "too_long": lambda bound: f"At most {bound} characters or elements are allowed",
    "too_small": lambda bound: f"Value must be at least {bound}",
    "too_large": lambda bound: f"Value must be at most {bound}",
    "multiple_of": lambda bound: f"Value must be a multiple of {bound}",
}

# What a simulated answer shows where the real one always has a detail.
_SIMULATED: dict[str, Any] = {
    "validation_error": [
        {
            "field": "where.$.all_of.0.status__eq",
            "message": "Invalid type",
            "details": "This field is required",
        },
        {"field": "find_text.query", "message": "Invalid value", "details": "String too short"},
    ],
    "data_validation_error": {
        "errors": [{"json_path": "$.title", "message": "This field is required", "type": "required"}],
        "errors_truncated": False,
    },
    "component_sync_conflict": [{"field_path": "seo", "blocking_reason": "field_removed"}],
}


class ContentEnvelope:
    """Implements `flux.kernel.wire.planes.Envelope`."""

    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        if isinstance(trouble, FaultError):
            return trouble
        if isinstance(trouble, WireTrouble):
            return _from_wire(trouble, call)
        if isinstance(trouble, PortFailure):
            return _from_port(trouble)
        return faults.INTERNAL_SERVER_ERROR()

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        return msgspec.json.encode(_members(error)), error.headers

    def fits(self, status: int, body: bytes) -> str | None:
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return "the body is not JSON"
        if not isinstance(value, dict) or set(value) != _KEYS:
            return f"the body must be an object of exactly {sorted(_KEYS)}"
        if not isinstance(value["message"], str) or not value["message"]:
            return "message must be a text"
        if value["detail"] is not None and not isinstance(value["detail"], (dict, list)):
            return "detail must be null, an object or an array"
        if content.find(f"{value['error_code']}@{status}") is None:
            return f"{value['error_code']} is not a code of status {status}"
        return None

    def schema(self, fault: Fault) -> dict[str, Any]:
        message: dict[str, Any] = {"type": "string"}
        if "{" not in fault.message:
            message["const"] = fault.message
        return {
            "type": "object",
            "properties": {
                "message": message,
                "error_code": {"const": fault.code},
                "detail": _DETAIL_SCHEMAS.get(fault.code, {"type": "null"}),
            },
            "required": ["message", "error_code", "detail"],
            "additionalProperties": False,
        }


def _members(error: FaultError) -> Mapping[str, Any]:
    detail = error.detail
    if detail is None:
        detail = (
            dict(error.params)
            if error.fault is faults.PLAN_LIMIT_EXCEEDED
            else _SIMULATED.get(error.fault.code)
        )
    return {"message": error.message, "error_code": error.fault.code, "detail": detail}


def _from_wire(trouble: WireTrouble, call: Call) -> FaultError:
    management = is_management(call)
    kind = trouble.kind
    if kind is Kind.WRONG_METHOD:
        fault = faults.METHOD_NOT_ALLOWED if management else faults.ACTION_NOT_ALLOWED
        return fault(headers={"Allow": ", ".join(trouble.allowed)} if trouble.allowed else None)
    if kind is Kind.INVALID_VALUES:
        return faults.VALIDATION_ERROR(detail=[_spelled(problem, management) for problem in trouble.problems])
    if kind is Kind.NOT_AN_OBJECT and management:
        problem = Problem("body", "", "type", "object")
        return faults.VALIDATION_ERROR(detail=[_spelled(problem, management)])
    if kind is Kind.BODY_TOO_LARGE and management:
        item = {
            "type": "too_large",
            "field": "",
            "message": "Invalid value",
            "details": f"The body is larger than {trouble.limit} bytes",
        }
        return faults.VALIDATION_ERROR(detail=[item])
    if kind in _BODY_TROUBLES:
        if not management:
            return faults.INVALID_REQUEST()
        return faults.BAD_REQUEST() if call.method in ("GET", "HEAD") else faults.JSON_PARSE_ERROR()
    return _PLAIN[kind]()


_BODY_TROUBLES = {
    Kind.MALFORMED_JSON,
    Kind.BAD_UTF8,
    Kind.DUPLICATE_KEY,
    Kind.NUL_CHARACTER,
    Kind.TOO_DEEP,
    Kind.NOT_AN_OBJECT,
    Kind.CONTENT_TYPE,
    Kind.BODY_TOO_LARGE,
}
_PLAIN = {
    Kind.UNKNOWN_ROUTE: faults.ROUTE_NOT_FOUND,
    Kind.BODY_TOO_SLOW: faults.REQUEST_TIMEOUT,
    Kind.REQUEST_TIMEOUT: faults.REQUEST_TIMEOUT,
    Kind.HEADERS_TOO_LARGE: faults.BAD_REQUEST,
    Kind.URL_TOO_LONG: faults.BAD_REQUEST,
    Kind.BAD_REQUEST: faults.BAD_REQUEST,
    Kind.SIMULATION_REFUSED: faults.SIMULATION_REFUSED,
    Kind.MAINTENANCE: faults.SERVICE_UNAVAILABLE,
    Kind.DRAINING: faults.SERVICE_UNAVAILABLE,
}


def _from_port(failure: PortFailure) -> FaultError:
    if failure.port == "embeddings":
        return faults.UPSTREAM_ERROR()
    if failure.port == "store" and failure.mode is Mode.TIMEOUT:
        return faults.REQUEST_TIMEOUT()
    return faults.INTERNAL_SERVER_ERROR()


def _spelled(problem: Problem, management: bool) -> dict[str, Any]:
    if problem.kind in ("missing", "null"):
        details = "This field is required"
    elif problem.kind == "type":
        details = f"Value must be {problem.expected}" if problem.expected else "Value has the wrong type"
    elif problem.kind in _BOUNDS:
        details = _BOUNDS[problem.kind](problem.bound)
    else:
        details = f"Expected {problem.expected}"
    item = {"field": problem.path, "message": _WORDS.get(problem.kind, "Invalid value"), "details": details}
    return {"type": problem.kind, **item} if management else item


_PROBLEM_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "field": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "string"},
    },
    "required": ["field", "message", "details"],
}
_DETAIL_SCHEMAS: dict[str, dict[str, Any]] = {
    "validation_error": {"type": "array", "items": _PROBLEM_SCHEMA},
    "data_validation_error": {
        "type": "object",
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("json_path", "message", "type")},
                    "required": ["json_path", "message", "type"],
                },
            },
            "errors_truncated": {"type": "boolean"},
        },
        "required": ["errors", "errors_truncated"],
    },
    "plan_limit_exceeded": {
        "type": "object",
        "properties": {
            "entity": {"type": "string"},
            "current": {"type": "integer"},
            "limit": {"type": "integer"},
        },
        "required": ["entity", "current", "limit"],
    },
    "component_sync_conflict": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"field_path": {"type": "string"}, "blocking_reason": {"type": "string"}},
            "required": ["field_path", "blocking_reason"],
        },
    },
}
