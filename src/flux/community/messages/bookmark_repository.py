"""The SQL of saved messages."""

from __future__ import annotations

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class BookmarkRow(Struct, frozen=True):
    message_id: int
    channel_id: int
    created_at: int


LIST = """
SELECT message_id, channel_id, created_at FROM community_bookmarks WHERE user_id = :user_id
ORDER BY created_at DESC, message_id DESC LIMIT :limit
"""
COUNT = "SELECT COUNT(*) FROM community_bookmarks WHERE user_id = :user_id"
ADD = """
INSERT INTO community_bookmarks (user_id, message_id, channel_id, created_at)
VALUES (:user_id, :message_id, :channel_id, :now) ON CONFLICT (user_id, message_id) DO NOTHING
"""
HAS = "SELECT created_at FROM community_bookmarks WHERE user_id = :user_id AND message_id = :message_id"
DROP = "DELETE FROM community_bookmarks WHERE user_id = :user_id AND message_id = :message_id"


async def list_of(reader: Reader, user_id: int, limit: int) -> list[BookmarkRow]:
    """Latest first."""
    return await reader.all(LIST, {"user_id": user_id, "limit": limit}, BookmarkRow)


async def count(reader: Reader, user_id: int) -> int:
    return int(await reader.value(COUNT, {"user_id": user_id}))


async def has(reader: Reader, user_id: int, message_id: int) -> bool:
    return await reader.value(HAS, {"user_id": user_id, "message_id": message_id}) is not None


async def add(tx: Transaction, user_id: int, message_id: int, channel_id: int, now: int) -> None:
    await tx.run(ADD, {"user_id": user_id, "message_id": message_id, "channel_id": channel_id, "now": now})


async def drop(tx: Transaction, user_id: int, message_id: int) -> bool:
    return await tx.run(DROP, {"user_id": user_id, "message_id": message_id}) > 0
