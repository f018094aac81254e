"""Validation: msgspec decides on the hot path; when it says no, `explain` finds every problem with its path.

msgspec stops at the first error and words it for developers. Clients need all of them, in field order, with stable
kinds, so the refused value is walked once more against the same type.
"""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Callable
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


Check = Callable[[Any], list[Problem] | None]
"""Every problem of a value; None where it fits. Paths grow on the way back, so that what fits costs no text."""


@cache
def _check_of(kind: Any) -> Check:
    return _compile(types.type_info(kind))


def explain(kind: Any, value: Any, where: Where, error: Exception | None = None) -> list[Problem]:
    """Every problem of `value` (plain decoded JSON) against `kind`; never empty: where the walk finds nothing, what
    msgspec said stands in."""
    found = _check_of(kind)(value)
    if found is None:
        return [_from_msgspec(error, where)]
    if where != "body":
        for problem in found:
            problem.where = where
    return found


def _from_msgspec(error: Exception | None, where: Where) -> Problem:
    text = str(error or "invalid value")
    match = _PATH.search(text)
    steps = [name or index for name, index in _STEP.findall(match.group(1))] if match else []
    return Problem(where, ".".join(steps), "format", _PATH.sub("", text))


def _compile(info: types.Type) -> Check:
    if isinstance(info, types.Metadata):
        return _compile(info.type)
    for kinds, build in _BUILDERS:
        if isinstance(info, kinds):
            return build(info)
    return _other(info)


def _struct(info: types.StructType) -> Check:
    fields: list[tuple[str, bool, Check]] = []

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, dict):
            return _mismatch("an object", value)
        out: list[Problem] | None = None
        for name, required, inner in fields or prepare():
            if name in value:
                found = inner(value[name])
                if found is not None:
                    out = _below(name, found, out)
            elif required:
                out = _below(name, [Problem("body", "", "missing", "a value")], out)
        return out

    def prepare() -> list[tuple[str, bool, Check]]:
        # On first use and not before: a struct may contain itself.
        fields.extend((entry.encode_name, entry.required, _compile(entry.type)) for entry in info.fields)
        return fields

    return check


def _below(step: str, found: list[Problem], out: list[Problem] | None) -> list[Problem]:
    """`out`, and what was found one step further down."""
    for problem in found:
        problem.path = f"{step}.{problem.path}" if problem.path else step
    if out is None:
        return found
    out.extend(found)
    return out


def _list(info: Any) -> Check:
    inner = _compile(info.item_type)
    low, high = info.min_length, info.max_length

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, list):
            return _mismatch("an array", value)
        out: list[Problem] | None = None
        if low is not None and len(value) < low:
            out = [Problem("body", "", "too_short", f"at least {low} items", len(value), low)]
        elif high is not None and len(value) > high:
            out = [Problem("body", "", "too_long", f"at most {high} items", len(value), high)]
        for index, item in enumerate(value):
            found = inner(item)
            if found is not None:
                out = _below(str(index), found, out)
        return out

    return check


def _dict(info: types.DictType) -> Check:
    inner = _compile(info.value_type)

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, dict):
            return _mismatch("an object", value)
        out: list[Problem] | None = None
        for key, item in value.items():
            found = inner(item)
            if found is not None:
                out = _below(key, found, out)
        return out

    return check


def _union(info: types.UnionType) -> Check:
    """The member that gets furthest into the value tells its problems; otherwise the type is wrong."""
    members = [_compile(part) for part in info.types]
    names = " or ".join(_name(part) for part in info.types)

    def check(value: Any) -> list[Problem] | None:
        best: list[Problem] | None = None
        for member in members:
            found = member(value)
            if found is None:
                return None
            if any(one.path or one.kind not in ("type", "null") for one in found):
                best = found
        return best or _mismatch(names, value)

    return check


def _custom(info: types.CustomType) -> Check:
    def check(value: Any) -> list[Problem] | None:
        try:
            decode_hook(info.cls, value)
        except ValueError as error:
            return _wrong("format", str(error), value)
        return None

    return check


