"""The SQL of read states."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class ReadRow(Struct, frozen=True):
    channel_id: int
    last_message_id: int
    mention_count: int
    last_pin_at: int | None


LIST = """
SELECT channel_id, last_message_id, mention_count, last_pin_at FROM community_read_states WHERE user_id = :user_id
ORDER BY channel_id
"""
ACK = """
INSERT INTO community_read_states (user_id, channel_id, last_message_id, mention_count)
VALUES (:user_id, :channel_id, :message_id, :mention_count)
ON CONFLICT (user_id, channel_id) DO UPDATE SET last_message_id = excluded.last_message_id,
    mention_count = excluded.mention_count
WHERE :manual = 1 OR community_read_states.last_message_id <= excluded.last_message_id
"""
ACK_PINS = """
INSERT INTO community_read_states (user_id, channel_id, last_pin_at) VALUES (:user_id, :channel_id, :at)
ON CONFLICT (user_id, channel_id) DO UPDATE SET last_pin_at = excluded.last_pin_at
"""
DROP = "DELETE FROM community_read_states WHERE user_id = :user_id AND channel_id = :channel_id"


async def list_of(reader: Reader, user_id: int) -> list[ReadRow]:
    return await reader.all(LIST, {"user_id": user_id}, ReadRow)


async def ack(tx: Transaction, values: dict[str, Any]) -> bool:
    """False when more was read already, unless `manual`."""
    return await tx.run(ACK, values) > 0


async def ack_pins(tx: Transaction, user_id: int, channel_id: int, now: int) -> None:
    await tx.run(ACK_PINS, {"user_id": user_id, "channel_id": channel_id, "at": now})


async def drop(tx: Transaction, user_id: int, channel_id: int) -> None:
    await tx.run(DROP, {"user_id": user_id, "channel_id": channel_id})
