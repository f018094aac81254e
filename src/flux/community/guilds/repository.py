"""The SQL of guilds themselves."""

from __future__ import annotations

from typing import Any

from flux.community.standing.records import GUILD_COLUMNS, GuildRow
from flux.kernel.store import Reader, Transaction

MINE = f"""
SELECT {GUILD_COLUMNS} FROM community_guild_members m JOIN community_guilds g ON g.id = m.guild_id
WHERE m.user_id = :user_id AND g.id > :after AND g.id < :before ORDER BY g.id LIMIT :limit
"""
INSERT = """
INSERT INTO community_guilds (id, name, owner_id, features, member_count, created_at)
VALUES (:id, :name, :owner_id, :features, 1, :created_at)
"""
DELETE = "DELETE FROM community_guilds WHERE id = :id"
MEMBER_IDS = "SELECT user_id FROM community_guild_members WHERE guild_id = :guild_id"
PRESENT = "SELECT user_id FROM community_guild_members WHERE guild_id = :guild_id AND user_id IN :users"
BY_VANITY = f"SELECT {GUILD_COLUMNS} FROM community_guilds g WHERE g.vanity_code = :code"
USE_VANITY = "UPDATE community_guilds SET vanity_uses = vanity_uses + 1 WHERE id = :id"
INVITE = "SELECT code FROM community_invites WHERE LOWER(code) = :code LIMIT 1"
_CHANGEABLE = frozenset(
    {
        "name", "icon", "owner_id", "system_channel_id", "system_channel_flags", "afk_channel_id", "afk_timeout",
        "verification_level", "mfa_level", "nsfw_level", "explicit_content_filter", "default_message_notifications",
        "splash_card_alignment", "features", "banner", "splash", "embed_splash", "vanity_code", "message_history_cutoff",
    }
)  # fmt: skip


async def mine(reader: Reader, user_id: int, after: int, before: int, limit: int) -> list[GuildRow]:
    return await reader.all(
        MINE, {"user_id": user_id, "after": after, "before": before, "limit": limit}, GuildRow
    )


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def update(tx: Transaction, guild_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(
        f"UPDATE community_guilds SET {assignments} WHERE id = :guild_id", {**values, "guild_id": guild_id}
    )


async def delete(tx: Transaction, guild_id: int) -> None:
    """Everything in it goes with it."""
    await tx.run(DELETE, {"id": guild_id})


async def member_ids(reader: Reader, guild_id: int) -> list[int]:
    return await reader.all(MEMBER_IDS, {"guild_id": guild_id}, int)


async def present(reader: Reader, guild_id: int, user_ids: list[int]) -> list[int]:
    """Which of them are members."""
    return await reader.all(PRESENT, {"guild_id": guild_id, "users": user_ids}, int)


async def by_vanity(reader: Reader, code: str) -> GuildRow | None:
    return await reader.one(BY_VANITY, {"code": code}, GuildRow)


async def use_vanity(tx: Transaction, guild_id: int) -> None:
    await tx.run(USE_VANITY, {"id": guild_id})


async def is_invite(reader: Reader, code: str) -> bool:
    """Whether an invite reads like that code."""
    return await reader.value(INVITE, {"code": code}) is not None
