"""The operators of `where`: which fields take them, and what their operands are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flux.content.shape.fields import Field
from flux.content.shape.types import TYPES, FieldType, NotThisType, as_string
from flux.content.texts import folded

Operand = Literal["one", "many", "pair", "flag"]
STRINGS = frozenset({"string", "text"})
ORDERED = frozenset({"string", "text", "integer", "number", "date", "time", "datetime"})
EQUAL = ORDERED | {"boolean", "reference", "relation"}


@dataclass(frozen=True, slots=True)
class Operator:
    """`base` is the comparison that is made; `negated` reverses it, `folds` ignores case."""

    name: str
    base: str
    types: frozenset[str]
    operand: Operand = "one"
    negated: bool = False
    folds: bool = False


_ALL = (
    Operator("eq", "eq", EQUAL),
    Operator("ieq", "eq", STRINGS, folds=True),
    Operator("gt", "gt", ORDERED),
    Operator("gte", "gte", ORDERED),
    Operator("lt", "lt", ORDERED),
    Operator("lte", "lte", ORDERED),
    Operator("in", "in", EQUAL, "many"),
    Operator("iin", "in", STRINGS, "many", folds=True),
    Operator("between", "between", ORDERED, "pair"),
    Operator("contains", "contains", STRINGS | {"relation"}),
    Operator("icontains", "contains", STRINGS, folds=True),
    Operator("startswith", "startswith", STRINGS),
    Operator("istartswith", "startswith", STRINGS, folds=True),
    Operator("endswith", "endswith", STRINGS),
    Operator("iendswith", "endswith", STRINGS, folds=True),
    Operator("ne", "eq", EQUAL, negated=True),
    Operator("ine", "eq", STRINGS, negated=True, folds=True),
    Operator("nin", "in", EQUAL, "many", negated=True),
    Operator("isnull", "isnull", EQUAL, "flag"),
)
OPERATORS = {one.name: one for one in _ALL}
ALIASES = {"not_in": "nin", "neq": "ne", "is_null": "isnull"}
EXISTS = Operator("exists", "isnull", EQUAL, "flag", negated=True)


def operator(name: str) -> Operator | None:
    if name == "exists":
        return EXISTS
    return OPERATORS.get(ALIASES.get(name, name))


class OperandRefused(Exception):
    """`message` and `details` as they stand in the validation detail."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(details)
        self.message = message
        self.details = details


_KINDS = {**TYPES, "relation": TYPES["reference"]}
"""What one value of a field is compared as."""


def applies(one: Operator, field: Field, *, many: bool) -> bool:
    """`contains` on a field with several values asks for an element, so it takes every element type."""
    if one.base == "contains" and not one.folds and many:
        return field.type in EQUAL
    return field.type in one.types


def operand(one: Operator, field: Field, value: Any) -> Any:
    """The operand as the index has it: numbers for numbers and times, folded text where case is ignored."""
    if value is None:
        raise OperandRefused("Invalid type", "This field is required")
    kind = _KINDS[field.type]
    if one.operand == "flag":
        return flag(value)
    if one.operand == "one":
        return _single(one, kind, value)
    values = [_single(one, kind, each) for each in _listed(value)]
    if one.operand == "pair":
        if len(values) != 2:
            raise OperandRefused("Invalid value", "Exactly two values are required")
        if values[0] > values[1]:
            raise OperandRefused("Invalid value", "The first value must not be greater than the second")
    return values


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise OperandRefused("Invalid type", "Value must be a boolean")
    return value


def _listed(value: Any) -> list[Any]:
    """A list, or a string of comma-separated values."""
    if isinstance(value, str):
        return list(split_commas(value))
    if not isinstance(value, list):
        raise OperandRefused("Invalid type", "Value must be a list")
    return value


def _single(one: Operator, kind: FieldType, value: Any) -> Any:
    if kind.read is as_string and type(value) is str:
        # Most operands by far.
        return folded(value) if one.folds else value
    if value is None:
        raise OperandRefused("Invalid type", "This field is required")
    if kind.name == "datetime" and isinstance(value, str):
        return _instant(kind, value)
    if kind.name in ("integer", "number"):
        value = _number(value)
    try:
        checked = value if kind.name in ("integer", "number") else kind.read(value)
        indexed = kind.index(checked)
    except NotThisType as wrong:
        raise _refused(kind, wrong) from None
    if kind.family == "number":
        return float(indexed)
    return folded(indexed) if one.folds else indexed


def _instant(kind: FieldType, value: str) -> float:
    """A bare date is taken for its midnight."""
    try:
        return float(kind.index(value))
    except NotThisType as wrong:
        raise _refused(kind, wrong) from None


def _number(value: Any) -> float:
    """Any JSON number compares with any numeric field; beyond what a double holds it is infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise OperandRefused("Invalid type", "Value must be a number")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _refused(kind: FieldType, wrong: NotThisType) -> OperandRefused:
    if wrong.kind == "type":
        return OperandRefused("Invalid type", f"Value must be a {kind.word}")
    if kind.name in ("date", "time", "datetime"):
        return OperandRefused("Invalid value", f"Invalid {kind.name} format")
    return OperandRefused("Invalid value", f"Expected {wrong.expected}")


# -- operands in query parameters -----------------------------------------------------------------------------


def split_commas(text: str) -> list[str]:
    """A comma inside a value is written `\\,`."""
    if "\\" not in text:
        return text.split(",")
    parts, current, escaped = [], "", False
    for character in text:
        if escaped:
            current += character if character == "," else "\\" + character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ",":
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current + ("\\" if escaped else "")]


def from_text(one: Operator, field: Field, text: str) -> Any:
    """The JSON value that a query parameter's text stands for; the text itself when it is none."""
    if one.operand == "flag":
        return _boolean(text)
    if one.operand == "one":
        return _scalar(field, text)
    parts = split_commas(text)
    return [_scalar(field, part) for part in parts] if field.type in _SCALARS else parts


_SCALARS = frozenset({"integer", "number", "boolean"})
"""Types whose values are not written as they are."""


def _scalar(field: Field, text: str) -> Any:
    if field.type not in _SCALARS:
        return text
    if field.type in ("integer", "number"):
        try:
            return int(text) if text.lstrip("+-").isdecimal() and len(text) < 300 else _finite(text)
        except ValueError:
            return text
    return _boolean(text)


def _finite(text: str) -> float:
    number = float(text)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
