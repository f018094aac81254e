"""From a document to what is written about it. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from flux.content.projection.rows import Document, Published, Value
from flux.content.shape.fields import REFERENCES, Field, Shape
from flux.content.shape.localising import has_translations, without_private
from flux.content.shape.types import TYPES, NotThisType
from flux.content.texts import folded, words
from flux.kernel.store import iso

HEAD = 100
"""How much of a folded string is indexed."""
MEMBERS = frozenset({"_sys", "key", "created_at", "updated_at", "folder", "data"})
"""What every document has, whatever its schema."""


def document(published: Published, current: Shape | None) -> Document:
    """What is private is left out: by the schema it was written under, and by the one that is published now."""
    shape, data = published.shape, published.data
    for one in (shape, current):
        if one is not None and one.has_private:
            data = without_private(one.fields, data)
    item = {
        "_sys": {
            "key": published.key,
            "created_at": iso(published.created_at),
            "updated_at": iso(published.updated_at),
            "folder": published.folder,
        },
        "data": msgspec.Raw(published.stored) if data is published.data else data,
    }
    return Document(
        environment=published.environment,
        folder=published.folder,
        key=published.key,
        owner=published.owner or "",
        component=published.component or "",
        version=published.version,
        revision=published.revision,
        created_at=published.created_at,
        updated_at=published.updated_at,
        plain=int(not (shape.has_locales and has_translations(shape.fields, data))),
        item=msgspec.json.encode(item),
    )


def hidden(shape: Shape, item: bytes) -> bytes:
    """An item without what is private in the shape."""
    held = msgspec.json.decode(item)
    return msgspec.json.encode({**held, "data": without_private(shape.fields, held["data"])})


def values(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The values of a document that queries may use. What does not fit its field (written under another schema) is left out."""
    found: list[Value] = []
    for path, leaf in shape.indexed.items():
        if path in shape.lone_paths and not isinstance(value := data.get(path), list):
            if value is not None and (indexed := _indexed(leaf, value)) is not None:
                found.append(_value(leaf, "", 0, indexed))
            continue
        counts: dict[str, int] = {}
        for locale, value in _reached(shape.chains[path], 0, data, "", default_locale):
            indexed = _indexed(leaf, value)
            if indexed is not None:
                counts[locale] = counts.get(locale, -1) + 1
                found.append(_value(leaf, locale, counts[locale], indexed))
    return found


def _value(leaf: Field, locale: str, number: int, indexed: Any) -> Value:
    family = TYPES[leaf.type].family
    if family == "number":
        return Value(leaf.path, locale, family, number, indexed, float(indexed))
    compared = folded(indexed)
    # Nobody looks for references without case: their heads stand together, where an index grows cheaply.
    head = "" if leaf.type in REFERENCES else compared[:HEAD]
    return Value(leaf.path, locale, family, number, indexed, compared, head)


def _reached(
    chain: tuple[Field, ...], at: int, holder: Any, locale: str, default_locale: str
) -> Iterator[tuple[str, Any]]:
    """Every single value at the end of the chain, with its locale."""
    if not isinstance(holder, dict):
        return
    one = chain[at]
    value = holder.get(one.key)
    if value is None:
        return
    by_locale = {locale: value}
    if one.localizable:
        by_locale = value if isinstance(value, dict) else {default_locale: value}
    for code, translation in by_locale.items():
        for single in translation if isinstance(translation, list) else [translation]:
            if at == len(chain) - 1:
                yield code, single
            else:
                yield from _reached(chain, at + 1, single, code, default_locale)


def _indexed(leaf: Field, value: Any) -> Any:
    kind = TYPES["reference" if leaf.type == "relation" else leaf.type]
    try:
        return kind.index(kind.read(value))
    except NotThisType:
        return None


# -- text and vectors -----------------------------------------------------------------------------------------

GAP = 1000
"""Between the positions of a field's several values, so that no phrase reaches over two of them."""
MARK = "·"
"""Between a word and its slot; no word has it."""
Address = tuple[str, str]
"""A path and a locale."""


def packed(positions: list[int]) -> bytes:
    return struct.pack(f"<{len(positions)}I", *positions)


def unpacked(stored: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(stored) // 4}I", stored)


class Words(Struct, frozen=True):
    """The words of a field in one locale, value by value."""

    values: list[list[str]]

    @property
    def count(self) -> int:
        return len(self.values[0]) if len(self.values) == 1 else sum(map(len, self.values))

    def positions(self) -> dict[str, bytes]:
        """Where each word stands, packed."""
        found: dict[str, list[int]] = {}
        start = 0
        for value in self.values:
            for at, word in enumerate(value, start):
                if word in found:
                    found[word].append(at)
                else:
                    found[word] = [at]
            start += len(value) + GAP
        return {word: packed(at) for word, at in found.items()}

    def terms(self, slot: int) -> str:
        """As FTS5 indexes them: each with its slot, and a lone mark between two values."""
        behind = f"{MARK}{slot} "
        return f"{behind}{MARK} ".join([behind.join(value) for value in self.values]) + behind


def words_of(values: Iterable[Value]) -> dict[Address, Words]:
    """Of every string and text value; fields without any word are left out."""
    found: dict[Address, list[list[str]]] = {}
    for value in values:
        if value.family in ("string", "text") and (listed := words(value.value)):
            found.setdefault((value.path, value.locale), []).append(listed)
    return {address: Words(listed) for address, listed in found.items()}


class Entries(Struct, frozen=True):
    """What of a document stands in the indexes, by this shape and under this default locale."""

    shape: Shape
    default_locale: str
    values: list[Value]
    words: dict[Address, Words]

    def fit(self, shape: Shape, default_locale: str) -> bool:
        return self.shape is shape and self.default_locale == default_locale


def entries(shape: Shape, data: dict[str, Any], default_locale: str) -> Entries:
    found = values(shape, data, default_locale)
    read = words_of(one for one in found if one.path in shape.text_paths)
    return Entries(shape, default_locale, found, read)


def texts_to_embed(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The texts of vectorizable fields."""
    found: list[Value] = []
    for path, chain in shape.embedded.items():
        if chain[-1].type == "vector":
            continue
        for locale, value in _reached(chain, 0, data, "", default_locale):
            if isinstance(value, str) and value.strip():
                found.append(Value(path, locale, "text", len(found), value))
    return found


def vectors_sent(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The caller's own vectors."""
    found: list[Value] = []
    for path, chain in shape.embedded.items():
        if chain[-1].type != "vector":
            continue
        for locale, holder in _holders(chain, data, default_locale):
            value = holder.get(chain[-1].key)
            if isinstance(value, list) and value:
                found.append(Value(path, locale, "vector", len(found), value))
    return found


def _holders(
    chain: tuple[Field, ...], data: dict[str, Any], default_locale: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects that hold the last field of the chain."""
    if len(chain) == 1:
        yield "", data
        return
    for locale, holder in _reached(chain[:-1], 0, data, "", default_locale):
        if isinstance(holder, dict):
            yield locale, holder
