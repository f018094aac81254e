"""The SQL of channels and their overwrites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.community.standing.records import CHANNEL_COLUMNS, OVERWRITE_COLUMNS, ChannelRow, OverwriteRow
from flux.kernel.store import Reader, Transaction

FIND = f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.id = :id"
LIST_MANY = f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.guild_id IN :guilds ORDER BY c.position, c.id"
LIST = f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.guild_id = :guild_id ORDER BY c.position, c.id"
CHILDREN = (
    f"SELECT {CHANNEL_COLUMNS} FROM community_channels c WHERE c.parent_id = :id ORDER BY c.position, c.id"
)
OVERWRITES_OF = f"SELECT {OVERWRITE_COLUMNS} FROM community_channel_overwrites o WHERE o.channel_id IN :ids"
COUNT = "SELECT COUNT(*) FROM community_channels WHERE guild_id = :guild_id"
COUNT_CHILDREN = "SELECT COUNT(*) FROM community_channels WHERE parent_id = :parent_id"
LAST_POSITION = "SELECT COALESCE(MAX(position), -1) FROM community_channels WHERE guild_id = :guild_id"
INSERT = """
INSERT INTO community_channels (id, guild_id, type, name, topic, url, owner_id, position, parent_id, nsfw,
    rate_limit_per_user, bitrate, user_limit, created_at)
VALUES (:id, :guild_id, :type, :name, :topic, :url, :owner_id, :position, :parent_id, :nsfw, :rate_limit_per_user,
    :bitrate, :user_limit, :created_at)
"""
INVITES = "SELECT code FROM community_invites WHERE channel_id = :channel_id ORDER BY code"
DELETE = "DELETE FROM community_channels WHERE id = :id"
ORPHAN = "UPDATE community_channels SET parent_id = NULL WHERE parent_id = :id"
FORGET_SYSTEM = (
    "UPDATE community_guilds SET system_channel_id = NULL WHERE id = :guild_id AND system_channel_id = :id"
)
PUT_OVERWRITE = """
INSERT INTO community_channel_overwrites (channel_id, target_id, kind, allow, deny)
VALUES (:channel_id, :target_id, :kind, :allow, :deny)
ON CONFLICT (channel_id, target_id) DO UPDATE SET kind = excluded.kind, allow = excluded.allow, deny = excluded.deny
"""
DROP_OVERWRITE = (
    "DELETE FROM community_channel_overwrites WHERE channel_id = :channel_id AND target_id = :target_id"
)
COUNT_OTHERS = "SELECT count(*) FROM community_channel_overwrites WHERE channel_id = :channel_id AND target_id <> :target_id"
DROP_OVERWRITES = "DELETE FROM community_channel_overwrites WHERE channel_id = :channel_id"
_CHANGEABLE = frozenset(
    {
        "name", "topic", "url", "parent_id", "nsfw", "rate_limit_per_user", "bitrate", "user_limit", "rtc_region",
        "position", "owner_id", "icon",
    }
)  # fmt: skip


async def find(reader: Reader, channel_id: int) -> ChannelRow | None:
    return await reader.one(FIND, {"id": channel_id}, ChannelRow)


async def list_channels(reader: Reader, guild_id: int) -> list[ChannelRow]:
    return await reader.all(LIST, {"guild_id": guild_id}, ChannelRow)


async def list_many(reader: Reader, guild_ids: list[int]) -> list[ChannelRow]:
    """Of all these guilds, each guild's in order."""
    return await reader.all(LIST_MANY, {"guilds": guild_ids}, ChannelRow)


async def children(reader: Reader, channel_id: int) -> list[ChannelRow]:
    return await reader.all(CHILDREN, {"id": channel_id}, ChannelRow)


async def overwrites_of(reader: Reader, channel_ids: Iterable[int]) -> dict[int, list[OverwriteRow]]:
    """By channel; channels without any are absent."""
    found: dict[int, list[OverwriteRow]] = {}
    for row in await reader.all(OVERWRITES_OF, {"ids": list(channel_ids)}, OverwriteRow):
        found.setdefault(row.channel_id, []).append(row)
    return found


async def count(reader: Reader, guild_id: int) -> int:
    return int(await reader.value(COUNT, {"guild_id": guild_id}))


async def count_children(reader: Reader, parent_id: int) -> int:
    return int(await reader.value(COUNT_CHILDREN, {"parent_id": parent_id}))


async def last_position(reader: Reader, guild_id: int) -> int:
    """-1 when there is none."""
    return int(await reader.value(LAST_POSITION, {"guild_id": guild_id}))


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def update(tx: Transaction, channel_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(
        f"UPDATE community_channels SET {assignments} WHERE id = :channel_id",
        {**values, "channel_id": channel_id},
    )


async def invites(reader: Reader, channel_id: int) -> list[str]:
    """The codes that lead there, which go with the channel."""
    return await reader.all(INVITES, {"channel_id": channel_id}, str)


async def delete(tx: Transaction, guild_id: int, channel_id: int) -> None:
    await tx.run(ORPHAN, {"id": channel_id})
    await tx.run(FORGET_SYSTEM, {"guild_id": guild_id, "id": channel_id})
    await tx.run(DELETE, {"id": channel_id})


async def put_overwrite(
    tx: Transaction, channel_id: int, target_id: int, kind: int, allow: int, deny: int
) -> None:
    values = {"channel_id": channel_id, "target_id": target_id, "kind": kind, "allow": allow, "deny": deny}
    await tx.run(PUT_OVERWRITE, values)


async def count_other_overwrites(reader: Reader, channel_id: int, target_id: int) -> int:
    """Those that are not the target's."""
    return int(await reader.value(COUNT_OTHERS, {"channel_id": channel_id, "target_id": target_id}))


async def drop_overwrite(tx: Transaction, channel_id: int, target_id: int) -> None:
    await tx.run(DROP_OVERWRITE, {"channel_id": channel_id, "target_id": target_id})


async def drop_overwrites(tx: Transaction, channel_id: int) -> None:
    await tx.run(DROP_OVERWRITES, {"channel_id": channel_id})
