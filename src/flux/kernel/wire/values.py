"""Validation: msgspec decides on the hot path; when it says no, `explain` finds every problem with its path.

msgspec stops at the first error and words it for developers. Clients need all of them, in field order, with stable
kinds, so the refused value is walked once more against the same type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import inspect as types

from flux.kernel.wire.troubles import Problem

T = TypeVar("T")
Where = Literal["body", "query", "path", "header"]
_PATH = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class Snowflake(int):
    """A 64-bit identifier: `"123"` or `123` on the way in, `"123"` on the way out."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Snowflake:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        else:
            raise ValueError("a snowflake: a decimal string of at most 64 bits")
        if not 0 <= number < 1 << 63:
            raise ValueError("a snowflake: a decimal string of at most 64 bits")
        return cls(number)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,19}$", "description": "Snowflake"}


class Body(Generic[T]):
    """A JSON body that the handler decodes itself, after the checks that come first: `await body.read()`."""

    __slots__ = ("read",)

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read: Callable[[], Any] = read
        """Coroutine function without arguments, returning the decoded `T`. Raises `WireTrouble`."""


def decode_hook(kind: type, value: Any) -> Any:
    """Custom types decode themselves through `from_wire(value)`, which raises ValueError."""
    convert = getattr(kind, "from_wire", None)
    if convert is None:
        raise NotImplementedError(f"{kind!r} has no from_wire")
    return convert(value)


def encode_hook(value: Any) -> Any:
    if isinstance(value, Snowflake):
        return str(int(value))
    to_wire = getattr(value, "to_wire", None)
    if to_wire is None:
        raise NotImplementedError(f"{type(value)!r} has no to_wire")
    return to_wire()


encoder = msgspec.json.Encoder(enc_hook=encode_hook)


@cache
def _info(kind: Any) -> types.Type:
    return types.type_info(kind)


def explain(kind: Any, value: Any, where: Where, error: Exception | None = None) -> list[Problem]:
    """Every problem of `value` (plain decoded JSON) against `kind`; never empty: where the walk finds nothing, what
    msgspec said stands in."""
    found = list(_walk(_info(kind), value, "", where))
    return found or [_from_msgspec(error, where)]


def _from_msgspec(error: Exception | None, where: Where) -> Problem:
    text = str(error or "invalid value")
    match = _PATH.search(text)
    steps = [name or index for name, index in _STEP.findall(match.group(1))] if match else []
    return Problem(where, ".".join(steps), "format", _PATH.sub("", text))


def _walk(info: types.Type, value: Any, path: str, where: Where) -> Iterator[Problem]:
    if isinstance(info, types.Metadata):
        info = info.type
    if isinstance(info, types.UnionType):
        yield from _walk_union(info, value, path, where)
    elif isinstance(info, types.StructType):
        yield from _walk_struct(info, value, path, where)
    elif isinstance(info, (types.ListType, types.SetType, types.VarTupleType)):
        yield from _walk_list(info, value, path, where)
    elif isinstance(info, types.DictType):
        if not isinstance(value, dict):
            yield _mismatch(info, value, path, where)
        else:
            for key, item in value.items():
                yield from _walk(info.value_type, item, _join(path, key), where)
    else:
        problem = _leaf(info, value, path, where)
        if problem is not None:
            yield problem


def _walk_struct(info: types.StructType, value: Any, path: str, where: Where) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _mismatch(info, value, path, where)
        return
    for entry in info.fields:
        at = _join(path, entry.encode_name)
        if entry.encode_name in value:
            yield from _walk(entry.type, value[entry.encode_name], at, where)
        elif entry.required:
            yield Problem(where, at, "missing", "a value")


def _walk_list(info: Any, value: Any, path: str, where: Where) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _mismatch(info, value, path, where)
        return
    if info.min_length is not None and len(value) < info.min_length:
        yield Problem(
            where, path, "too_short", f"at least {info.min_length} items", len(value), info.min_length
        )
    if info.max_length is not None and len(value) > info.max_length:
        yield Problem(
            where, path, "too_long", f"at most {info.max_length} items", len(value), info.max_length
        )
    for index, item in enumerate(value):
        yield from _walk(info.item_type, item, _join(path, str(index)), where)


def _walk_union(info: types.UnionType, value: Any, path: str, where: Where) -> Iterator[Problem]:
    members = [part.type if isinstance(part, types.Metadata) else part for part in info.types]
    best: list[Problem] | None = None
    for member in members:
        problems = list(_walk(member, value, path, where))
        if not problems:
            return
        if any(problem.path != path or problem.kind not in ("type", "null") for problem in problems):
            best = problems
    if best is not None:
        yield from best
    else:
        yield Problem(
            where,
            path,
            "null" if value is None else "type",
            " or ".join(_name(part) for part in members),
            value,
        )


