"""The field tree of a schema."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from msgspec import Struct, field

CONTAINERS = ("object", "nested")
REFERENCES = ("reference", "relation")


class Field(Struct, frozen=True, omit_defaults=True):
    """One field. `path` is dotted from the root; `children` are those of an object or of the embedded component."""

    key: str
    path: str
    type: str
    required: bool = False
    nullable: bool = False
    multiple: bool = False
    localizable: bool = False
    searchable: bool = False
    private: bool = False
    vectorizable: bool = False
    meta: dict[str, Any] = field(default_factory=dict)
    children: tuple[Field, ...] = ()

    @property
    def is_container(self) -> bool:
        return self.type in CONTAINERS

    @property
    def many(self) -> bool:
        """True when one document holds several values here."""
        return self.multiple or self.type == "relation"


class _Stored(Struct):
    fields: tuple[Field, ...]


_decoder = msgspec.json.Decoder(_Stored)


class Shape:
    """The tree, addressed by path. Immutable; compiled once per published version and kept in memory."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields

    @classmethod
    def decode(cls, stored: bytes) -> Shape:
        """Once for each stored form, which is its identity."""
        return _decoded(stored)

    def encode(self) -> bytes:
        return msgspec.json.encode(_Stored(self.fields))

    def walk(self) -> Iterator[Field]:
        """Every field, parents before children."""

        def below(fields: tuple[Field, ...]) -> Iterator[Field]:
            for one in fields:
                yield one
                yield from below(one.children)

        return below(self.fields)

    @cached_property
    def by_path(self) -> dict[str, Field]:
        return {one.path: one for one in self.walk()}

    @cached_property
    def chains(self) -> dict[str, tuple[Field, ...]]:
        """For each path its field and all fields above it, outermost first."""
        found: dict[str, tuple[Field, ...]] = {}

        def below(fields: tuple[Field, ...], above: tuple[Field, ...]) -> None:
            for one in fields:
                found[one.path] = chain = (*above, one)
                below(one.children, chain)

        below(self.fields, ())
        return found

    @cached_property
    def searchable(self) -> dict[str, Field]:
        """What delivery may filter by: searchable leaves, nothing private above them."""
        return {
            path: chain[-1]
            for path, chain in self.chains.items()
            if chain[-1].searchable
            and not chain[-1].is_container
            and chain[-1].type not in ("vector", "json")
            and not any(one.private for one in chain)
        }

    @cached_property
    def indexed(self) -> dict[str, Field]:
        """What the projection keeps values of: the searchable fields, and references, which joins follow."""
        references = {
            path: chain[-1]
            for path, chain in self.chains.items()
            if chain[-1].type in REFERENCES and not any(one.private for one in chain)
        }
        return {**self.searchable, **references}

    @cached_property
    def lone_paths(self) -> frozenset[str]:
        """Fields at the top of which a document has one value at most, for every locale."""
        return frozenset(
            one.path for one in self.fields if not (one.many or one.localizable or one.is_container)
        )

    @cached_property
    def unbounded(self) -> frozenset[str]:
        """Fields, at any depth, of which one value is fit when it is of the type: no lists, translations or bounds."""
        return frozenset(
            one.path
            for one in self.walk()
            if not (one.many or one.localizable or one.is_container or one.meta or one.type == "vector")
        )

    @cached_property
    def embedded(self) -> dict[str, tuple[Field, ...]]:
        """Chains to the texts that are embedded and to the vectors that are sent; nothing private among them."""
        return {
            path: chain
            for path, chain in self.chains.items()
            if (
                chain[-1].type == "vector"
                or (chain[-1].vectorizable and chain[-1].type in ("string", "text"))
            )
            and not any(one.private for one in chain)
        }

    @cached_property
    def text_paths(self) -> frozenset[str]:
        """Searchable fields that text search reads."""
        return frozenset(path for path, one in self.searchable.items() if one.type in ("string", "text"))

    @cached_property
    def lone(self) -> frozenset[str]:
        """Keys that no other object of a document can have: they stand once in the tree, beside no JSON of any form."""
        fields = list(self.walk())
        if any(one.type == "json" for one in fields):
            return frozenset()
        keys = [one.key for one in fields]
        return frozenset(key for key in keys if keys.count(key) == 1)

    @cached_property
    def has_locales(self) -> bool:
        return any(one.localizable for one in self.walk())

    @cached_property
    def has_private(self) -> bool:
        return any(one.private for one in self.walk())

    def is_localizable(self, path: str) -> bool:
        """True when the field or a container above it is stored by locale."""
        return any(one.localizable for one in self.chains[path])

    def is_many(self, path: str) -> bool:
        """True when one document may hold several values at the path."""
        return any(one.many for one in self.chains[path])


@lru_cache(maxsize=2048)
def _decoded(stored: bytes) -> Shape:
    return Shape(_decoder.decode(stored).fields)
