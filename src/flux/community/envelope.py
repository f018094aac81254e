"""The only place that writes the community's error JSON.

`{"code", "message"}` and the fault's parameters beside them. Validation failures carry `errors`, as an array of
`{path, message, code}` or, with `X-Error-Format: tree`, as an object tree. OAuth2 failures carry `error` and
`error_description` (RFC 6749) too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from flux.community import faults
from flux.kernel.faults import Fault, FaultError, Mode, PortFailure
from flux.kernel.wire import Call, Kind, Problem, Trouble, WireTrouble

_CODES = {
    "missing": "REQUIRED",
    "type": "INVALID_TYPE",
    "null": "INVALID_TYPE",
    "too_short": "LENGTH_INVALID",
    "too_long": "LENGTH_INVALID",
    "too_small": "NUMBER_OUT_OF_RANGE",
    "too_large": "NUMBER_OUT_OF_RANGE",
    "multiple_of": "NUMBER_OUT_OF_RANGE",
    "pattern": "INVALID_FORMAT",
    "format": "INVALID_FORMAT",
    "choice": "INVALID_CHOICE",
}
_OAUTH = {
    "INVALID_CLIENT": "invalid_client",
    "INVALID_CLIENT_SECRET": "invalid_client",
    "INVALID_GRANT": "invalid_grant",
    "INVALID_SCOPE": "invalid_scope",
    "INVALID_REDIRECT_URI": "invalid_request",
    "UNSUPPORTED_RESPONSE_TYPE": "unsupported_response_type",
    "UNSUPPORTED_GRANT_TYPE": "unsupported_grant_type",
}
_LOCAL_PORTS = ("store", "handler")
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


def invalid(path: str, message: str, code: str) -> FaultError:
    """A validation failure of one field."""
    return faults.VALIDATION_ERROR(errors=[entry(path, message, code)])


def entry(path: str, message: str, code: str) -> dict[str, str]:
    return {"path": path, "message": message, "code": code}


class CommunityEnvelope:
    """Spells failures the community's way."""

    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        if isinstance(trouble, FaultError):
            return trouble
        if isinstance(trouble, WireTrouble):
            return _SPELLING[trouble.kind](trouble)
        if isinstance(trouble, PortFailure):
            return _of_port(trouble)
        return faults.INTERNAL_SERVER_ERROR()

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        body: dict[str, Any] = {
            "code": error.fault.code,
            "message": error.message,
            **error.params,
            **error.extra,
        }
        if "errors" in body and call.header("x-error-format") == "tree":
            body["errors"] = _tree(body["errors"])
        if (rfc := _OAUTH.get(error.fault.code)) is not None:
            body["error"] = rfc
            body["error_description"] = error.message
        headers: dict[str, str] = {}
        if "retry_after" in error.params:
            seconds = round(float(error.params["retry_after"]), 3)
            body["retry_after"] = seconds
            headers["Retry-After"] = str(max(1, math.ceil(seconds)))
            if error.fault is faults.RATE_LIMITED:
                headers["X-RateLimit-Global"] = "true" if error.params["global"] else "false"
        return msgspec.json.encode(body), headers

    def fits(self, status: int, body: bytes) -> str | None:
        try:
            told = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return f"not JSON: {error}"
        if not isinstance(told, dict):
            return "not an object"
        code, message = told.get("code"), told.get("message")
        if not isinstance(code, str) or not isinstance(message, str) or not message:
            return "code and message must be strings"
        fault = faults.community.find(f"{code}@{status}")
        if fault is None:
            return f"{code} is not declared with status {status}"
        for name, kind in fault.params.items():
            if name not in told:
                return f"{name} is missing"
            wanted = (int, float) if kind is float else dict | list if kind is list else kind
            if not isinstance(told[name], wanted):
                return f"{name} is not a {kind.__name__}"
        if code in _OAUTH and not (isinstance(told.get("error"), str) and told.get("error_description")):
            return "an OAuth2 failure without error and error_description"
        return None

    def schema(self, fault: Fault) -> dict[str, Any]:
        properties: dict[str, Any] = {"code": {"const": fault.code}, "message": {"type": "string"}}
        for name, kind in fault.params.items():
            properties[name] = {"type": _TYPES[kind]}
        if fault is faults.VALIDATION_ERROR:
            text = {"type": "string"}
            fields = {"path": text, "message": text, "code": text}
            properties["errors"]["items"] = {"type": "object", "properties": fields, "required": list(fields)}
        if fault.code in _OAUTH:
            properties |= {"error": {"const": _OAUTH[fault.code]}, "error_description": {"type": "string"}}
        return {"type": "object", "properties": properties, "required": list(properties)}