def _leaf(info: types.Type, value: Any, path: str, where: Where) -> Problem | None:
    if isinstance(info, (types.AnyType, types.RawType)):
        return None
    if isinstance(info, types.CustomType):
        return _custom(info, value, path, where)
    if isinstance(info, (types.LiteralType, types.EnumType)):
        choices = (
            list(info.values)
            if isinstance(info, types.LiteralType)
            else [member.value for member in info.cls]
        )
        if value in choices and type(value) in {type(choice) for choice in choices}:
            return None
        return Problem(
            where,
            path,
            "null" if value is None else "choice",
            f"one of {', '.join(map(str, choices))}",
            value,
            choices,
        )
    if isinstance(info, types.StrType):
        return _text(info, value, path, where)
    if isinstance(info, (types.IntType, types.FloatType)):
        return _number(info, value, path, where)
    if isinstance(info, types.BoolType):
        return None if isinstance(value, bool) else _mismatch(info, value, path, where)
    if isinstance(info, types.NoneType):
        return None if value is None else _mismatch(info, value, path, where)
    try:
        msgspec.convert(value, _PLAIN[type(info)])
    except (msgspec.ValidationError, KeyError):
        return Problem(where, path, "null" if value is None else "format", _name(info), value)
    return None


def _custom(info: types.CustomType, value: Any, path: str, where: Where) -> Problem | None:
    try:
        decode_hook(info.cls, value)
    except ValueError as error:
        return Problem(where, path, "null" if value is None else "format", str(error), value)
    return None


def _text(info: types.StrType, value: Any, path: str, where: Where) -> Problem | None:
    if not isinstance(value, str):
        return _mismatch(info, value, path, where)
    if info.min_length is not None and len(value) < info.min_length:
        return Problem(
            where, path, "too_short", f"at least {info.min_length} characters", value, info.min_length
        )
    if info.max_length is not None and len(value) > info.max_length:
        return Problem(
            where, path, "too_long", f"at most {info.max_length} characters", value, info.max_length
        )
    if info.pattern is not None and not re.search(info.pattern, value):
        return Problem(where, path, "pattern", f"text that matches {info.pattern}", value, info.pattern)
    return None


def _number(info: types.IntType | types.FloatType, value: Any, path: str, where: Where) -> Problem | None:
    whole = isinstance(info, types.IntType)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (whole and value != int(value)):
        return _mismatch(info, value, path, where)
    low = info.ge if info.ge is not None else info.gt
    high = info.le if info.le is not None else info.lt
    if low is not None and (value < low or (info.ge is None and value == low)):
        return Problem(
            where,
            path,
            "too_small",
            f"{'at least' if info.ge is not None else 'more than'} {low}",
            value,
            low,
        )
    if high is not None and (value > high or (info.le is None and value == high)):
        return Problem(
            where,
            path,
            "too_large",
            f"{'at most' if info.le is not None else 'less than'} {high}",
            value,
            high,
        )
    if info.multiple_of is not None and value % info.multiple_of:
        return Problem(
            where, path, "multiple_of", f"a multiple of {info.multiple_of}", value, info.multiple_of
        )
    return None


def _mismatch(info: types.Type, value: Any, path: str, where: Where) -> Problem:
    return Problem(where, path, "null" if value is None else "type", _name(info), value)


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step


def _name(info: types.Type) -> str:
    for kinds, name in _NAMES:
        if isinstance(info, kinds):
            return name
    return type(info).__name__.removesuffix("Type").lower()


_NAMES: tuple[tuple[Any, str], ...] = (
    (types.StructType, "an object"),
    (types.DictType, "an object"),
    ((types.ListType, types.SetType, types.VarTupleType), "an array"),
    (types.StrType, "a string"),
    (types.IntType, "an integer"),
    (types.FloatType, "a number"),
    (types.BoolType, "a boolean"),
    (types.NoneType, "null"),
    (types.DateTimeType, "an RFC 3339 date and time"),
    (types.DateType, "a date (YYYY-MM-DD)"),
    (types.TimeType, "a time"),
    (types.UUIDType, "a UUID"),
)
_PLAIN: dict[type, Any] = {}


def _plain() -> None:
    import datetime
    import decimal
    import uuid

    _PLAIN.update(
        {
            types.DateTimeType: datetime.datetime,
            types.DateType: datetime.date,
            types.TimeType: datetime.time,
            types.UUIDType: uuid.UUID,
            types.DecimalType: decimal.Decimal,
            types.BytesType: bytes,
        }
    )


_plain()
