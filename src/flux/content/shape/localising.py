"""A stored document as one reader sees it: locales, fallback, projection, truncation."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.content.shape.checking import Locales
from flux.content.shape.fields import Field, Shape


class View(Struct, frozen=True):
    """How a document is shown. `return_locales` empty: all; exactly one: bare values. `fields` None: every field.
    `raw`: as stored, with neither locales nor truncation."""

    locales: Locales
    return_locales: tuple[str, ...] = ()
    fallback: bool = False
    raw: bool = False
    truncate: int | None = None
    fields: tuple[str, ...] | None = None

    def changes(self, *, plain: bool) -> bool:
        """False when the stored bytes can leave as they are. `plain`: nothing in them is stored by locale."""
        if self.fields is not None:
            return True
        return not self.raw and (not plain or self.truncate is not None)


def has_translations(fields: tuple[Field, ...], data: dict[str, Any]) -> bool:
    """Whether anything in a document is stored by locale."""
    for one in fields:
        if one.key not in data:
            continue
        if one.localizable:
            return True
        if one.is_container:
            found: list[bool] = []
            _items(
                data[one.key],
                lambda inner, below=one.children, found=found: found.append(has_translations(below, inner)),
            )
            if any(found):
                return True
    return False


def without_private(fields: tuple[Field, ...], data: dict[str, Any]) -> dict[str, Any]:
    """The stored form that delivery may hold. What the fields do not know stays."""
    kept = dict(data)
    for one in fields:
        if one.key not in data:
            continue
        if one.private:
            del kept[one.key]
        elif one.is_container and any(child.private or child.is_container for child in one.children):
            inside = _each(
                one, data[one.key], lambda inner, below=one.children: without_private(below, inner)
            )
            kept[one.key] = inside
    return kept


def _each(one: Field, value: Any, act: Any) -> Any:
    """`act` on every object at a container field, through locales and lists."""
    if one.localizable and isinstance(value, dict):
        return {code: _items(each, act) for code, each in value.items()}
    return _items(value, act)


def _items(value: Any, act: Any) -> Any:
    if isinstance(value, list):
        return [_items(one, act) for one in value]
    return act(value) if isinstance(value, dict) else value


class Presenting:
    """One document on its way out. `truncated` lists what was cut, for `_sys.truncated`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.truncated: list[dict[str, Any]] = []

    def document(self, shape: Shape, data: dict[str, Any]) -> dict[str, Any]:
        if not self._view.raw:
            data = self._members(shape.fields, data)
        return data if self._view.fields is None else project(data, self._view.fields)

    def _members(self, fields: tuple[Field, ...], data: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for one in fields:
            if one.private:
                continue
            if one.key in data:
                value = data[one.key]
                shown[one.key] = (
                    self._translated(one, value) if one.localizable else self._value(one, value, None)
                )
        for key, value in data.items():
            # Written under an earlier schema version: still part of the published revision.
            shown.setdefault(key, value)
        return shown

    def _translated(self, one: Field, stored: Any) -> Any:
        if not isinstance(stored, dict):
            # The field became localizable after this was written.
            stored = {self._view.locales.default: stored}
        wanted = self._view.return_locales or self._view.locales.codes
        values = {code: self._value(one, self._translation(stored, code), code) for code in wanted}
        return values[wanted[0]] if len(self._view.return_locales) == 1 else values

    def _translation(self, stored: dict[str, Any], code: str) -> Any:
        value = stored.get(code)
        if value is None and self._view.fallback:
            for other in fallback_chain(code, self._view.locales):
                if (value := stored.get(other)) is not None:
                    return value
        return value

    def _value(self, one: Field, value: Any, locale: str | None) -> Any:
        if one.is_container:
            return _items(value, lambda inner: self._members(one.children, inner))
        if one.type == "text" and self._view.truncate is not None:
            return self._cut(one, value, locale)
        return value

    def _cut(self, one: Field, value: Any, locale: str | None) -> Any:
        if isinstance(value, list):
            return [self._cut(one, each, locale) for each in value]
        limit = self._view.truncate
        if limit is None or not isinstance(value, str) or len(value) <= limit:
            return value
        self.truncated.append({"field": one.path, "locale": locale, "original_length": len(value)})
        return value[:limit]


def fallback_chain(code: str, locales: Locales) -> list[str]:
    """`pt_BR` → `pt` → the default; only configured locales, never the code itself."""
    chain: list[str] = []
    parts = code.split("_")
    for length in range(len(parts) - 1, 0, -1):
        chain.append("_".join(parts[:length]))
    chain.append(locales.default)
    return [other for other in dict.fromkeys(chain) if other in locales.codes and other != code]


def project(data: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Only the named dotted paths; lists are walked through."""
    wanted: dict[str, list[str] | None] = {}
    for path in fields:
        head, _, rest = path.partition(".")
        if not rest:
            wanted[head] = None
        elif (inner := wanted.setdefault(head, [])) is not None:
            inner.append(rest)
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if key in wanted:
            inner = wanted[key]
            kept[key] = (
                value if inner is None else _items(value, lambda one, below=tuple(inner): project(one, below))
            )
    return kept
