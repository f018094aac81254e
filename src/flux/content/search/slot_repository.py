"""SQL of slots, as readers need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from flux.content.projection.tags import shift
from flux.kernel.store import Database


class Slots(Struct, frozen=True):
    """The numbers of a folder's slots by component, path and locale; `alone` are those whose lane of a tag no other has."""

    numbers: Mapping[tuple[str, str, str], int]
    alone: frozenset[int]


async def of_folder(db: Database, folder: str) -> Slots:
    sql = "SELECT component, path, locale, id FROM content_slots WHERE folder = :folder"
    rows = await db.all(
        sql, {"folder": folder}, lambda component, path, locale, id_: ((component, path, locale), id_)
    )
    lanes = Counter(shift(number) for _, number in rows)
    return Slots(dict(rows), frozenset(number for _, number in rows if lanes[shift(number)] == 1))


async def values(db: Database, family: str, slot: int, most: int) -> list[Any]:
    """At most so many of the different numbers or strings of a slot. The index is asked from each for the next."""
    table, into = _OF_FAMILY[family]
    sql = (
        f"WITH RECURSIVE known(value) AS (SELECT min(v.value) FROM {table} v WHERE v.slot = :slot UNION ALL "
        f"SELECT (SELECT min(v.value) FROM {table} v WHERE v.slot = :slot AND v.value > known.value) "
        "FROM known WHERE known.value IS NOT NULL) SELECT value FROM known WHERE value IS NOT NULL LIMIT :most"
    )
    return await db.all(sql, {"slot": slot, "most": most}, into)


_OF_FAMILY: dict[str, tuple[str, Callable[..., Any]]] = {
    "number": ("content_numbers", float),
    "string": ("content_strings", str),
}
