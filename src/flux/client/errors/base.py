"""What can go wrong between a program and Flux.

    FluxError
    ├── Unreachable            no answer arrived (refused, reset, timed out)
    │   └── NoAnswerInTime
    ├── UnreadableAnswer       an answer arrived that is not in the plane's words
    ├── TargetAnswer           a paid call went through and the seller's own API answered 4xx or 5xx
    └── Refusal                the plane refused, in its own envelope
        ├── CommunityError ─── CommunityNotFound ─── UnknownChannel …
        ├── ContentError
        └── PaygateError

This module needs nothing but the standard library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal

RetryAdvice = Literal["never", "later", "after-fix"]

_DEEPEST = 200
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_LONGEST_WAIT = 1e9


def _depth(body: bytes) -> int:
    """The deepest nesting of a JSON text, brackets inside strings left out."""
    deepest = level = 0
    for byte in _STRINGS.sub(b"", body):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it came. Header names are lower case; `received_at` is unix seconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = ""
    url: str = ""
    received_at: float = 0.0

    def json(self) -> Any:
        """The decoded body. Raises ValueError when it is not JSON."""
        if self.body.count(b"[") + self.body.count(b"{") > _DEEPEST and _depth(self.body) > _DEEPEST:
            # Not left to RecursionError: libraries (py_ecc among them) raise the limit beyond what the C stack holds.
            raise ValueError("nested too deeply")
        return json.loads(self.body)

    def retry_after(self) -> float | None:
        """Seconds that `Retry-After` asks for (a number or an HTTP date), None when absent or unreadable.

        A date is measured against the server's own `Date`, so a wrong local clock does no harm.
        """
        text = self.headers.get("retry-after", "").strip()
        if not text:
            return None
        if _SECONDS.fullmatch(text):
            return min(float(text), _LONGEST_WAIT)
        moment = _http_date(text)
        if moment is None:
            return None
        sent = _http_date(self.headers.get("date", ""))
        return min(max(0.0, moment - (self.received_at if sent is None else sent)), _LONGEST_WAIT)


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def waiting_time(value: object) -> float | None:
    """A number of seconds out of a JSON body; None for anything that is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < math.inf:
        return None
    return float(min(value, _LONGEST_WAIT))


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One value of the request that was refused. `path` is dotted, as the plane wrote it."""

    path: str
    message: str
    code: str = ""
    details: str = ""


class FluxError(Exception):
    """Everything this client raises about a request. `attempts` counts how often it was sent."""

    attempts: int = 1
    retry_after: float | None = None


class Unreachable(FluxError):
    """No answer arrived. Whether the server did the work is not known."""


class NoAnswerInTime(Unreachable):
    """The timeout passed before an answer arrived."""


class AnsweredError(FluxError):
    """Something did answer; `answer` holds it as it came."""

    status: int = 0

    def __init__(self, answer: Answer, *more: object) -> None:
        super().__init__(answer, *more)
        self.answer = answer
        self.status = answer.status
        self.request_id = answer.headers.get("x-request-id")
        self.retry_after = answer.retry_after()


class UnreadableAnswer(AnsweredError):
    """An answer that is not in the plane's words: a proxy's HTML page, broken JSON, another server."""

    def __init__(self, answer: Answer, why: str = "not in the plane's error envelope") -> None:
        super().__init__(answer, why)
        self.why = why

    def __str__(self) -> str:
        start = self.answer.body[:80].decode("utf-8", "replace")
        return f"{self.status}: {self.why}: {start!r}"


class TargetAnswer(AnsweredError):
    """A paid call was relayed, and the seller's own API answered 4xx or 5xx. Not a failure of the gateway."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.call_id = answer.headers.get("x-call-id")
        self.payment_status = answer.headers.get("x-payment-status")

    def __str__(self) -> str:
        return f"the target answered {self.status} (payment {self.payment_status or 'unknown'})"


