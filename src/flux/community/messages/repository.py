"""The SQL of messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.community.messages.records import COLUMNS, DELETABLE, Columns, MessageRow
from flux.kernel.store import Reader, Transaction, as_read

FIND = f"SELECT {COLUMNS} FROM community_messages x WHERE x.id = :id AND x.channel_id = :channel_id"
FIND_MANY = f"SELECT {COLUMNS} FROM community_messages x WHERE x.id IN :ids"
BEFORE = f"""
SELECT {COLUMNS} FROM community_messages x WHERE x.channel_id = :channel_id AND x.id < :edge ORDER BY x.id DESC LIMIT :limit
"""
AFTER = f"""
SELECT {COLUMNS} FROM community_messages x WHERE x.channel_id = :channel_id AND x.id > :edge ORDER BY x.id LIMIT :limit
"""
INSERT = """
INSERT INTO community_messages (id, channel_id, author_id, type, flags, content, tts, mention_everyone, mentions,
    mention_roles, embeds, attachments, reference, stickers, webhook_id, webhook_name, webhook_avatar)
VALUES (:id, :channel_id, :author_id, :type, :flags, :content, :tts, :mention_everyone, :mentions, :mention_roles, :embeds,
    :attachments, :reference, :stickers, :webhook_id, :webhook_name, :webhook_avatar)
"""
LAST = "UPDATE community_channels SET last_message_id = :id WHERE id = :channel_id"
DELETE = "DELETE FROM community_messages WHERE id = :id AND channel_id = :channel_id"
DELETE_MANY = "DELETE FROM community_messages WHERE channel_id = :channel_id AND id IN :ids RETURNING id"
OF_AUTHOR = """
SELECT x.id, x.channel_id FROM community_messages x JOIN community_channels c ON c.id = x.channel_id
WHERE c.guild_id = :guild_id AND x.author_id = :author_id AND x.id >= :since ORDER BY x.id LIMIT 10000
"""
ANYWHERE = f"""
SELECT x.id, x.channel_id FROM community_messages x WHERE x.author_id = :author_id AND x.type IN ({", ".join(map(str, sorted(DELETABLE)))})
ORDER BY x.id LIMIT :limit
"""
COUNT_OF_AUTHOR = """
SELECT COUNT(DISTINCT channel_id), COUNT(*) FROM community_messages WHERE author_id = :author_id
"""
CLAIM_NONCE = """
INSERT INTO community_message_nonces (channel_id, author_id, nonce, message_id, created_at)
VALUES (:channel_id, :author_id, :nonce, :message_id, :now)
ON CONFLICT (channel_id, author_id, nonce) DO UPDATE SET message_id = excluded.message_id, created_at = excluded.created_at
WHERE community_message_nonces.created_at < :cutoff
"""
NONCE = """
SELECT message_id FROM community_message_nonces WHERE channel_id = :channel_id AND author_id = :author_id AND nonce = :nonce
"""
SWEEP_NONCES = "DELETE FROM community_message_nonces WHERE created_at < :cutoff"
SPEAK = """
INSERT INTO community_slowmode (channel_id, user_id, spoke_at) VALUES (:channel_id, :user_id, :now)
ON CONFLICT (channel_id, user_id) DO UPDATE SET spoke_at = excluded.spoke_at WHERE community_slowmode.spoke_at <= :cutoff
"""
SPOKE = "SELECT spoke_at FROM community_slowmode WHERE channel_id = :channel_id AND user_id = :user_id"
PIN = "UPDATE community_messages SET pinned_at = :now WHERE id = :id AND channel_id = :channel_id AND pinned_at IS NULL"
UNPIN = "UPDATE community_messages SET pinned_at = NULL WHERE id = :id AND channel_id = :channel_id AND pinned_at IS NOT NULL"
COUNT_PINS = (
    "SELECT COUNT(*) FROM community_messages WHERE channel_id = :channel_id AND pinned_at IS NOT NULL"
)
PINS = f"""
SELECT {COLUMNS} FROM community_messages x WHERE x.channel_id = :channel_id AND x.pinned_at < :before
ORDER BY x.pinned_at DESC, x.id DESC LIMIT :limit
"""
LAST_PIN = "UPDATE community_channels SET last_pin_at = :now WHERE id = :channel_id"
_CHANGEABLE = frozenset(
    {
        "content", "embeds", "flags", "edited_at", "mentions", "mention_roles", "mention_everyone", "attachments",
    }
)  # fmt: skip


async def find(reader: Reader, channel_id: int, message_id: int) -> MessageRow | None:
    return await reader.one(FIND, {"id": message_id, "channel_id": channel_id}, MessageRow)


async def find_many(reader: Reader, ids: Iterable[int]) -> dict[int, MessageRow]:
    return {row.id: row for row in await reader.all(FIND_MANY, {"ids": list(ids)}, MessageRow)}


async def before(reader: Reader, channel_id: int, edge: int, limit: int) -> list[Columns]:
    """Newest first."""
    return await reader.all(BEFORE, {"channel_id": channel_id, "edge": edge, "limit": limit}, as_read)


async def after(reader: Reader, channel_id: int, edge: int, limit: int) -> list[Columns]:
    """Oldest first."""
    return await reader.all(AFTER, {"channel_id": channel_id, "edge": edge, "limit": limit}, as_read)


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    """And the channel's last message is this one."""
    await tx.run(INSERT, values)
    await tx.run(LAST, {"id": values["id"], "channel_id": values["channel_id"]})


