"""`/channels/{channel_id}/webhooks`, `/guilds/{guild_id}/webhooks`, `/webhooks/{webhook_id}`: with a login."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY
from flux.community.webhooks.schemas import WebhookCreate, WebhookUpdate, WebhookView
from flux.community.webhooks.service import WebhookService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="webhooks")
CHANNEL = (
    faults.UNKNOWN_CHANNEL,
    faults.MISSING_ACCESS,
    faults.MISSING_PERMISSIONS,
    faults.TWO_FACTOR_REQUIRED,
)
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)
OWN = (faults.UNKNOWN_WEBHOOK, *CHANNEL)
IMAGE = (faults.FILE_SIZE_TOO_LARGE, faults.CONTENT_BLOCKED, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT)


@routes.get("/channels/{channel_id}/webhooks", auth=ANYBODY, bucket=buckets.WEBHOOK_LIST, raises=CHANNEL)
async def list_channel_webhooks(call: Call, channel_id: Snowflake) -> list[WebhookView]:
    """The channel's webhooks with their tokens."""
    return await call.use(WebhookService).of_channel(call.principal.user, channel_id)


@routes.get("/guilds/{guild_id}/webhooks", auth=ANYBODY, bucket=buckets.WEBHOOK_LIST, raises=GUILD)
async def list_guild_webhooks(call: Call, guild_id: Snowflake) -> list[WebhookView]:
    """The webhooks of all the guild's channels."""
    return await call.use(WebhookService).of_guild(call.principal.user, guild_id)


@routes.post(
    "/channels/{channel_id}/webhooks",
    auth=ANYBODY,
    bucket=buckets.WEBHOOK_CREATE,
    body_limit=BODY_BYTES,
    raises=[
        *CHANNEL, *IMAGE, faults.MAX_WEBHOOKS_PER_CHANNEL, faults.MAX_WEBHOOKS_PER_GUILD, faults.INVALID_CHANNEL_TYPE,
        faults.CANNOT_EXECUTE_ON_DM,
    ],
)  # fmt: skip
async def create_webhook(call: Call, channel_id: Snowflake, body: WebhookCreate) -> WebhookView:
    """Make a webhook that speaks in this channel."""
    reason = reason_of(call.header(HEADER))
    return await call.use(WebhookService).create(call.principal.user, channel_id, body, reason)


@routes.get("/webhooks/{webhook_id}", auth=ANYBODY, bucket=buckets.WEBHOOK_READ, raises=OWN)
async def read_webhook(call: Call, webhook_id: Snowflake) -> WebhookView:
    """A webhook you may manage."""
    return await call.use(WebhookService).read(call.principal.user, webhook_id)


@routes.patch(
    "/webhooks/{webhook_id}",
    auth=ANYBODY,
    bucket=buckets.WEBHOOK_WRITE,
    body_limit=BODY_BYTES,
    raises=[
        *OWN, *IMAGE, faults.MAX_WEBHOOKS_PER_CHANNEL, faults.INVALID_CHANNEL_TYPE, faults.CANNOT_EXECUTE_ON_DM,
    ],
)  # fmt: skip
async def update_webhook(call: Call, webhook_id: Snowflake, body: WebhookUpdate) -> WebhookView:
    """Rename a webhook, give it another avatar or channel."""
    reason = reason_of(call.header(HEADER))
    return await call.use(WebhookService).update(call.principal.user, webhook_id, body, reason)


@routes.delete("/webhooks/{webhook_id}", auth=ANYBODY, bucket=buckets.WEBHOOK_WRITE, raises=OWN)
async def delete_webhook(call: Call, webhook_id: Snowflake) -> None:
    """Delete a webhook; its messages stay."""
    reason = reason_of(call.header(HEADER))
    await call.use(WebhookService).delete(call.principal.user, webhook_id, reason)
