"""The SQL of pinned conversations."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction

LIST = """
SELECT channel_id FROM community_pinned_conversations WHERE user_id = :user_id ORDER BY pinned_at DESC, channel_id DESC
"""
PIN = """
INSERT INTO community_pinned_conversations (user_id, channel_id, pinned_at) VALUES (:user_id, :channel_id, :now)
ON CONFLICT (user_id, channel_id) DO NOTHING
"""
UNPIN = "DELETE FROM community_pinned_conversations WHERE user_id = :user_id AND channel_id = :channel_id"


async def list_of(reader: Reader, user_id: int) -> list[int]:
    return await reader.all(LIST, {"user_id": user_id}, int)


async def pin(tx: Transaction, user_id: int, channel_id: int, now: int) -> None:
    await tx.run(PIN, {"user_id": user_id, "channel_id": channel_id, "now": now})


async def unpin(tx: Transaction, user_id: int, channel_id: int) -> None:
    await tx.run(UNPIN, {"user_id": user_id, "channel_id": channel_id})
