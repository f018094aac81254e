"""From a document to what is written about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from flux.content.projection.rows import Document, Published, Value
from flux.content.shape.fields import Field, Shape
from flux.content.shape.localising import has_translations, without_private
from flux.content.shape.types import TYPES, NotThisType
from flux.content.texts import words
from flux.kernel.store import iso

HEAD = 100
"""How much of a folded string is indexed."""


@lru_cache(maxsize=2048)
def decoded(shape: bytes) -> Shape:
    """Shapes are decoded once; their stored form is their identity."""
    return Shape.decode(shape)


def document(published: Published) -> Document:
    shape = published.shape
    data = without_private(shape.fields, published.data) if shape.has_private else published.data
    item = {
        "_sys": {
            "key": published.key,
            "created_at": iso(published.created_at),
            "updated_at": iso(published.updated_at),
            "folder": published.folder,
        },
        "data": data,
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
        plain=int(not has_translations(shape.fields, data)),
        item=msgspec.json.encode(item),
    )


def values(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The values of a document that queries may use. What does not fit its field (written under another schema) is left out."""
    found: list[Value] = []
    for path, leaf in shape.indexed.items():
        counts: dict[str, int] = {}
        for locale, value in _reached(shape.chains[path], 0, data, "", default_locale):
            indexed = _indexed(leaf, value)
            if indexed is not None:
                counts[locale] = counts.get(locale, -1) + 1
                found.append(Value(path, locale, TYPES[leaf.type].family, counts[locale], indexed))
    return found


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
Address = tuple[str, str]
"""A path and a locale."""


def packed(positions: list[int]) -> bytes:
    return b"".join(one.to_bytes(4, "little") for one in positions)


def unpacked(stored: bytes) -> list[int]:
    return [int.from_bytes(stored[at : at + 4], "little") for at in range(0, len(stored), 4)]


class WordIndex(Struct, frozen=True):
    """The words of a field in one locale: where each stands, and how many there are."""

    positions: dict[str, list[int]]
    count: int


def word_index(values: Iterable[Value]) -> dict[Address, WordIndex]:
    """Of every string and text value."""
    found: dict[Address, tuple[dict[str, list[int]], int, int]] = {}
    for value in values:
        if value.family not in ("string", "text"):
            continue
        address = value.path, value.locale
        positions, start, count = found.get(address, ({}, 0, 0))
        listed = words(value.value)
        for offset, word in enumerate(listed):
            positions.setdefault(word, []).append(start + offset)
        found[address] = positions, start + len(listed) + GAP, count + len(listed)
    return {address: WordIndex(positions, count) for address, (positions, _, count) in found.items() if count}


def texts_to_embed(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The texts of vectorizable fields."""
    return _leaves(
        shape, data, default_locale, lambda leaf: leaf.vectorizable and leaf.type in ("string", "text")
    )


def vectors_sent(shape: Shape, data: dict[str, Any], default_locale: str) -> list[Value]:
    """The caller's own vectors."""
    found: list[Value] = []
    for path, chain in shape.chains.items():
        if chain[-1].type != "vector" or any(one.private for one in chain):
            continue
        for locale, holder in _holders(chain, data, default_locale):
            value = holder.get(chain[-1].key)
            if isinstance(value, list) and value:
                found.append(Value(path, locale, "vector", len(found), value))
    return found


def _leaves(
    shape: Shape, data: dict[str, Any], default_locale: str, wanted: Callable[[Field], bool]
) -> list[Value]:
    found: list[Value] = []
    for path, chain in shape.chains.items():
        if not wanted(chain[-1]) or any(one.private for one in chain):
            continue
        for locale, value in _reached(chain, 0, data, "", default_locale):
            if isinstance(value, str) and value.strip():
                found.append(Value(path, locale, "text", len(found), value))
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
