"""The SQL of mentions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class Mention(Struct, frozen=True):
    message_id: int
    channel_id: int


ADD = """
INSERT INTO community_mentions (target_id, message_id, channel_id, kind, author_id)
VALUES (:target_id, :message_id, :channel_id, :kind, :author_id) ON CONFLICT (target_id, message_id) DO NOTHING
"""
MINE = """
FROM community_mentions m WHERE m.target_id IN :targets AND m.author_id <> :user_id AND m.kind IN :kinds
    AND NOT EXISTS (SELECT 1 FROM community_dismissed_mentions d WHERE d.user_id = :user_id AND d.message_id = m.message_id)
"""
RECENT = f"""
SELECT DISTINCT m.message_id, m.channel_id {MINE} AND m.message_id < :before ORDER BY m.message_id DESC LIMIT :limit
"""
UNREAD = """
SELECT m.channel_id, COUNT(DISTINCT m.message_id) FROM community_mentions m
LEFT JOIN community_read_states r ON r.user_id = :user_id AND r.channel_id = m.channel_id
WHERE m.target_id IN :targets AND m.author_id <> :user_id AND m.message_id > COALESCE(r.last_message_id, 0)
GROUP BY m.channel_id
"""
DISMISS = """
INSERT INTO community_dismissed_mentions (user_id, message_id)
SELECT :user_id, id FROM community_messages WHERE id = :message_id ON CONFLICT (user_id, message_id) DO NOTHING
"""


async def add(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    await tx.run_many(ADD, rows)


async def recent(reader: Reader, where: dict[str, Any]) -> list[Mention]:
    """Latest first. `where` is {targets, user_id, kinds, before, limit}."""
    return await reader.all(RECENT, where, Mention)


async def unread(reader: Reader, user_id: int, targets: list[int]) -> dict[int, int]:
    """By channel, how many messages after the last one read name one of `targets`."""
    where = {"user_id": user_id, "targets": targets}
    rows: list[tuple[int, int]] = await reader.all(
        UNREAD, where, lambda channel, count: (channel, int(count))
    )
    return dict(rows)


async def dismiss(tx: Transaction, user_id: int, message_id: int) -> bool:
    return await tx.run(DISMISS, {"user_id": user_id, "message_id": message_id}) > 0
