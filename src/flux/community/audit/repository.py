"""The SQL of the audit log."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Database, Transaction


class EntryRow(Struct, frozen=True):
    """`options` and `changes` are JSON."""

    id: int
    action_type: int
    user_id: int
    target_id: str | None
    reason: str | None
    options: bytes | None
    changes: bytes | None


class WebhookRow(Struct, frozen=True):
    id: int
    guild_id: int
    channel_id: int
    name: str
    avatar: str | None


WEBHOOKS = (
    "SELECT id, guild_id, channel_id, name, avatar FROM community_webhooks WHERE id IN :ids ORDER BY id"
)
INSERT = """
INSERT INTO community_audit_log (id, guild_id, action_type, user_id, target_id, reason, options, changes)
VALUES (:id, :guild_id, :action_type, :user_id, :target_id, :reason, :options, :changes)
"""
PAGE = """
SELECT id, action_type, user_id, target_id, reason, options, changes FROM community_audit_log
WHERE guild_id = :guild_id AND id > :after AND id < :before AND (:user_id = 0 OR user_id = :user_id)
    AND (:action_type = 0 OR action_type = :action_type) ORDER BY id {order} LIMIT :limit
"""
NEWEST = PAGE.format(order="DESC")
OLDEST = PAGE.format(order="ASC")


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def webhooks(db: Database, ids: list[int]) -> list[WebhookRow]:
    """Those of them that there are still."""
    return await db.all(WEBHOOKS, {"ids": ids}, WebhookRow) if ids else []


async def page(db: Database, values: dict[str, Any], *, oldest_first: bool) -> list[EntryRow]:
    return await db.scan(OLDEST if oldest_first else NEWEST, values, EntryRow)
