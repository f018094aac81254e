"""The SQL of invites: those of guilds and those of groups stand in tables of the same shape."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class InviteRow(Struct, frozen=True):
    code: str
    guild_id: int
    channel_id: int
    inviter_id: int
    max_age: int
    max_uses: int
    uses: int
    temporary: int
    created_at: int
    expires_at: int | None


class GroupInviteRow(Struct, frozen=True):
    code: str
    channel_id: int
    inviter_id: int
    max_age: int
    max_uses: int
    uses: int
    created_at: int
    expires_at: int | None


Row = TypeVar("Row", InviteRow, GroupInviteRow)
ALIVE = "(expires_at IS NULL OR expires_at > :now) AND (max_uses = 0 OR uses < max_uses)"
_OWN = ("code", "uses", "created_at", "expires_at")
"""In what two invites to the same place by the same person may differ and still be the same."""


class Invites(Generic[Row]):
    """A row's fields are the columns of its table. What has expired or is used up is not there for any reader."""

    def __init__(self, table: str, row: type[Row]) -> None:
        columns = row.__struct_fields__
        written = [each for each in columns if each != "uses"]
        self._alike = [each for each in columns if each not in _OWN]
        self._row: type[Row] = row
        self._table = table
        self._select = f"SELECT {', '.join(columns)} FROM {table} WHERE {ALIVE}"
        self._insert = (
            f"INSERT INTO {table} ({', '.join(written)}) VALUES ({', '.join(f':{each}' for each in written)})"
        )

    async def find(self, reader: Reader, code: str, now: int) -> Row | None:
        return await reader.one(f"{self._select} AND code = :code", {"code": code, "now": now}, self._row)

    async def similar(self, reader: Reader, values: dict[str, Any]) -> Row | None:
        """The newest that says the same."""
        same = " AND ".join(f"{each} = :{each}" for each in self._alike)
        sql = f"{self._select} AND {same} ORDER BY created_at DESC LIMIT 1"
        params = {each: values[each] for each in self._alike} | {"now": values["created_at"]}
        return await reader.one(sql, params, self._row)

    async def of_guild(self, reader: Reader, guild_id: int, now: int) -> list[Row]:
        return await self._of(reader, "guild_id", guild_id, now)

    async def of_channel(self, reader: Reader, channel_id: int, now: int) -> list[Row]:
        return await self._of(reader, "channel_id", channel_id, now)

    async def _of(self, reader: Reader, column: str, place_id: int, now: int) -> list[Row]:
        sql = f"{self._select} AND {column} = :id ORDER BY created_at"
        return await reader.all(sql, {"id": place_id, "now": now}, self._row)

    async def count(self, reader: Reader, column: str, place_id: int, now: int) -> int:
        """Of the guild or channel that `column` holds."""
        sql = f"SELECT COUNT(*) FROM {self._table} WHERE {ALIVE} AND {column} = :id"
        return int(await reader.value(sql, {"id": place_id, "now": now}))

    async def insert(self, tx: Transaction, values: dict[str, Any]) -> None:
        await tx.run(self._insert, values)

    async def use(self, tx: Transaction, code: str, now: int) -> bool:
        """False when somebody else took the last use."""
        sql = f"UPDATE {self._table} SET uses = uses + 1 WHERE code = :code AND {ALIVE}"
        return await tx.run(sql, {"code": code, "now": now}) > 0

    async def delete(self, tx: Transaction, code: str) -> None:
        await tx.run(f"DELETE FROM {self._table} WHERE code = :code", {"code": code})

    async def sweep(self, tx: Transaction, now: int) -> None:
        await tx.run(f"DELETE FROM {self._table} WHERE expires_at < :now", {"now": now})


GUILD_INVITES = Invites("community_invites", InviteRow)
GROUP_INVITES = Invites("community_group_invites", GroupInviteRow)
