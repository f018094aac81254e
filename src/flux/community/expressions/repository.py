"""The SQL of emojis and stickers, which stand in tables of the same shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import msgspec

from flux.community.expressions.records import EmojiRow, StickerRow
from flux.kernel.store import Reader, Transaction

Row = TypeVar("Row", EmojiRow, StickerRow)


class Shelf(Generic[Row]):
    """One kind of expression; a row's fields are the columns of its table."""

    def __init__(self, table: str, row: type[Row]) -> None:
        columns = row.__struct_fields__
        select = f"SELECT {', '.join(columns)} FROM {table}"
        self._row: type[Row] = row
        self._table = table
        self._columns = frozenset(columns)
        self._of_guilds = f"{select} WHERE guild_id IN :guilds ORDER BY id"
        self._some = f"{select} WHERE id IN :ids"
        self._count = f"SELECT COUNT(*) FROM {table} WHERE guild_id = :guild_id"
        self._insert = (
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{each}' for each in columns)})"
        )
        self._delete = f"DELETE FROM {table} WHERE id = :id"

    async def of_guilds(self, reader: Reader, guild_ids: list[int]) -> list[Row]:
        """By ascending id."""
        return await reader.all(self._of_guilds, {"guilds": guild_ids}, self._row)

    async def some(self, reader: Reader, ids: Iterable[int]) -> dict[int, Row]:
        """Whatever guild they are of; those that are gone are absent."""
        return {row.id: row for row in await reader.all(self._some, {"ids": list(ids)}, self._row)}

    async def count(self, reader: Reader, guild_id: int, *, animated: int | None = None) -> int:
        """Of a guild; `animated` counts only those that are, or are not."""
        if animated is None:
            return int(await reader.value(self._count, {"guild_id": guild_id}))
        sql = f"{self._count} AND animated = :animated"
        return int(await reader.value(sql, {"guild_id": guild_id, "animated": animated}))

    async def insert(self, tx: Transaction, row: Row) -> None:
        await tx.run(self._insert, msgspec.structs.asdict(row))

    async def update(self, tx: Transaction, expression_id: int, values: dict[str, Any]) -> None:
        assert values and values.keys() <= self._columns
        assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
        await tx.run(
            f"UPDATE {self._table} SET {assignments} WHERE id = :id", {**values, "id": expression_id}
        )

    async def delete(self, tx: Transaction, expression_id: int) -> None:
        await tx.run(self._delete, {"id": expression_id})


EMOJIS = Shelf("community_emojis", EmojiRow)
STICKERS = Shelf("community_stickers", StickerRow)
