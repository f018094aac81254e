"""The SQL of webhooks."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class WebhookRow(Struct, frozen=True):
    id: int
    guild_id: int
    channel_id: int
    creator_id: int
    name: str
    avatar: str | None
    token: str


COLUMNS = "w.id, w.guild_id, w.channel_id, w.creator_id, w.name, w.avatar, w.token"
FIND = f"SELECT {COLUMNS} FROM community_webhooks w WHERE w.id = :id"
OF_CHANNEL = f"SELECT {COLUMNS} FROM community_webhooks w WHERE w.channel_id = :id ORDER BY w.id"
OF_GUILD = f"SELECT {COLUMNS} FROM community_webhooks w WHERE w.guild_id = :id ORDER BY w.id"
COUNT_CHANNEL = "SELECT COUNT(*) FROM community_webhooks WHERE channel_id = :id"
COUNT_GUILD = "SELECT COUNT(*) FROM community_webhooks WHERE guild_id = :id"
INSERT = """
INSERT INTO community_webhooks (id, guild_id, channel_id, creator_id, name, avatar, token)
VALUES (:id, :guild_id, :channel_id, :creator_id, :name, :avatar, :token)
"""
DELETE = "DELETE FROM community_webhooks WHERE id = :id"
_CHANGEABLE = frozenset({"name", "avatar", "channel_id"})


async def find(reader: Reader, webhook_id: int) -> WebhookRow | None:
    return await reader.one(FIND, {"id": webhook_id}, WebhookRow)


async def of_channel(reader: Reader, channel_id: int) -> list[WebhookRow]:
    return await reader.all(OF_CHANNEL, {"id": channel_id}, WebhookRow)


async def of_guild(reader: Reader, guild_id: int) -> list[WebhookRow]:
    return await reader.all(OF_GUILD, {"id": guild_id}, WebhookRow)


async def count(reader: Reader, channel_id: int, guild_id: int) -> tuple[int, int]:
    """Of the channel, of the guild."""
    return int(await reader.value(COUNT_CHANNEL, {"id": channel_id})), int(
        await reader.value(COUNT_GUILD, {"id": guild_id})
    )


async def insert(tx: Transaction, row: WebhookRow) -> None:
    await tx.run(INSERT, msgspec.structs.asdict(row))


async def update(tx: Transaction, webhook_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(f"UPDATE community_webhooks SET {assignments} WHERE id = :id", {**values, "id": webhook_id})


async def delete(tx: Transaction, webhook_id: int) -> bool:
    return await tx.run(DELETE, {"id": webhook_id}) > 0
