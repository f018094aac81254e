"""The SQL behind the permission algorithm. Reads only."""

from __future__ import annotations

from flux.community.standing.records import (
    CHANNEL_COLUMNS,
    GUILD_COLUMNS,
    MEMBER_COLUMNS,
    OVERWRITE_COLUMNS,
    Access,
    ChannelRow,
    Door,
    GuildRow,
    MemberRow,
    OverwriteRow,
    RoleGrant,
)
from flux.kernel.store import Database, Memory, Reader, Sql, Transaction

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
GUILDS = f"SELECT {GUILD_COLUMNS} FROM community_guilds g WHERE g.id IN :ids"
PLACE = f"""
SELECT {CHANNEL_COLUMNS}, {GUILD_COLUMNS}, {MEMBER_COLUMNS} FROM community_channels c
LEFT JOIN community_guilds g ON g.id = c.guild_id
LEFT JOIN community_guild_members m ON m.guild_id = c.guild_id AND m.user_id = :user_id
WHERE c.id = :id
"""
DOOR = """
SELECT c.guild_id, g.owner_id, g.message_history_cutoff, m.user_id FROM community_channels c
LEFT JOIN community_guilds g ON g.id = c.guild_id
LEFT JOIN community_guild_members m ON m.guild_id = c.guild_id AND m.user_id = :user_id
WHERE c.id = :id
"""
MINE = f"""
SELECT {GUILD_COLUMNS}, {MEMBER_COLUMNS} FROM community_guild_members m JOIN community_guilds g ON g.id = m.guild_id
WHERE m.user_id = :user_id AND m.guild_id IN :guilds
"""
RULES = """
SELECT 0, r.id, r.position, r.permissions, 0 FROM community_guild_roles r WHERE r.id = :guild_id
UNION ALL
SELECT 0, r.id, r.position, r.permissions, 0 FROM community_member_roles mr
JOIN community_guild_roles r ON r.id = mr.role_id WHERE mr.guild_id = :guild_id AND mr.user_id = :user_id
UNION ALL
SELECT 1, o.target_id, o.kind, o.allow, o.deny FROM community_channel_overwrites o WHERE o.channel_id = :channel_id
"""
CHANNEL = f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.id = :id"
OVERWRITES = (
    f"SELECT {OVERWRITE_COLUMNS} FROM community_channel_overwrites o WHERE o.channel_id = :channel_id"
)
RECIPIENTS = (
    "SELECT user_id FROM community_channel_recipients WHERE channel_id = :channel_id ORDER BY user_id"
)
CHANNEL_WIDTH = len(ChannelRow.__struct_fields__)
GUILD_WIDTH = len(GuildRow.__struct_fields__)
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


async def place(
    reader: Reader, channel_id: int, user_id: int
) -> tuple[ChannelRow, GuildRow | None, MemberRow | None] | None:
    """The channel, its guild, and the user's membership there: all that one glance can find."""
    row = await reader.one(PLACE, {"id": channel_id, "user_id": user_id}, lambda *row: row)
    if row is None:
        return None
    guild, member = row[CHANNEL_WIDTH : CHANNEL_WIDTH + GUILD_WIDTH], row[CHANNEL_WIDTH + GUILD_WIDTH :]
    return (
        ChannelRow(*row[:CHANNEL_WIDTH]),
        None if guild[0] is None else GuildRow(*guild),
        None if member[0] is None else MemberRow(*member),
    )


async def door(reader: Reader, channel_id: int, user_id: int) -> Door | None:
    """Of `place` what does not change with every message."""
    return await reader.one(DOOR, {"id": channel_id, "user_id": user_id}, Door)


def remembered_access(db: Database) -> Memory[tuple[int, int], Access]:
    """For what was made of `door`, `recipients` and `grants_and_overwrites`, by user and channel."""
    return db.remember(DOOR, RECIPIENTS, RULES)


async def guilds(reader: Reader, guild_ids: list[int]) -> list[GuildRow]:
    return await reader.all(GUILDS, {"ids": guild_ids}, GuildRow)


async def memberships(reader: Reader, user_id: int, guild_ids: list[int]) -> list[tuple[GuildRow, MemberRow]]:
    """Those of the guilds the user is in."""
    rows = await reader.all(MINE, {"user_id": user_id, "guilds": guild_ids}, lambda *row: row)
    return [(GuildRow(*row[:GUILD_WIDTH]), MemberRow(*row[GUILD_WIDTH:])) for row in rows]


async def grants_and_overwrites(
    reader: Reader, guild_id: int, user_id: int, channel_id: int
) -> tuple[list[RoleGrant], list[OverwriteRow]]:
    """What `grants` and `overwrites` find, in one question."""
    values = {"guild_id": guild_id, "user_id": user_id, "channel_id": channel_id}
    held, overwritten = [], []
    for kind, *row in await reader.all(RULES, values, lambda *row: row):
        if kind:
            overwritten.append(OverwriteRow(channel_id, *row))
        else:
            held.append(RoleGrant(*row[:3]))
    return held, overwritten


async def overwrites(reader: Reader, channel_id: int) -> list[OverwriteRow]:
    return await reader.all(OVERWRITES, {"channel_id": channel_id}, OverwriteRow)


async def recipients(reader: Reader, channel_id: int) -> list[int]:
    return await reader.all(RECIPIENTS, {"channel_id": channel_id}, int)


async def owns_guilds(reader: Reader, user_id: int) -> bool:
    return await reader.value(OWNS, {"user_id": user_id}) is not None
