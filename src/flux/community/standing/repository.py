"""The SQL behind the permission algorithm. Reads only."""

from __future__ import annotations

from flux.community.standing.records import (
    CHANNEL_COLUMNS,
    GUILD_COLUMNS,
    MEMBER_COLUMNS,
    OVERWRITE_COLUMNS,
    ChannelRow,
    GuildRow,
    MemberRow,
    OverwriteRow,
    RoleGrant,
)
from flux.kernel.store import Reader, Sql, Transaction

GUILD = f"SELECT {GUILD_COLUMNS} FROM community_guilds g WHERE g.id = :id"
MEMBER = f"SELECT {MEMBER_COLUMNS} FROM community_guild_members m WHERE m.guild_id = :guild_id AND m.user_id = :user_id"
GRANTS = """
SELECT r.id, r.position, r.permissions FROM community_guild_roles r WHERE r.id = :guild_id
UNION ALL
SELECT r.id, r.position, r.permissions FROM community_member_roles mr JOIN community_guild_roles r ON r.id = mr.role_id
WHERE mr.guild_id = :guild_id AND mr.user_id = :user_id
"""
GRANTS_OF_MANY = """
SELECT r.guild_id, r.id, r.position, r.permissions FROM community_guild_roles r WHERE r.id IN :guilds
UNION ALL
SELECT mr.guild_id, r.id, r.position, r.permissions FROM community_member_roles mr
JOIN community_guild_roles r ON r.id = mr.role_id WHERE mr.user_id = :user_id AND mr.guild_id IN :guilds
"""
CHANNEL = f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.id = :id"
OVERWRITES = (
    f"SELECT {OVERWRITE_COLUMNS} FROM community_channel_overwrites o WHERE o.channel_id = :channel_id"
)
RECIPIENTS = (
    "SELECT user_id FROM community_channel_recipients WHERE channel_id = :channel_id ORDER BY user_id"
)
OWNS = "SELECT id FROM community_guilds WHERE owner_id = :user_id LIMIT 1"

_GUILD = "SELECT id FROM community_guilds WHERE id = :id"
_CHANNEL = "SELECT id FROM community_channels WHERE id = :id"
_LOCKED = " FOR NO KEY UPDATE"
GUILD_TURN = Sql(sqlite=_GUILD, postgres=_GUILD + _LOCKED)
CHANNEL_TURN = Sql(sqlite=_CHANNEL, postgres=_CHANNEL + _LOCKED)


async def guild_turn(tx: Transaction, guild_id: int) -> None:
    await tx.value(GUILD_TURN, {"id": guild_id})


async def channel_turn(tx: Transaction, channel_id: int) -> None:
    await tx.value(CHANNEL_TURN, {"id": channel_id})


async def guild(reader: Reader, guild_id: int) -> GuildRow | None:
    return await reader.one(GUILD, {"id": guild_id}, GuildRow)


async def member(reader: Reader, guild_id: int, user_id: int) -> MemberRow | None:
    return await reader.one(MEMBER, {"guild_id": guild_id, "user_id": user_id}, MemberRow)


async def grants(reader: Reader, guild_id: int, user_id: int) -> list[RoleGrant]:
    """@everyone and the member's own roles."""
    return await reader.all(GRANTS, {"guild_id": guild_id, "user_id": user_id}, RoleGrant)


async def grants_of_many(reader: Reader, guild_ids: list[int], user_id: int) -> dict[int, list[RoleGrant]]:
    """By guild."""
    found: dict[int, list[RoleGrant]] = {}
    rows = await reader.all(GRANTS_OF_MANY, {"guilds": guild_ids, "user_id": user_id}, lambda *row: row)
    for guild_id, *role in rows:
        found.setdefault(guild_id, []).append(RoleGrant(*role))
    return found


async def channel(reader: Reader, channel_id: int) -> ChannelRow | None:
    return await reader.one(CHANNEL, {"id": channel_id}, ChannelRow)


async def overwrites(reader: Reader, channel_id: int) -> list[OverwriteRow]:
    return await reader.all(OVERWRITES, {"channel_id": channel_id}, OverwriteRow)


async def recipients(reader: Reader, channel_id: int) -> list[int]:
    return await reader.all(RECIPIENTS, {"channel_id": channel_id}, int)


async def owns_guilds(reader: Reader, user_id: int) -> bool:
    return await reader.value(OWNS, {"user_id": user_id}) is not None
