"""Log lines: structured, tied to their request, and without secrets.

    configure_logging("info", "json")     once, at start
    in_request(call)                      by the wire, for each request: every later line of its task carries it
    guard(admin_token)                    a secret known at start, hidden wherever it turns up

A line has time, level, logger, message, and where known request_id, plane and route; whatever a caller passes as
`extra` comes along. Redaction happens before a formatter sees the record, so no format can leak.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

import msgspec

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
FORMATS = ("json", "text")
HIDDEN = "[redacted]"
MAX_CHARS = 16_384
"""Longer texts are cut: a hostile value must not fill the disk or hold up the loop."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class Context(Protocol):
    """What a line wants to know about its request; a `wire.Call` is one."""

    @property
    def request_id(self) -> str: ...
    @property
    def plane(self) -> _Named: ...
    @property
    def route(self) -> _Named | None: ...


_request: ContextVar[Context | None] = ContextVar("flux_request", default=None)


def in_request(call: Context | None) -> None:
    """Lines written by this task, and by tasks and threads it starts, belong to `call` from here on."""
    _request.set(call)


def configure_logging(level: str = "info", format: str = "text", stream: TextIO | None = None) -> None:
    """One handler on the root; libraries keep no handlers of their own. Raises ValueError for an unknown word."""
    if level not in LEVELS:
        raise ValueError(f"log level {level!r} is none of {', '.join(LEVELS)}")
    if format not in FORMATS:
        raise ValueError(f"log format {format!r} is none of {', '.join(FORMATS)}")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Redaction())
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "nats"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


# --- secrets -------------------------------------------------------------------------------------------------

_WORDS = (
    r"token|secret|passw(?:or)?d|passphrase|signature|authorization|api[_-]?key|private[_-]?key|mnemonic"
    r"|credential|x-payment(?!-)"
)
_SCHEMES = r"Bearer|Bot|Basic|Admin|Simple|Secure|Digest"
_SECRET_NAME = re.compile(rf"{_WORDS}|cookie", re.IGNORECASE)
# The name of the value, however it is written: key=value, "key": "value", ('key', b'value').
_KEYED = re.compile(
    rf"((?:{_WORDS})[\w.-]{{0,40}}(?:[\"']?\s{{0,4}}[:=]\s{{0,4}}|[\"'],\s{{0,4}})(?:b(?=[\"']))?)"
    rf"(\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|(?:(?:{_SCHEMES})\s{{1,4}})?[^\s,;&}}\])]+)",
    re.IGNORECASE,
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(cookie[\"']?(?:\s{0,4}[:=]|,)\s{0,4}b?[\"']?)[^\r\n\"']+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (_KEYED, rf"\1{HIDDEN}"),
    (re.compile(rf"\b({_SCHEMES})(\s+)[\w.~+/=:-]{{20,}}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\b0x[0-9a-fA-F]{128,}"), HIDDEN),
    (re.compile(r"(\b\w{2,20}://[^/\s:@]{0,256}:)[^@\s/]{1,256}(?=@)"), rf"\1{HIDDEN}"),
    (re.compile(r"(/webhooks/\d{1,20}/)[^/\s?\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"([?&]code=)[^\s&\"']+"), rf"\1{HIDDEN}"),
)
_guarded: set[str] = set()


def guard(secret: str) -> None:
    """Hide this very value from now on. Short values are refused: they would blank half the log."""
    if len(secret) >= 8:
        _guarded.add(secret)


def redact(text: str) -> str:
    """`text` with everything that looks like a secret, or is a guarded one, replaced; at most `MAX_CHARS` long."""
    if len(text) > MAX_CHARS:
        text = f"{text[:MAX_CHARS]}… ({len(text)} characters)"
    for secret in _guarded:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
    "fields",
}


class Redaction(logging.Filter):
    """Rewrites the record before any formatter: message, traceback and extras, without their secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg!r} with arguments that do not fit"
        record.msg, record.args = redact(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        record.fields = _fields(record)
        return True


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """request_id, plane and route first, then whatever the caller gave as `extra`."""
    fields: dict[str, Any] = {}
    call = _request.get()
    if call is not None:
        fields["request_id"], fields["plane"] = call.request_id, call.plane.name
        if call.route is not None:
            fields["route"] = call.route.name
    for name, value in vars(record).items():
        if name in _STANDARD or value is None:
            continue
        if _SECRET_NAME.search(name):
            fields[name] = HIDDEN
        else:
            fields[name] = value if isinstance(value, (bool, int, float)) else redact(str(value))
    return fields


# --- lines ---------------------------------------------------------------------------------------------------


def _time(record: logging.LogRecord) -> str:
    when = datetime.fromtimestamp(record.created, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the request's fields, and `trace` for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(
            {name: value for name, value in getattr(record, "fields", {}).items() if name not in line}
        )
        if record.exc_text:
            line["trace"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info
        return _encode(line)


def _encode(line: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(line).decode()
    except (TypeError, ValueError, UnicodeEncodeError):
        # A lone surrogate or a NaN: shown as its repr rather than losing the line.
        return msgspec.json.encode({name: ascii(value) for name, value in line.items()}).decode()


class TextLines(logging.Formatter):
    """For people: `time LEVEL logger: message  name=value …`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f"  {name}={_word(value)}" for name, value in getattr(record, "fields", {}).items())
        line = (
            f"{_time(record)} {record.levelname:<7} {record.name}: {_one_line(record.getMessage())}{fields}"
        )
        for block in (record.exc_text, record.stack_info):
            if block:
                line += "".join(f"\n    {_one_line(part)}" for part in block.split("\n"))
        return line


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _one_line(text: str) -> str:
    """Nobody writes a second line, or moves the cursor, through a value."""
    return _CONTROL.sub(lambda match: repr(match.group())[1:-1], text)


def _word(value: Any) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if " " in text else text