async def update(tx: Transaction, message_id: int, values: dict[str, Any]) -> None:
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(
        f"UPDATE community_messages SET {assignments} WHERE id = :message_id",
        {**values, "message_id": message_id},
    )


async def delete(tx: Transaction, channel_id: int, message_id: int) -> bool:
    return await tx.run(DELETE, {"id": message_id, "channel_id": channel_id}) > 0


async def delete_many(tx: Transaction, channel_id: int, ids: Iterable[int]) -> list[int]:
    """Those that were there."""
    return sorted(await tx.all(DELETE_MANY, {"channel_id": channel_id, "ids": list(ids)}, int))


async def of_author(reader: Reader, guild_id: int, author_id: int, since: int) -> dict[int, list[int]]:
    """Message ids by channel, from the id `since` on."""
    found: dict[int, list[int]] = {}
    params = {"guild_id": guild_id, "author_id": author_id, "since": since}
    for message_id, channel_id in await reader.all(OF_AUTHOR, params, lambda *row: row):
        found.setdefault(channel_id, []).append(message_id)
    return found


async def of_author_anywhere(reader: Reader, author_id: int, limit: int) -> dict[int, list[int]]:
    """Message ids by channel, oldest first: those that can be deleted."""
    found: dict[int, list[int]] = {}
    params = {"author_id": author_id, "limit": limit}
    for message_id, channel_id in await reader.all(ANYWHERE, params, lambda *row: row):
        found.setdefault(channel_id, []).append(message_id)
    return found


async def count_of_author(reader: Reader, author_id: int) -> tuple[int, int]:
    """How many channels they said something in, and how many messages."""
    rows = await reader.all(COUNT_OF_AUTHOR, {"author_id": author_id}, lambda *row: row)
    return int(rows[0][0]), int(rows[0][1])


async def claim_nonce(
    tx: Transaction, channel_id: int, author_id: int, nonce: str, message_id: int, now: int, cutoff: int
) -> int | None:
    """None when the nonce is new; otherwise the message it already stands for."""
    key = {"channel_id": channel_id, "author_id": author_id, "nonce": nonce}
    if await tx.run(CLAIM_NONCE, {**key, "message_id": message_id, "now": now, "cutoff": cutoff}):
        return None
    return int(await tx.value(NONCE, key))


async def sweep_nonces(tx: Transaction, cutoff: int) -> None:
    await tx.run(SWEEP_NONCES, {"cutoff": cutoff})


async def speak(tx: Transaction, channel_id: int, user_id: int, now: int, cutoff: int) -> int | None:
    """None when the user may speak now; otherwise when they last spoke."""
    key = {"channel_id": channel_id, "user_id": user_id}
    if await tx.run(SPEAK, {**key, "now": now, "cutoff": cutoff}):
        return None
    return int(await tx.value(SPOKE, key))


async def pin(tx: Transaction, channel_id: int, message_id: int, now: int) -> bool:
    """False when it is pinned already."""
    if not await tx.run(PIN, {"id": message_id, "channel_id": channel_id, "now": now}):
        return False
    await tx.run(LAST_PIN, {"channel_id": channel_id, "now": now})
    return True


async def unpin(tx: Transaction, channel_id: int, message_id: int) -> bool:
    return await tx.run(UNPIN, {"id": message_id, "channel_id": channel_id}) > 0


async def count_pins(reader: Reader, channel_id: int) -> int:
    return int(await reader.value(COUNT_PINS, {"channel_id": channel_id}))


async def pins(reader: Reader, channel_id: int, before_ms: int, limit: int) -> list[MessageRow]:
    """Newest pin first."""
    return await reader.all(PINS, {"channel_id": channel_id, "before": before_ms, "limit": limit}, MessageRow)
