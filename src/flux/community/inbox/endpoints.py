"""Acknowledging, and `/users/@me/mentions`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.inbox.pinned import PinnedService
from flux.community.inbox.schemas import Ack, AckBulk, MentionsQuery, Preload
from flux.community.inbox.service import InboxService
from flux.community.messages.schemas import MessageView
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Encoded, Routes, Snowflake
from flux.kernel.wire.values import encoder

routes = Routes(tag="inbox")
CHANNEL = (faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS)


@routes.post(
    "/channels/{channel_id}/messages/{message_id}/ack", auth=ANYBODY, bucket=buckets.ACK, raises=CHANNEL
)
async def ack(call: Call, channel_id: Snowflake, message_id: Snowflake, body: Ack = Ack()) -> None:
    """You have read up to this message."""
    await call.use(InboxService).ack(call.principal.user, channel_id, message_id, body)


@routes.delete("/channels/{channel_id}/messages/ack", auth=ANYBODY, bucket=buckets.ACK, raises=CHANNEL)
async def forget(call: Call, channel_id: Snowflake) -> None:
    """Forget how far you have read."""
    await call.use(InboxService).forget(call.principal.user, channel_id)


@routes.post("/channels/{channel_id}/pins/ack", auth=ANYBODY, bucket=buckets.ACK, raises=CHANNEL)
async def ack_pins(call: Call, channel_id: Snowflake) -> None:
    """You have seen the pinned messages."""
    await call.use(InboxService).ack_pins(call.principal.user, channel_id)


@routes.post("/read-states/ack-bulk", auth=ANYBODY, bucket=buckets.ACK_BULK, raises=CHANNEL)
async def ack_many(call: Call, body: AckBulk) -> None:
    """You have read up to these messages, one a channel."""
    await call.use(InboxService).ack_many(call.principal.user, body.read_states)


@routes.get("/users/@me/mentions", auth=ANYBODY)
async def list_mentions(call: Call, query: MentionsQuery) -> list[MessageView]:
    """Messages that name you, your roles or everybody, latest first."""
    return await call.use(InboxService).mentions(call.principal.user, query)


@routes.delete("/users/@me/mentions/{message_id}", auth=ANYBODY)
async def dismiss(call: Call, message_id: Snowflake) -> None:
    """Take a message from that list."""
    await call.use(InboxService).dismiss(call.principal.user, message_id)


@routes.put("/users/@me/channels/{channel_id}/pin", auth=ANYBODY, raises=CHANNEL)
async def pin(call: Call, channel_id: Snowflake) -> None:
    """Keep a conversation at the top of your list."""
    await call.use(PinnedService).change(call.principal.user, channel_id, pinned=True)


@routes.delete("/users/@me/channels/{channel_id}/pin", auth=ANYBODY, raises=CHANNEL)
async def unpin(call: Call, channel_id: Snowflake) -> None:
    """Keep it there no more."""
    await call.use(PinnedService).change(call.principal.user, channel_id, pinned=False)


@routes.post("/users/@me/channels/messages/preload", auth=ANYBODY)
async def preload(call: Call, body: Preload) -> Encoded[dict[str, MessageView | None]]:
    """The latest message of each of these channels."""
    return await _latest(call, body)


@routes.post("/users/@me/preload-messages", auth=ANYBODY)
async def preload_messages(call: Call, body: Preload) -> Encoded[dict[str, MessageView | None]]:
    """The same under its older name."""
    return await _latest(call, body)


async def _latest(call: Call, body: Preload) -> Encoded[dict[str, MessageView | None]]:
    channels = [int(each) for each in body.channels]
    return Encoded(encoder.encode(await call.use(PinnedService).preload(call.principal.user, channels)))
