"""The SQL of guild settings."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction

LIST = "SELECT settings FROM community_user_guild_settings WHERE user_id = :user_id ORDER BY guild_id"
FIND = "SELECT settings FROM community_user_guild_settings WHERE user_id = :user_id AND guild_id = :guild_id"
PUT = """
INSERT INTO community_user_guild_settings (user_id, guild_id, settings) VALUES (:user_id, :guild_id, :settings)
ON CONFLICT (user_id, guild_id) DO UPDATE SET settings = excluded.settings
"""


async def list_of(reader: Reader, user_id: int) -> list[bytes]:
    return await reader.all(LIST, {"user_id": user_id}, bytes)


async def find(reader: Reader, user_id: int, guild_id: int) -> bytes | None:
    found: bytes | None = await reader.value(FIND, {"user_id": user_id, "guild_id": guild_id})
    return found


async def put(tx: Transaction, user_id: int, guild_id: int, encoded: bytes) -> None:
    await tx.run(PUT, {"user_id": user_id, "guild_id": guild_id, "settings": encoded})
