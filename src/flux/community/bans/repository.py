"""The SQL of bans."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class BanRow(Struct, frozen=True):
    user_id: int
    moderator_id: int
    reason: str | None
    banned_at: int
    expires_at: int | None


IN_FORCE = "(expires_at IS NULL OR expires_at > :now)"
LIST = f"""
SELECT user_id, moderator_id, reason, banned_at, expires_at FROM community_guild_bans
WHERE guild_id = :guild_id AND {IN_FORCE} ORDER BY user_id LIMIT 1000
"""
OF_USER = f"SELECT user_id FROM community_guild_bans WHERE guild_id = :guild_id AND user_id = :user_id AND {IN_FORCE}"
OF_ADDRESS = f"SELECT user_id FROM community_guild_bans WHERE guild_id = :guild_id AND address = :address AND {IN_FORCE} LIMIT 1"
PUT = """
INSERT INTO community_guild_bans (guild_id, user_id, moderator_id, reason, address, banned_at, expires_at)
VALUES (:guild_id, :user_id, :moderator_id, :reason, :address, :banned_at, :expires_at)
ON CONFLICT (guild_id, user_id) DO UPDATE SET moderator_id = excluded.moderator_id, reason = excluded.reason,
    address = excluded.address, banned_at = excluded.banned_at, expires_at = excluded.expires_at
"""
DROP = "DELETE FROM community_guild_bans WHERE guild_id = :guild_id AND user_id = :user_id"

DROP_EXPIRED = f"{DROP} AND expires_at <= :now"


async def list_bans(reader: Reader, guild_id: int, now: int) -> list[BanRow]:
    return await reader.all(LIST, {"guild_id": guild_id, "now": now}, BanRow)


async def is_banned(reader: Reader, guild_id: int, user_id: int, now: int) -> bool:
    return await reader.value(OF_USER, {"guild_id": guild_id, "user_id": user_id, "now": now}) is not None


async def address_is_banned(reader: Reader, guild_id: int, address: str, now: int) -> bool:
    return await reader.value(OF_ADDRESS, {"guild_id": guild_id, "address": address, "now": now}) is not None


async def put(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(PUT, values)


async def drop_expired(tx: Transaction, guild_id: int, user_id: int, now: int) -> bool:
    """False when it was lifted or renewed."""
    return await tx.run(DROP_EXPIRED, {"guild_id": guild_id, "user_id": user_id, "now": now}) > 0


async def drop(tx: Transaction, guild_id: int, user_id: int) -> bool:
    return await tx.run(DROP, {"guild_id": guild_id, "user_id": user_id}) > 0