def _tree(entries: list[Mapping[str, str]]) -> dict[str, Any]:
    """`{"embeds": {"0": {"title": {"_errors": [{code, message}]}}}}`; what concerns the whole body is at the top."""
    tree: dict[str, Any] = {}
    for told in entries:
        node = tree
        for step in filter(None, told["path"].split(".")):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": told["code"], "message": told["message"]})
    return tree


def _of_port(failure: PortFailure) -> FaultError:
    if failure.mode is Mode.UNAVAILABLE:
        return faults.SERVICE_UNAVAILABLE()
    if failure.mode is Mode.TIMEOUT:
        return faults.GATEWAY_TIMEOUT()
    return faults.INTERNAL_SERVER_ERROR() if failure.port in _LOCAL_PORTS else faults.BAD_GATEWAY()


def _of_problems(trouble: WireTrouble) -> FaultError:
    return faults.VALIDATION_ERROR(errors=[_problem(problem) for problem in trouble.problems])


def _problem(problem: Problem) -> dict[str, str]:
    message = "This field is required." if problem.kind == "missing" else f"Expected {problem.expected}."
    return entry(problem.path, message, _CODES.get(problem.kind, "INVALID_FORMAT"))


def _whole(code: str, message: str) -> Callable[[WireTrouble], FaultError]:
    """A validation failure that concerns the whole body."""
    return lambda trouble: invalid(
        "", message.format(subject=trouble.subject[:100], limit=trouble.limit), code
    )


def _sized(fault: Fault) -> Callable[[WireTrouble], FaultError]:
    return lambda trouble: fault(max_size=int(trouble.limit or 0))


def _bad_json(trouble: WireTrouble) -> FaultError:
    where = "" if trouble.position is None else f" at byte {trouble.position}"
    return invalid("", f"The body is not valid JSON{where}.", "INVALID_JSON")


def _wrong_method(trouble: WireTrouble) -> FaultError:
    return faults.METHOD_NOT_ALLOWED(headers={"Allow": ", ".join(trouble.allowed)})


_SPELLING: dict[Kind, Callable[[WireTrouble], FaultError]] = {
    Kind.UNKNOWN_ROUTE: lambda trouble: faults.NOT_FOUND(),
    Kind.WRONG_METHOD: _wrong_method,
    Kind.INVALID_VALUES: _of_problems,
    Kind.MALFORMED_JSON: _bad_json,
    Kind.BAD_UTF8: _whole("INVALID_ENCODING", "The request is not valid UTF-8."),
    Kind.DUPLICATE_KEY: _whole("DUPLICATE_KEY", "The key {subject} occurs twice."),
    Kind.NUL_CHARACTER: _whole("INVALID_CHARACTER", "NUL characters are not allowed."),
    Kind.TOO_DEEP: _whole("TOO_DEEP", "The body is nested deeper than {limit} levels."),
    Kind.NOT_AN_OBJECT: _whole("INVALID_TYPE", "The body must be a JSON object."),
    Kind.CONTENT_TYPE: _whole("INVALID_CONTENT_TYPE", "This route does not read {subject}."),
    Kind.BODY_TOO_LARGE: _sized(faults.REQUEST_BODY_TOO_LARGE),
    Kind.BODY_TOO_SLOW: lambda trouble: faults.REQUEST_TIMEOUT(),
    Kind.REQUEST_TIMEOUT: lambda trouble: faults.GATEWAY_TIMEOUT(),
    Kind.HEADERS_TOO_LARGE: _sized(faults.HEADERS_TOO_LARGE),
    Kind.URL_TOO_LONG: _sized(faults.URI_TOO_LONG),
    Kind.UPGRADE_REFUSED: lambda trouble: faults.NOT_FOUND(),
    Kind.BAD_REQUEST: _whole("INVALID_HTTP", "The request is not valid HTTP."),
    Kind.SIMULATION_REFUSED: lambda trouble: faults.SIMULATION_REFUSED(),
    Kind.MAINTENANCE: lambda trouble: faults.SERVICE_UNAVAILABLE(),
    Kind.DRAINING: lambda trouble: faults.SERVICE_UNAVAILABLE(),
}
