"""/v1/{env}/webhooks/ and their deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from flux.content import faults
from flux.content.access import needs
from flux.content.pages import GREATEST, PageQuery, page, window
from flux.content.settled import Settled
from flux.content.webhooks.rows import Delivery, Webhook
from flux.content.webhooks.schemas import DeliveryView, WebhookChange, WebhookCreate, WebhookView
from flux.content.webhooks.service import Webhooks
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes

routes = Routes(tag="webhooks", prefix="/v1/{env}/webhooks")
CREATE, READ, UPDATE, DELETE = needs("webhooks")
_MISSING = [faults.WEBHOOK_NOT_FOUND]
_BODY = [faults.VALIDATION_ERROR, faults.FOLDER_NOT_FOUND]


class DeliveriesQuery(PageQuery):
    limit: Annotated[int, Meta(ge=1)] = 100
    offset: Annotated[int, Meta(ge=0, le=GREATEST)] = 0
    status: Literal["pending", "delivered", "failed"] | None = None


def _view(row: Webhook, secret: str | None = None) -> WebhookView:
    return WebhookView(
        key=row.key,
        environment=row.environment,
        name=row.name,
        url=row.url,
        events=row.events.split(","),
        folders=msgspec.json.decode(row.folders),
        is_enabled=bool(row.is_enabled),
        secret=secret or f"****{row.secret_hint}",
        created_at=iso(row.created_at),
    )


def _delivery_view(row: Delivery) -> DeliveryView:
    return DeliveryView(
        key=row.key,
        webhook=row.webhook,
        event=row.event,
        status=row.status,
        attempts=row.attempts,
        last_status=row.last_status,
        last_error=row.last_error,
        duration_ms=row.duration_ms,
        created_at=iso(row.created_at),
        next_attempt_at=None if row.next_attempt_at is None else iso(row.next_attempt_at),
        finished_at=None if row.finished_at is None else iso(row.finished_at),
        payload=msgspec.json.decode(row.payload),
    )


@routes.get("", auth=READ)
async def list_webhooks(call: Call, env: str, query: PageQuery) -> dict[str, Any]:
    """Webhooks, newest first."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Webhooks).listing(env, at), _view)


@routes.post("", auth=CREATE, status=201, raises=[*_BODY, faults.PLAN_LIMIT_EXCEEDED])
async def create_webhook(call: Call, env: str, body: WebhookCreate) -> WebhookView:
    """Create a webhook; its secret is shown here once."""
    return _view(*await call.use(Webhooks).create(env, body))


@routes.get("/{webhook}", auth=READ, raises=_MISSING)
async def get_webhook(call: Call, env: str, webhook: str) -> WebhookView:
    """One webhook."""
    return _view(await call.use(Webhooks).one(None, env, webhook))


@routes.put("/{webhook}", auth=UPDATE, raises=[*_MISSING, *_BODY])
async def update_webhook(call: Call, env: str, webhook: str, body: WebhookChange) -> WebhookView:
    """Change a webhook."""
    return _view(await call.use(Webhooks).change(env, webhook, body))


@routes.delete("/{webhook}", auth=DELETE, raises=_MISSING)
async def delete_webhook(call: Call, env: str, webhook: str) -> None:
    """Delete a webhook with its history; what waits is not sent any more."""
    await call.use(Webhooks).delete(env, webhook)


@routes.post("/{webhook}/secret", auth=UPDATE, raises=_MISSING)
async def renew_webhook_secret(call: Call, env: str, webhook: str) -> WebhookView:
    """Give a webhook a new secret, shown here once."""
    return _view(*await call.use(Webhooks).renew_secret(env, webhook))


@routes.post("/{webhook}/ping", auth=UPDATE, status=202, raises=_MISSING)
async def ping_webhook(call: Call, env: str, webhook: str) -> DeliveryView:
    """Send a message that says nothing, to try the address."""
    return _delivery_view(await call.use(Webhooks).ping(env, webhook))


@routes.get("/{webhook}/deliveries", auth=READ, raises=_MISSING)
async def list_webhook_deliveries(
    call: Call, env: str, webhook: str, query: DeliveriesQuery
) -> dict[str, Any]:
    """What a webhook was told and what became of it, newest first."""
    at = window(query, call.use(Settled).content.page_size)
    found = await call.use(Webhooks).deliveries(env, webhook, at, query.status)
    return page(call, at, found, _delivery_view)


@routes.post(
    "/{webhook}/deliveries/{delivery}/redeliver",
    auth=UPDATE,
    status=202,
    raises=[*_MISSING, faults.WEBHOOK_DELIVERY_NOT_FOUND],
)
async def redeliver(call: Call, env: str, webhook: str, delivery: str) -> DeliveryView:
    """Send a message once more."""
    return _delivery_view(await call.use(Webhooks).redeliver(env, webhook, delivery))
