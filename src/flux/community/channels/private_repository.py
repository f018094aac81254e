"""The SQL of private conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.community.standing.records import CHANNEL_COLUMNS, ChannelRow
from flux.kernel.store import Reader, Transaction

INSERT = """
INSERT INTO community_channels (id, type, name, owner_id, created_at) VALUES (:id, :type, :name, :owner_id, :now)
"""
ADD = """
INSERT INTO community_channel_recipients (channel_id, user_id, open) VALUES (:channel_id, :user_id, :open)
ON CONFLICT (channel_id, user_id) DO NOTHING
"""
DROP = "DELETE FROM community_channel_recipients WHERE channel_id = :channel_id AND user_id = :user_id"
RECIPIENTS = (
    "SELECT user_id FROM community_channel_recipients WHERE channel_id = :channel_id ORDER BY user_id"
)
RECIPIENTS_OF = (
    "SELECT channel_id, user_id FROM community_channel_recipients WHERE channel_id IN :ids ORDER BY user_id"
)
CLOSED = "SELECT user_id FROM community_channel_recipients WHERE channel_id = :channel_id AND open = 0"
SET_OPEN = "UPDATE community_channel_recipients SET open = :open WHERE channel_id = :channel_id AND user_id = :user_id"
OPEN_OF = f"""
SELECT {CHANNEL_COLUMNS} FROM community_channel_recipients r JOIN community_channels c ON c.id = r.channel_id
WHERE r.user_id = :user_id AND r.open = 1 ORDER BY c.id
"""
COUNT_OPEN = """
SELECT COUNT(*) FROM community_channel_recipients r JOIN community_channels c ON c.id = r.channel_id
WHERE r.user_id = :user_id AND r.open = 1 AND c.id <> :user_id
"""
OLDEST_OPEN = f"""
SELECT {CHANNEL_COLUMNS} FROM community_channel_recipients r JOIN community_channels c ON c.id = r.channel_id
WHERE r.user_id = :user_id AND r.open = 1 AND c.type = :type AND c.id <> :but
ORDER BY COALESCE(c.last_message_id, c.id) LIMIT :most
"""
COUNT_GROUPS = """
SELECT COUNT(*) FROM community_channel_recipients r JOIN community_channels c ON c.id = r.channel_id
WHERE r.user_id = :user_id AND c.type = :type
"""
PAIR = "SELECT channel_id FROM community_direct_pairs WHERE low_id = :low AND high_id = :high"
ADD_PAIR = (
    "INSERT INTO community_direct_pairs (low_id, high_id, channel_id) VALUES (:low, :high, :channel_id)"
)
NICKS = """
SELECT channel_id, user_id, nick FROM community_channel_recipients WHERE channel_id IN :ids AND nick IS NOT NULL
ORDER BY user_id
"""
SET_NICK = "UPDATE community_channel_recipients SET nick = :nick WHERE channel_id = :channel_id AND user_id = :user_id"
SET_OWNER = "UPDATE community_channels SET owner_id = :owner_id WHERE id = :id"
DELETE = "DELETE FROM community_channels WHERE id = :id"


async def insert(tx: Transaction, values: dict[str, Any], people: dict[int, bool]) -> None:
    """With its people, and whether the conversation is open for each."""
    await tx.run(INSERT, values)
    for user_id, is_open in people.items():
        await tx.run(ADD, {"channel_id": values["id"], "user_id": user_id, "open": int(is_open)})


async def add(tx: Transaction, channel_id: int, user_id: int) -> bool:
    return await tx.run(ADD, {"channel_id": channel_id, "user_id": user_id, "open": 1}) > 0


async def drop(tx: Transaction, channel_id: int, user_id: int) -> bool:
    return await tx.run(DROP, {"channel_id": channel_id, "user_id": user_id}) > 0


async def recipients(reader: Reader, channel_id: int) -> list[int]:
    return await reader.all(RECIPIENTS, {"channel_id": channel_id}, int)


async def recipients_of(reader: Reader, channel_ids: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = await reader.all(RECIPIENTS_OF, {"ids": list(channel_ids)}, lambda *row: row)
    for channel_id, user_id in rows:
        found.setdefault(channel_id, []).append(user_id)
    return found


async def closed_for(reader: Reader, channel_id: int) -> list[int]:
    return await reader.all(CLOSED, {"channel_id": channel_id}, int)


async def set_open(tx: Transaction, channel_id: int, user_id: int, *, is_open: bool) -> None:
    await tx.run(SET_OPEN, {"channel_id": channel_id, "user_id": user_id, "open": int(is_open)})


async def open_of(reader: Reader, user_id: int) -> list[ChannelRow]:
    return await reader.all(OPEN_OF, {"user_id": user_id}, ChannelRow)


async def count_open(reader: Reader, user_id: int) -> int:
    """Without one's notes."""
    return int(await reader.value(COUNT_OPEN, {"user_id": user_id}))


async def oldest_open(reader: Reader, user_id: int, kind: int, but: int, most: int) -> list[ChannelRow]:
    """Those of a type that nobody wrote in for the longest time, first."""
    values = {"user_id": user_id, "type": kind, "but": but, "most": most}
    return await reader.all(OLDEST_OPEN, values, ChannelRow)


async def count_of_type(reader: Reader, user_id: int, kind: int) -> int:
    return int(await reader.value(COUNT_GROUPS, {"user_id": user_id, "type": kind}))


async def pair(reader: Reader, one: int, other: int) -> int | None:
    """The direct conversation of two people."""
    found: int | None = await reader.value(PAIR, {"low": min(one, other), "high": max(one, other)})
    return found


async def add_pair(tx: Transaction, one: int, other: int, channel_id: int) -> None:
    """Raises `UniqueViolation` when somebody was faster."""
    await tx.run(ADD_PAIR, {"low": min(one, other), "high": max(one, other), "channel_id": channel_id})


async def set_owner(tx: Transaction, channel_id: int, owner_id: int) -> None:
    await tx.run(SET_OWNER, {"id": channel_id, "owner_id": owner_id})


async def delete(tx: Transaction, channel_id: int) -> None:
    await tx.run(DELETE, {"id": channel_id})


async def nicks_of(reader: Reader, channel_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """What people are called in each conversation; those without a name of their own there are left out."""
    found: dict[int, dict[int, str]] = {}
    rows = await reader.all(NICKS, {"ids": list(channel_ids)}, lambda *row: row)
    for channel_id, user_id, nick in rows:
        found.setdefault(channel_id, {})[user_id] = nick
    return found


async def set_nick(tx: Transaction, channel_id: int, user_id: int, nick: str | None) -> None:
    await tx.run(SET_NICK, {"channel_id": channel_id, "user_id": user_id, "nick": nick})
