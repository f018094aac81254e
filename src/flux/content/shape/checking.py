"""Checking written data against a shape: every problem with its json_path, and the data as it will be stored.

Stored form: a localizable field is always an object keyed by locale code; a bare value was put under the default
locale. Whole floats in integer fields became integers. Nothing else changes.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.content.shape.fields import Field, Shape
from flux.content.shape.patterns import compile_pattern
from flux.content.shape.types import LONGEST_STRING, TYPES, NotThisType

MOST_PROBLEMS = 100


class Locales(Struct, frozen=True):
    """The locales of an environment. `codes` holds the default one too."""

    default: str
    codes: tuple[str, ...]


class DataProblem(Struct, frozen=True):
    """`type` is one of required, null, type, format, unknown, min_length, max_length, pattern, enum, minimum, maximum,
    min_items, max_items, dimensions, locale, too_large."""

    json_path: str
    message: str
    type: str


class _Missing:
    pass


_MISSING = _Missing()


class Checking:
    """One run over one document."""

    def __init__(self, shape: Shape, locales: Locales) -> None:
        self._shape = shape
        self._locales = locales
        self._unbounded = shape.unbounded
        self.problems: list[DataProblem] = []

    def document(self, data: Any) -> dict[str, Any]:
        """The stored form. Read `problems` afterwards."""
        if not isinstance(data, dict):
            self._problem("$", "Value must be an object", "type")
            return {}
        return self._members(self._shape.fields, data, "$")

    def _problem(self, path: str, message: str, kind: str) -> None:
        self.problems.append(DataProblem(path, message, kind))

    def _members(self, fields: tuple[Field, ...], data: dict[str, Any], path: str) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        seen = 0
        for one in fields:
            key = one.key
            value = data.get(key, _MISSING)
            if value is not _MISSING:
                seen += 1
            if one.path not in self._unbounded or not self._is_plainly(one, value):
                value = self._field(one, value, f"{path}.{key}")
            if value is not _MISSING:
                stored[key] = value
        if seen < len(data):
            known = {one.key for one in fields}
            for key in data:
                if key not in known:
                    self._problem(f"{path}.{key}", "Unknown field", "unknown")
        return stored

    @staticmethod
    def _is_plainly(one: Field, value: Any) -> bool:
        """A string or boolean that is stored as it is, told without building its path: most values are."""
        kind = one.type
        if kind == "string":
            return isinstance(value, str) and len(value) <= LONGEST_STRING
        if kind == "text":
            return isinstance(value, str)
        return kind == "boolean" and isinstance(value, bool)

    def _field(self, one: Field, value: Any, path: str) -> Any:
        if value is _MISSING:
            if one.required:
                self._problem(path, "This field is required", "required")
            return _MISSING
        if one.localizable:
            return self._translations(one, value, path)
        return self._value(one, value, path)

    def _translations(self, one: Field, value: Any, path: str) -> Any:
        if not self._is_by_locale(one, value):
            value = {self._locales.default: value}
        stored: dict[str, Any] = {}
        for code, translation in value.items():
            if code not in self._locales.codes:
                self._problem(f"{path}.{code}", "Unknown locale", "locale")
            elif (translation is None and not (one.nullable or one.required)) or (
                translation is None and code != self._locales.default
            ):
                stored[code] = None
            else:
                stored[code] = self._value(one, translation, f"{path}.{code}")
        if one.required and self._locales.default not in value:
            self._problem(f"{path}.{self._locales.default}", "This field is required", "required")
        return stored

    def _is_by_locale(self, one: Field, value: Any) -> bool:
        """An object is read as translations, except where objects are values: there its keys must all be locales."""
        if not isinstance(value, dict):
            return False
        return one.type not in ("object", "nested", "json") or (
            bool(value) and all(key in self._locales.codes for key in value)
        )

    def _value(self, one: Field, value: Any, path: str) -> Any:
        if value is None:
            if not one.nullable:
                self._problem(path, "Null is not allowed", "null")
            return None
        if not one.multiple:
            return self._single(one, value, path)
        if not isinstance(value, list):
            self._problem(path, "Value must be a list", "type")
            return None
        return [self._single(one, each, f"{path}[{index}]") for index, each in enumerate(value)]

    def _single(self, one: Field, value: Any, path: str) -> Any:
        try:
            read = TYPES[one.type].read(value)
        except NotThisType as wrong:
            article = "an" if wrong.expected[0] in "aeiou" else "a"
            self._problem(path, f"Value must be {article} {wrong.expected}", wrong.kind)
            return None
        if one.is_container:
            return self._members(one.children, read, path)
        self._bounds(one, read, path)
        return read

    def _bounds(self, one: Field, value: Any, path: str) -> None:
        meta = one.meta
        if one.type == "string" and len(value) > LONGEST_STRING:
            self._problem(path, f"At most {LONGEST_STRING} characters are allowed", "max_length")
        if one.type in ("string", "text"):
            self._lengths(meta, value, path)
        elif one.type == "relation":
            self._counts(meta, value, path)
        elif one.type == "vector":
            if len(value) != meta.get("dimensions"):
                self._problem(
                    path, f"Expected {meta.get('dimensions')} dimensions, got {len(value)}", "dimensions"
                )
        else:
            self._range(one, value, path)
        if "enum" in meta and value not in meta["enum"]:
            self._problem(path, "Value is not one of the choices", "enum")

    def _lengths(self, meta: dict[str, Any], value: str, path: str) -> None:
        if len(value) < meta.get("min_length", 0):
            self._problem(path, f"At least {meta['min_length']} characters are required", "min_length")
        if len(value) > meta.get("max_length", len(value)):
            self._problem(path, f"At most {meta['max_length']} characters are allowed", "max_length")
        if "pattern" in meta and not compile_pattern(meta["pattern"]).matches(value):
            self._problem(path, "Value does not match the pattern", "pattern")

    def _counts(self, meta: dict[str, Any], value: list[str], path: str) -> None:
        if len(value) < meta.get("min_items", 0):
            self._problem(path, f"At least {meta['min_items']} items are required", "min_items")
        if len(value) > meta.get("max_items", len(value)):
            self._problem(path, f"At most {meta['max_items']} items are allowed", "max_items")

    def _range(self, one: Field, value: Any, path: str) -> None:
        index = TYPES[one.type].index
        for name, word in (("minimum", "least"), ("maximum", "most")):
            bound = one.meta.get(name)
            if bound is None:
                continue
            if index(value) < index(bound) if name == "minimum" else index(value) > index(bound):
                self._problem(path, f"Value must be at {word} {bound}", name)
