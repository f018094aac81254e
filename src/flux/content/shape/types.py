"""The field types: what their values are, which meta they take, how they are searched."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from flux.content.shape.patterns import PatternRefused, compile_pattern

Family = Literal["number", "string", "text", "none"]
"""Where searchable values of the type are kept: see the projection."""

GREATEST_INTEGER = 9_007_199_254_740_991
"""2^53 - 1: what every JSON reader keeps exactly, and the index orders exactly."""
LONGEST_STRING = 255
DIMENSIONS = (256, 384, 768, 1024, 1536)
MICROSECONDS = 1_000_000

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?Z\Z", re.ASCII)
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)
_EXACT_LENGTH = len("2020-01-01T00:00:00.000000Z")
DATETIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$"


class NotThisType(Exception):
    """A value that is not of the type; `kind` is `type` (the wrong JSON type) or `format`."""

    def __init__(self, kind: Literal["type", "format"], expected: str) -> None:
        super().__init__(expected)
        self.kind = kind
        self.expected = expected


def as_string(value: Any) -> str:
    if not isinstance(value, str):
        raise NotThisType("type", "string")
    return value


def as_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotThisType("type", "integer")
    if isinstance(value, float):
        if not value.is_integer():
            raise NotThisType("type", "integer")
        return as_integer(int(value))
    if abs(value) > GREATEST_INTEGER:
        raise NotThisType("format", f"integer between -{GREATEST_INTEGER} and {GREATEST_INTEGER}")
    return value


def as_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotThisType("type", "number")
    try:
        if not math.isfinite(float(value)):
            raise NotThisType("format", "finite number")
    except OverflowError:
        raise NotThisType("format", "finite number") from None
    return value


def as_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotThisType("type", "boolean")
    return value


def day_number(value: Any) -> int:
    """A date as microseconds since 1970-01-01."""
    return _day(as_string(value))


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    """Dates come again and again: each is read to be checked, to be compared and to be indexed."""
    if not _DATE.match(text):
        raise NotThisType("format", "date (YYYY-MM-DD)")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotThisType("format", "date (YYYY-MM-DD)") from None
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400 * MICROSECONDS


def time_number(value: Any) -> int:
    """A time of day as microseconds since midnight UTC."""
    found = _TIME.match(as_string(value))
    if found is None:
        raise NotThisType("format", "time (HH:MM:SS[.SSS]Z)")
    hours, minutes, seconds = (int(found.group(part)) for part in (1, 2, 3))
    if hours > 23 or minutes > 59 or seconds > 59:
        raise NotThisType("format", "time (HH:MM:SS[.SSS]Z)")
    return (hours * 3600 + minutes * 60 + seconds) * MICROSECONDS + int((found.group(4) or "0").ljust(6, "0"))


def instant_number(value: Any) -> int:
    """A datetime as microseconds since the epoch; a bare date is its midnight UTC."""
    text = as_string(value)
    if _DATE.match(text):
        return day_number(text)
    if not _DATETIME.match(text):
        raise NotThisType("format", "datetime")
    try:
        moment = datetime.fromisoformat(_with_microseconds(text.upper()))
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise NotThisType("format", "datetime") from None
    return since // timedelta(microseconds=1)


def _with_microseconds(text: str) -> str:
    """Fractions beyond microseconds are cut: nothing here is more exact."""
    if len(text) <= _EXACT_LENGTH:
        return text
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def as_date(value: Any) -> str:
    day_number(value)
    return str(value)


def as_time(value: Any) -> str:
    time_number(value)
    return str(value)


def as_datetime(value: Any) -> str:
    if isinstance(value, str) and _DATE.match(value):
        raise NotThisType("format", "datetime")
    instant_number(value)
    return str(value)


def as_key(value: Any) -> str:
    text = as_string(value)
    if not 1 <= len(text) <= LONGEST_STRING:
        raise NotThisType("format", "resource key")
    return text


def as_keys(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise NotThisType("type", "list")
    return [as_key(one) for one in value]


def as_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotThisType("type", "object")
    return value


def as_vector(value: Any) -> list[int | float]:
    if not isinstance(value, list):
        raise NotThisType("type", "list")
    return [as_number(one) for one in value]


def as_anything(value: Any) -> Any:
    return value


def _same(value: Any) -> Any:
    return value


def _flag(value: Any) -> int:
    return 1 if as_boolean(value) else 0


@dataclass(frozen=True, slots=True)
class FieldType:
    """`read` checks one value and gives it back; `index` turns it into what the projection orders by."""

    name: str
    family: Family
    read: Callable[[Any], Any]
    index: Callable[[Any], Any] = _same
    meta: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    word: str = ""
    """How problem texts call it: `Value must be a <word>`."""

    @property
    def ordered(self) -> bool:
        return self.family in ("number", "string", "text") and self.name not in (
            "boolean",
            "reference",
            "relation",
        )


def _count(value: Any) -> int:
    number = as_integer(value)
    if number < 0:
        raise NotThisType("format", "integer of at least 0")
    return number


def _pattern(value: Any) -> str:
    text = as_string(value)
    try:
        compile_pattern(text)
    except PatternRefused as refused:
        raise NotThisType("format", str(refused)) from None
    return text


def _choices(read: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= 500:
            raise NotThisType("type", "list of 1 to 500 values")
        return [read(one) for one in value]

    return check


def _dimension(value: Any) -> int:
    if value not in DIMENSIONS or isinstance(value, bool):
        raise NotThisType("format", f"one of {', '.join(map(str, DIMENSIONS))}")
    return int(value)


def _component_key(value: Any) -> str:
    text = as_string(value)
    if not 6 <= len(text) <= 36:
        raise NotThisType("format", "key of 6 to 36 characters")
    return text


_LENGTHS = {"min_length": _count, "max_length": _count}
_ALL = (
    FieldType(
        "string",
        "string",
        as_string,
        meta={**_LENGTHS, "pattern": _pattern, "enum": _choices(as_string)},
        word="string",
    ),
    FieldType("text", "text", as_string, meta=_LENGTHS, word="string"),
    FieldType(
        "integer",
        "number",
        as_integer,
        meta={"minimum": as_integer, "maximum": as_integer, "enum": _choices(as_integer)},
        word="number",
    ),
    FieldType(
        "number",
        "number",
        as_number,
        meta={"minimum": as_number, "maximum": as_number, "enum": _choices(as_number)},
        word="number",
    ),
    FieldType("boolean", "number", as_boolean, _flag, word="boolean"),
    FieldType(
        "date", "number", as_date, day_number, meta={"minimum": as_date, "maximum": as_date}, word="string"
    ),
    FieldType(
        "time", "number", as_time, time_number, meta={"minimum": as_time, "maximum": as_time}, word="string"
    ),
    FieldType(
        "datetime",
        "number",
        as_datetime,
        instant_number,
        meta={"minimum": as_datetime, "maximum": as_datetime},
        word="string",
    ),
    FieldType("reference", "string", as_key, meta={"folder": as_key}, word="string"),
    FieldType(
        "relation",
        "string",
        as_keys,
        meta={"folder": as_key, "min_items": _count, "max_items": _count},
        word="list",
    ),
    FieldType(
        "nested",
        "none",
        as_object,
        meta={"component": _component_key, "component_version": _component_key, "auto_update": as_boolean},
        word="object",
    ),
    FieldType("object", "none", as_object, word="object"),
    FieldType("vector", "none", as_vector, meta={"dimensions": _dimension}, word="list"),
    FieldType("json", "none", as_anything),
)
TYPES: dict[str, FieldType] = {one.name: one for one in _ALL}