class Refusal(AnsweredError):
    """A plane's refusal, read from its envelope.

    `code` is what to branch on. `retry` is the reference's advice: `never` (change the request), `later`
    (transient), `after-fix` (cure the named condition first). `advice` is a paragraph for people. `raw` is the
    decoded body. `declared` is False when the code is unknown to this version of the client.
    """

    plane: ClassVar[str] = ""
    declared: bool = False
    code: str = ""
    retry: RetryAdvice = "never"
    rows: ClassVar[dict[tuple[str, int], type[Refusal]]] = {}
    kinds: ClassVar[dict[int, type[Refusal]]] = {}

    def __init_subclass__(
        cls,
        *,
        plane: str = "",
        kind: Iterable[int] = (),
        code: str = "",
        status: int = 0,
        retry: RetryAdvice | None = None,
        **others: Any,
    ) -> None:
        """`plane` opens a table, `kind` names the statuses whose unknown codes this class takes, `code` and
        `status` enter a row. A subclass without any of them is the user's own and enters nothing."""
        super().__init_subclass__(**others)
        if plane:
            cls.plane, cls.rows, cls.kinds = plane, {}, {}
        if retry or code:
            cls.retry = retry or "never"
        for number in kind:
            cls.kinds[number] = cls
        if code:
            cls.code, cls.status, cls.declared = code, status, True
            cls.rows[code, status] = cls

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        body = self.body_of(answer)
        self.raw: dict[str, Any] = body
        self.code = self.code_in(body) or type(self).code
        message = body.get("message")
        self.message: str = message if isinstance(message, str) else ""
        self.errors: tuple[FieldProblem, ...] = ()
        self._read(body)

    def _read(self, body: dict[str, Any]) -> None:
        """Each plane takes its own members from the envelope."""

    @staticmethod
    def body_of(answer: Answer) -> dict[str, Any]:
        """The answer's JSON object; empty when it is none."""
        try:
            body = answer.json()
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @classmethod
    def code_in(cls, body: Mapping[str, Any]) -> str:
        """The code that an envelope of this plane carries; empty when `body` is no such envelope."""
        return ""

    @classmethod
    def class_for(cls, code: str, status: int) -> type[Refusal]:
        """The class of (code, status); for a known code under another status the class of the code; for an
        unknown code the class of the status; at last the class of the plane."""
        if exact := cls.rows.get((code, status)):
            return exact
        of_code = [row for (name, _), row in cls.rows.items() if name == code]
        if len(of_code) == 1:
            return of_code[0]
        return cls.kinds.get(status, cls)

    @property
    def advice(self) -> str:
        return " ".join((type(self).__doc__ or "").split()) if self.declared else ""

    def __str__(self) -> str:
        trail = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.status} {self.code or '(no code)'}: {self.message}{trail}"


def read_problems(entries: object) -> tuple[FieldProblem, ...]:
    """Field problems out of an array of objects, whichever of the planes' names they use for the place."""
    if not isinstance(entries, list):
        return ()
    return tuple(
        FieldProblem(
            _first(entry, "path", "field", "json_path", "field_path"),
            _first(entry, "message", "blocking_reason"),
            _first(entry, "code", "type"),
            _first(entry, "details"),
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def read_problem_tree(tree: object, path: str = "", depth: int = 64) -> tuple[FieldProblem, ...]:
    """Field problems out of the object form: `{"channel_id": {"_errors": [{"code", "message"}]}}`."""
    if not isinstance(tree, dict) or not depth:
        return ()
    found: list[FieldProblem] = []
    for name, below in tree.items():
        if name == "_errors":
            found += [FieldProblem(path, problem.message, problem.code) for problem in read_problems(below)]
        else:
            found += read_problem_tree(below, f"{path}.{name}" if path else name, depth - 1)
    return tuple(found)


def _first(entry: Mapping[str, object], *names: str) -> str:
    """The first of the named members that is there, as text."""
    for name in names:
        value = entry.get(name)
        if value is not None:
            return value if isinstance(value, str) else json.dumps(value)
    return ""
