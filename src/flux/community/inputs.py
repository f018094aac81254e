"""What request bodies share.

`Input` trims its strings and drops control characters before their length counts, as the wire contract says.
`Permissions` is a 64-bit field with failure codes of its own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct
from msgspec import inspect as types

from flux.community import faults
from flux.kernel.store import iso
from flux.kernel.wire import Kind, Problem, WireTrouble

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INTEGER = re.compile(r"-?[0-9]{1,40}")
_RAW = "raw"
LONGEST = 10_000
_LAST_MS = 8_640_000_000_000_000
_YEAR_9999_MS = 253_402_300_799_999
I64 = (1 << 63) - 1

Secret = Annotated[str, Meta(max_length=LONGEST, extra={_RAW: True})]
"""Taken as sent: passwords, tokens."""
Password = Annotated[str, Meta(min_length=8, max_length=256, extra={_RAW: True})]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
WEB = r"^\s*[hH][tT][tT][pP][sS]?://\S+\s*$"
"""What an address may be that others are to follow."""
Line = Annotated[str, Meta(min_length=1, max_length=256)]


def cleaned(text: str) -> str:
    """Trimmed, without control characters."""
    return _CONTROL.sub("", text).strip()


class Input(Struct):
    """A request body or part of one. Unknown members are ignored."""

    def __post_init__(self) -> None:
        problems = None
        for name, low in _strings(type(self)):
            value = getattr(self, name)
            if not isinstance(value, str):
                continue
            if len(value) > LONGEST:
                problems = problems or []
                problems.append(Problem("body", name, "too_long", f"at most {LONGEST} characters"))
                continue
            clean = _CONTROL.sub("", value).strip()
            if len(clean) < low:
                problems = problems or []
                problems.append(Problem("body", name, "too_short", f"at least {low} characters"))
            if clean != value:
                setattr(self, name, clean)
        if problems:
            raise WireTrouble(Kind.INVALID_VALUES, problems)


@cache
def _strings(kind: type[Struct]) -> tuple[tuple[str, int], ...]:
    """(field, least length) of each string that is to be trimmed."""
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)
    return tuple(found for entry in info.fields if (found := _string(entry.name, entry.type)) is not None)


def _string(name: str, kind: types.Type) -> tuple[str, int] | None:
    if isinstance(kind, types.Metadata):
        return None if (kind.extra or {}).get(_RAW) else _string(name, kind.type)
    if isinstance(kind, types.UnionType):
        found = [part for member in kind.types if (part := _string(name, member)) is not None]
        raw = any(isinstance(part, types.Metadata) and (part.extra or {}).get(_RAW) for part in kind.types)
        return found[0] if found and not raw else None
    return (name, kind.min_length or 0) if isinstance(kind, types.StrType) else None


def identifier(text: str) -> int | None:
    """The id that a text is, where no type has seen to it; None for what no account, channel or application can have."""
    plain = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if plain and int(text) <= I64 else None


def unix_ms(when: datetime) -> int:
    """Milliseconds since 1970 of what a client named, UTC where it says nothing else; within the years that can be shown
    again."""
    aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return min(max(0, round(aware.timestamp() * 1000)), _YEAR_9999_MS)


class Moment(str):
    """A point in time: RFC 3339 text or Unix milliseconds on the way in, ISO text in UTC ever after."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Moment:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_MS:
            return cls(iso(min(value, _YEAR_9999_MS)))
        if isinstance(value, str) and len(value) <= 64:
            when = datetime.fromisoformat(value)
            when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
            if when.year >= 1970:
                return cls(iso(int(when.timestamp() * 1000)))
        raise ValueError("an RFC 3339 date and time, or milliseconds since 1970")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {
            "oneOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": _LAST_MS},
            ]
        }


class Permissions(int):
    """A permission bitfield: a JSON integer or a decimal string, at most 63 bits.

    Raises INVALID_PERMISSIONS_INTEGER or INVALID_PERMISSIONS_NEGATIVE.
    """

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Permissions:
        if isinstance(value, str) and _INTEGER.fullmatch(text := value.strip()):
            number = int(text)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        else:
            raise faults.INVALID_PERMISSIONS_INTEGER()
        if number < 0:
            raise faults.INVALID_PERMISSIONS_NEGATIVE()
        if number > I64:
            raise faults.INVALID_PERMISSIONS_INTEGER()
        return cls(number)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": "^[0-9]{1,19}$",
            "description": "Permission bits as a decimal string",
        }


def filled(struct: Struct) -> dict[str, Any]:
    """The members that are there: everything that is not UNSET. Of a body, what the client sent."""
    found = {entry: getattr(struct, entry) for entry in struct.__struct_fields__}
    return {name: value for name, value in found.items() if value is not UNSET}


def encode(value: Any) -> bytes:
    """JSON for a column: ids from the wire become plain numbers."""
    return msgspec.json.encode(value, enc_hook=int)
