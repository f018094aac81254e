"""From a document to what is written about it. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from flux.content.projection.rows import Document, Published, Value
from flux.content.shape.fields import Field, Shape
from flux.content.shape.localising import without_private
from flux.content.shape.types import TYPES, NotThisType
from flux.kernel.store import iso

HEAD = 100
"""How much of a folded string is indexed."""


def folded(text: str) -> str:
    """For comparisons that ignore case: full Unicode case folding of the compatibility form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


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
