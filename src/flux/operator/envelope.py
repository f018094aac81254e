"""How the operator surface spells a failure: `{"code", "message", "details"}`, and nothing else writes one.

`details` is always an object: `{"problems": [{where, path, kind, expected}]}` with INVALID_REQUEST, empty
otherwise. NOT_READY carries the report of `/ready` beside them: `status` and `checks`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from flux.kernel.faults import Fault, FaultError, Mode, PortFailure
from flux.kernel.wire import Call, Kind, Problem, Trouble, WireTrouble
from flux.operator import faults

RETRY_SECONDS = 5
MAX_SHOWN = 200
"""Characters of a value from outside that come back in an answer."""


def invalid(problems: list[Problem]) -> FaultError:
    """INVALID_REQUEST for these values; at least one. The message names the first, `details.problems` all."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    subject = first.path or first.where
    reason = f"{subject[:MAX_SHOWN]}: expected {first.expected[:MAX_SHOWN]}{more}"
    return faults.INVALID_REQUEST(
        reason=reason, detail={"problems": [_shown(problem) for problem in problems]}
    )


def _shown(problem: Problem) -> dict[str, Any]:
    return {
        "where": problem.where,
        "path": problem.path[:MAX_SHOWN],
        "kind": problem.kind,
        "expected": problem.expected[:MAX_SHOWN],
    }


class OperatorEnvelope:
    """Implements `flux.kernel.wire.Envelope`."""

    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        if isinstance(trouble, WireTrouble):
            return _SPELLING[trouble.kind](trouble, call)
        if isinstance(trouble, PortFailure) and trouble.mode in (Mode.UNAVAILABLE, Mode.TIMEOUT):
            return faults.SERVICE_UNAVAILABLE(retry_after=RETRY_SECONDS)
        return faults.INTERNAL_ERROR()

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        body = {"code": error.fault.code, "message": error.message, "details": error.detail or {}}
        return msgspec.json.encode({**body, **error.extra}), {}

    def fits(self, status: int, body: bytes) -> str | None:
        try:
            told = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            return f"not JSON: {error}"
        if not isinstance(told, dict):
            return "not an object"
        if not isinstance(told.get("message"), str):
            return "message is not a string"
        if not isinstance(told.get("details"), dict):
            return "details is not an object"
        code = told.get("code")
        if not isinstance(code, str) or faults.operator.find(f"{code}@{status}") is None:
            return f"{code} is not declared with status {status}"
        if code == faults.INVALID_REQUEST.code and not isinstance(told["details"].get("problems", []), list):
            return "details.problems is not an array"
        return None

    def schema(self, fault: Fault) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "code": {"const": fault.code},
            "message": {"type": "string"},
            "details": {"type": "object"},
        }
        required = list(properties)
        if fault is faults.INVALID_REQUEST:
            text = {"type": "string"}
            entry = {"where": text, "path": text, "kind": text, "expected": text}
            problem = {"type": "object", "properties": entry, "required": list(entry)}
            properties["details"]["properties"] = {"problems": {"type": "array", "items": problem}}
        if fault is faults.NOT_READY:
            properties["status"] = {"const": "unavailable"}
            properties["checks"] = {"type": "object"}
        return {"type": "object", "properties": properties, "required": required}


Spelling = Callable[[WireTrouble, Call], FaultError]


def _where(call: Call) -> Literal["body", "query", "path"]:
    """The part of the request that cannot be read: bodies are read last, and only where there is one."""
    if call.route is None:
        return "path"
    return "query" if call.method in ("GET", "HEAD", "DELETE") else "body"


def _unread(kind: str, expected: str) -> Spelling:
    """Something that fails as a whole, before there are values."""

    def spell(trouble: WireTrouble, call: Call) -> FaultError:
        at = "" if trouble.position is None else f" (byte {trouble.position})"
        limit = "" if trouble.limit is None else f"{trouble.limit:g}"
        text = expected.format(subject=trouble.subject[:100], limit=limit) + at
        return invalid([Problem(_where(call), "", kind, text)])

    return spell


def _plain(fault: Fault) -> Spelling:
    return lambda trouble, call: fault()


def _come_back(trouble: WireTrouble, call: Call) -> FaultError:
    return faults.SERVICE_UNAVAILABLE(retry_after=RETRY_SECONDS)


def _not_http(trouble: WireTrouble, call: Call) -> FaultError:
    return invalid([Problem("header", "", "format", "a valid HTTP request")])


_SPELLING: dict[Kind, Spelling] = {
    Kind.UNKNOWN_ROUTE: _plain(faults.NOT_FOUND),
    Kind.UPGRADE_REFUSED: _plain(faults.NOT_FOUND),
    Kind.WRONG_METHOD: lambda trouble, call: faults.METHOD_NOT_ALLOWED(allowed=", ".join(trouble.allowed)),
    Kind.INVALID_VALUES: lambda trouble, call: invalid(trouble.problems),
    Kind.MALFORMED_JSON: _unread("format", "a JSON document"),
    Kind.BAD_UTF8: _unread("format", "valid UTF-8"),
    Kind.DUPLICATE_KEY: _unread("format", "each key once, but {subject} is repeated"),
    Kind.NUL_CHARACTER: _unread("format", "no NUL characters"),
    Kind.TOO_DEEP: _unread("too_long", "at most {limit} levels of nesting"),
    Kind.NOT_AN_OBJECT: _unread("type", "an object"),
    Kind.BAD_REQUEST: _not_http,
    Kind.CONTENT_TYPE: _plain(faults.UNSUPPORTED_MEDIA_TYPE),
    Kind.BODY_TOO_LARGE: lambda trouble, call: faults.REQUEST_TOO_LARGE(limit=int(trouble.limit or 0)),
    Kind.BODY_TOO_SLOW: _plain(faults.REQUEST_TIMEOUT),
    Kind.REQUEST_TIMEOUT: _plain(faults.REQUEST_TIMEOUT),
    Kind.HEADERS_TOO_LARGE: _plain(faults.HEADERS_TOO_LARGE),
    Kind.URL_TOO_LONG: _plain(faults.URL_TOO_LONG),
    Kind.SIMULATION_REFUSED: _plain(faults.SIMULATION_REFUSED),
    Kind.MAINTENANCE: _come_back,
    Kind.DRAINING: _come_back,
}
