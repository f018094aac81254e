"""The SQL of invites."""

from __future__ import annotations

from typing import Any

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


COLUMNS = "code, guild_id, channel_id, inviter_id, max_age, max_uses, uses, temporary, created_at, expires_at"
ALIVE = "(expires_at IS NULL OR expires_at > :now) AND (max_uses = 0 OR uses < max_uses)"
FIND = f"SELECT {COLUMNS} FROM community_invites WHERE code = :code AND {ALIVE}"
SIMILAR = f"""
SELECT {COLUMNS} FROM community_invites WHERE channel_id = :channel_id AND inviter_id = :inviter_id AND max_age = :max_age
AND max_uses = :max_uses AND temporary = :temporary AND {ALIVE} ORDER BY created_at DESC LIMIT 1
"""
OF_GUILD = f"SELECT {COLUMNS} FROM community_invites WHERE guild_id = :id AND {ALIVE} ORDER BY created_at"
OF_CHANNEL = f"SELECT {COLUMNS} FROM community_invites WHERE channel_id = :id AND {ALIVE} ORDER BY created_at"
COUNT = f"SELECT COUNT(*) FROM community_invites WHERE guild_id = :guild_id AND {ALIVE}"
INSERT = """
INSERT INTO community_invites (code, guild_id, channel_id, inviter_id, max_age, max_uses, temporary, created_at, expires_at)
VALUES (:code, :guild_id, :channel_id, :inviter_id, :max_age, :max_uses, :temporary, :created_at, :expires_at)
"""
USE = f"UPDATE community_invites SET uses = uses + 1 WHERE code = :code AND {ALIVE}"
DELETE = "DELETE FROM community_invites WHERE code = :code"
SWEEP = "DELETE FROM community_invites WHERE expires_at < :now"


async def find(reader: Reader, code: str, now: int) -> InviteRow | None:
    """None when it expired or was used up."""
    return await reader.one(FIND, {"code": code, "now": now}, InviteRow)


async def similar(reader: Reader, values: dict[str, Any]) -> InviteRow | None:
    wanted = ("channel_id", "inviter_id", "max_age", "max_uses", "temporary")
    params = {name: values[name] for name in wanted} | {"now": values["created_at"]}
    return await reader.one(SIMILAR, params, InviteRow)


async def of_guild(reader: Reader, guild_id: int, now: int) -> list[InviteRow]:
    return await reader.all(OF_GUILD, {"id": guild_id, "now": now}, InviteRow)


async def of_channel(reader: Reader, channel_id: int, now: int) -> list[InviteRow]:
    return await reader.all(OF_CHANNEL, {"id": channel_id, "now": now}, InviteRow)


async def count(reader: Reader, guild_id: int, now: int) -> int:
    return int(await reader.value(COUNT, {"guild_id": guild_id, "now": now}))


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def use(tx: Transaction, code: str, now: int) -> bool:
    """False when somebody else took the last use."""
    return await tx.run(USE, {"code": code, "now": now}) > 0


async def delete(tx: Transaction, code: str) -> None:
    await tx.run(DELETE, {"code": code})


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
