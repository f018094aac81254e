"""The SQL of reactions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class ReactionCount(Struct, frozen=True):
    message_id: int
    emoji: str
    count: int
    mine: int


COUNTS = """
SELECT message_id, emoji, COUNT(*), MAX(CASE WHEN user_id = :viewer THEN 1 ELSE 0 END) FROM community_reactions
WHERE message_id IN :ids GROUP BY message_id, emoji ORDER BY message_id, MIN(created_at), emoji
"""
COUNT_EMOJIS = "SELECT COUNT(DISTINCT emoji) FROM community_reactions WHERE message_id = :message_id"
COUNT_USERS = "SELECT COUNT(*) FROM community_reactions WHERE message_id = :message_id AND emoji = :emoji"
ADD = """
INSERT INTO community_reactions (message_id, emoji, user_id, created_at) VALUES (:message_id, :emoji, :user_id, :now)
ON CONFLICT (message_id, emoji, user_id) DO NOTHING
"""
MARK = "UPDATE community_messages SET reacted = 1 WHERE id = :message_id AND reacted = 0"
DROP = (
    "DELETE FROM community_reactions WHERE message_id = :message_id AND emoji = :emoji AND user_id = :user_id"
)
DROP_EMOJI = "DELETE FROM community_reactions WHERE message_id = :message_id AND emoji = :emoji"
DROP_ALL = "DELETE FROM community_reactions WHERE message_id = :message_id"
STANDS = """
SELECT 1 FROM community_reactions WHERE message_id = :message_id AND emoji = :emoji AND user_id = :user_id
"""
USERS = """
SELECT user_id FROM community_reactions WHERE message_id = :message_id AND emoji = :emoji AND user_id > :after
ORDER BY user_id LIMIT :limit
"""


async def counts(reader: Reader, message_ids: Iterable[int], viewer: int) -> dict[int, list[ReactionCount]]:
    """By message, the oldest reaction first."""
    found: dict[int, list[ReactionCount]] = {}
    for row in await reader.all(COUNTS, {"ids": list(message_ids), "viewer": viewer}, ReactionCount):
        found.setdefault(row.message_id, []).append(row)
    return found


async def count_emojis(reader: Reader, message_id: int) -> int:
    return int(await reader.value(COUNT_EMOJIS, {"message_id": message_id}))


async def count_users(reader: Reader, message_id: int, emoji: str) -> int:
    return int(await reader.value(COUNT_USERS, {"message_id": message_id, "emoji": emoji}))


async def stands(reader: Reader, message_id: int, emoji: str, user_id: int) -> bool:
    values = {"message_id": message_id, "emoji": emoji, "user_id": user_id}
    return await reader.value(STANDS, values) is not None


async def add(tx: Transaction, message_id: int, emoji: str, user_id: int, now: int) -> bool:
    """False when they had reacted so before."""
    values = {"message_id": message_id, "emoji": emoji, "user_id": user_id, "now": now}
    if not await tx.run(ADD, values):
        return False
    await tx.run(MARK, {"message_id": message_id})
    return True


async def drop(tx: Transaction, message_id: int, emoji: str, user_id: int) -> bool:
    return await tx.run(DROP, {"message_id": message_id, "emoji": emoji, "user_id": user_id}) > 0


async def drop_emoji(tx: Transaction, message_id: int, emoji: str) -> bool:
    return await tx.run(DROP_EMOJI, {"message_id": message_id, "emoji": emoji}) > 0


async def drop_all(tx: Transaction, message_id: int) -> bool:
    return await tx.run(DROP_ALL, {"message_id": message_id}) > 0


async def users(reader: Reader, message_id: int, emoji: str, after: int, limit: int) -> list[int]:
    params = {"message_id": message_id, "emoji": emoji, "after": after, "limit": limit}
    return await reader.all(USERS, params, int)