def _choice(info: types.LiteralType | types.EnumType) -> Check:
    choices = (
        list(info.values) if isinstance(info, types.LiteralType) else [member.value for member in info.cls]
    )
    kinds = {type(choice) for choice in choices}
    expected = f"one of {', '.join(map(str, choices))}"

    def check(value: Any) -> list[Problem] | None:
        if value in choices and type(value) in kinds:
            return None
        return _wrong("choice", expected, value, choices)

    return check


def _text(info: types.StrType) -> Check:
    low, high, pattern = info.min_length, info.max_length, info.pattern
    matches = re.compile(pattern).search if pattern is not None else None
    longer, shorter = f"at least {low} characters", f"at most {high} characters"

    def check(value: Any) -> list[Problem] | None:
        if not isinstance(value, str):
            return _mismatch("a string", value)
        if low is not None and len(value) < low:
            return [Problem("body", "", "too_short", longer, value, low)]
        if high is not None and len(value) > high:
            return [Problem("body", "", "too_long", shorter, value, high)]
        if matches is not None and not matches(value):
            return [Problem("body", "", "pattern", f"text that matches {pattern}", value, pattern)]
        return None

    return check


def _number(info: types.IntType | types.FloatType) -> Check:
    whole = isinstance(info, types.IntType)
    open_low, open_high = info.ge is None, info.le is None
    low = info.gt if open_low else info.ge
    high = info.lt if open_high else info.le
    step = info.multiple_of

    def check(value: Any) -> list[Problem] | None:
        if type(value) is not int and (type(value) is not float or (whole and not value.is_integer())):
            return _mismatch("an integer" if whole else "a number", value)
        if low is not None and (value < low or (open_low and value == low)):
            return [
                Problem(
                    "body", "", "too_small", f"{'more than' if open_low else 'at least'} {low}", value, low
                )
            ]
        if high is not None and (value > high or (open_high and value == high)):
            return [
                Problem(
                    "body", "", "too_large", f"{'less than' if open_high else 'at most'} {high}", value, high
                )
            ]
        if step is not None and value % step:
            return [Problem("body", "", "multiple_of", f"a multiple of {step}", value, step)]
        return None

    return check


def _anything(info: types.Type) -> Check:
    return lambda value: None


def _other(info: types.Type) -> Check:
    """Dates, UUIDs and the like: whatever msgspec converts from a string."""
    plain, name = _PLAIN.get(type(info)), _name(info)

    def check(value: Any) -> list[Problem] | None:
        try:
            msgspec.convert(value, plain)
        except msgspec.ValidationError:
            return _wrong("format", name, value)
        return None

    return check


def _boolean(info: types.Type) -> Check:
    return lambda value: None if isinstance(value, bool) else _mismatch("a boolean", value)


def _null(info: types.Type) -> Check:
    return lambda value: None if value is None else _mismatch("null", value)


def _mismatch(expected: str, value: Any) -> list[Problem]:
    return _wrong("type", expected, value)


def _wrong(kind: str, expected: str, value: Any, bound: Any = None) -> list[Problem]:
    """`null` is told as such, whatever was wanted."""
    return [Problem("body", "", "null" if value is None else kind, expected, value, bound)]


def _name(info: types.Type) -> str:
    if isinstance(info, types.Metadata):
        return _name(info.type)
    for kinds, name in _NAMES:
        if isinstance(info, kinds):
            return name
    return type(info).__name__.removesuffix("Type").lower()


_BUILDERS: tuple[tuple[Any, Callable[[Any], Check]], ...] = (
    (types.StructType, _struct),
    ((types.ListType, types.SetType, types.VarTupleType), _list),
    (types.DictType, _dict),
    (types.UnionType, _union),
    (types.CustomType, _custom),
    ((types.LiteralType, types.EnumType), _choice),
    (types.StrType, _text),
    ((types.IntType, types.FloatType), _number),
    (types.BoolType, _boolean),
    (types.NoneType, _null),
    ((types.AnyType, types.RawType), _anything),
)
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
_PLAIN: dict[type, Any] = {
    types.DateTimeType: datetime.datetime,
    types.DateType: datetime.date,
    types.TimeType: datetime.time,
    types.UUIDType: uuid.UUID,
    types.DecimalType: decimal.Decimal,
    types.BytesType: bytes,
}
