"""SQL of webhooks and their messages."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.pages import Rows, Window
from flux.content.webhooks.rows import Delivery, Webhook
from flux.kernel.store import Reader, Transaction

_WEBHOOK = rows.columns(Webhook)
_DELIVERY = rows.columns(Delivery)


async def listing(reader: Reader, environment: str, at: Window) -> Rows:
    source = "content_webhooks WHERE environment = :environment"
    params = {"environment": environment}
    return await rows.listing(reader, _WEBHOOK, source, "created_at DESC, key", params, at, Webhook)


async def one(reader: Reader, environment: str, key: str) -> Webhook | None:
    sql = f"SELECT {_WEBHOOK} FROM content_webhooks WHERE key = :key AND environment = :environment"
    return await reader.one(sql, {"key": key, "environment": environment}, Webhook)


async def enabled(reader: Reader, environment: str) -> list[Webhook]:
    sql = f"SELECT {_WEBHOOK} FROM content_webhooks WHERE environment = :environment AND is_enabled = 1"
    return await reader.all(sql, {"environment": environment}, Webhook)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_webhooks WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Webhook) -> None:
    await rows.insert(tx, "content_webhooks", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_webhooks", changes, "key = :key_", {"key_": key})


async def delete(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_webhooks WHERE key = :key", {"key": key})


# -- messages -------------------------------------------------------------------------------------------------


async def deliveries(reader: Reader, webhook: str, at: Window, status: str | None) -> Rows:
    source, params = "content_webhook_deliveries WHERE webhook = :webhook", {"webhook": webhook}
    if status is not None:
        source, params = f"{source} AND status = :status", {**params, "status": status}
    return await rows.listing(reader, _DELIVERY, source, "created_at DESC, key", params, at, Delivery)


async def delivery(reader: Reader, key: str) -> Delivery | None:
    sql = f"SELECT {_DELIVERY} FROM content_webhook_deliveries WHERE key = :key"
    return await reader.one(sql, {"key": key}, Delivery)


async def recipient(reader: Reader, key: str) -> Webhook | None:
    """Whom a message is for."""
    sql = (
        f"SELECT {rows.columns(Webhook, 'w')} FROM content_webhooks w "
        "JOIN content_webhook_deliveries d ON d.webhook = w.key WHERE d.key = :key"
    )
    return await reader.one(sql, {"key": key}, Webhook)


async def insert_delivery(tx: Transaction, row: Delivery) -> None:
    await rows.insert(tx, "content_webhook_deliveries", row)


async def settle(tx: Transaction, key: str, attempts: int, changes: dict[str, Any]) -> bool:
    """Note an attempt, unless another process noted one meanwhile."""
    where = "key = :key_ AND status = 'pending' AND attempts = :attempts_"
    params = {"key_": key, "attempts_": attempts}
    return await rows.update(tx, "content_webhook_deliveries", changes, where, params) == 1


async def forget(tx: Transaction, before: int) -> int:
    """Messages that were finished before."""
    sql = "DELETE FROM content_webhook_deliveries WHERE finished_at < :before"
    return await tx.run(sql, {"before": before})
