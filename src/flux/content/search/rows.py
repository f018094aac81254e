"""What a search finds."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Hit(Struct, frozen=True):
    """One document: `item` is its encoded `{"_sys", "data"}`, `plain` says that nothing in it is
    stored by locale; `by` is what it was sorted by: the value itself of one, a tuple of several."""

    id: int
    key: str
    version: str
    plain: int
    item: bytes
    by: Any = None


def sorted_by_several(id_: int, key: str, version: str, plain: int, item: bytes, *values: Any) -> Hit:
    return Hit(id_, key, version, plain, item, values)


class Found(Struct, frozen=True):
    """One page, in forward order. `following` and `preceding` are tokens of the neighbouring pages."""

    hits: list[Hit]
    following: str | None
    preceding: str | None
