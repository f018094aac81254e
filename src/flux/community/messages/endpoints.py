"""`/channels/{channel_id}/messages`, pins and typing."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.messages.pins import PinService, plain
from flux.community.messages.schemas import (
    BulkDelete,
    MessageCreate,
    MessagesQuery,
    MessageUpdate,
    MessageView,
    Pins,
    PinsQuery,
)
from flux.community.messages.send import SendService
from flux.community.messages.service import MessageService
from flux.community.principals import ANYBODY
from flux.community.uploads.forms import UPLOAD_FAULTS, Forms
from flux.kernel.wire import Body, Call, Encoded, Routes, Snowflake

routes = Routes(tag="messages", prefix="/channels/{channel_id}")
CHANNEL = (faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS)
MANAGE = (*CHANNEL, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)
SPEAK = (
    *CHANNEL,
    faults.MISSING_PERMISSIONS,
    faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL,
    faults.COMMUNICATION_DISABLED,
    faults.EMAIL_VERIFICATION_REQUIRED,
    faults.ACCOUNT_TOO_NEW_FOR_GUILD,
    faults.GUILD_VERIFICATION_REQUIRED,
    faults.GUILD_PHONE_VERIFICATION_REQUIRED,
    faults.CANNOT_SEND_MESSAGES_TO_USER,
    faults.UNKNOWN_USER,
)


@routes.get("/messages", auth=ANYBODY, bucket=buckets.MESSAGE_READ, raises=CHANNEL)
async def list_messages(
    call: Call, channel_id: Snowflake, query: MessagesQuery
) -> Encoded[list[MessageView]]:
    """Messages of a channel, newest first."""
    return Encoded(await call.use(MessageService).listing(call.principal.user, channel_id, query))


@routes.post(
    "/messages",
    auth=ANYBODY,
    bucket=buckets.MESSAGE_CREATE,
    raises=[
        *SPEAK, faults.TWO_FACTOR_REQUIRED, faults.CANNOT_SEND_EMPTY_MESSAGE, faults.CONTENT_BLOCKED,
        faults.SLOWMODE_RATE_LIMITED, faults.UNKNOWN_MESSAGE, faults.UNKNOWN_STICKER,
        faults.EXPLICIT_CONTENT_CANNOT_BE_SENT, *UPLOAD_FAULTS,
    ],
    form=True,
)  # fmt: skip
async def send_message(call: Call, channel_id: Snowflake, body: Body[MessageCreate]) -> MessageView:
    """Send a message to a text channel; with files, as a form of `payload_json` and `files[n]`."""
    service, user = call.use(SendService), call.principal.user

    async def demand() -> None:
        await service.demand_files(user, channel_id)

    async with call.use(Forms).read(call, body, MessageCreate, channel_id, user, demand) as (sent, files):
        return await service.send(user, channel_id, sent, files)


@routes.post(
    "/messages/bulk-delete",
    auth=ANYBODY,
    bucket=buckets.BULK_DELETE,
    raises=[*MANAGE, faults.CANNOT_EXECUTE_ON_DM],
)
async def bulk_delete(call: Call, channel_id: Snowflake, body: BulkDelete) -> None:
    """Delete up to a hundred messages at once."""
    ids = [int(each) for each in body.message_ids]
    reason = reason_of(call.header(HEADER))
    await call.use(MessageService).bulk_delete(call.principal.user, channel_id, ids, reason)


@routes.get("/messages/pins", auth=ANYBODY, bucket=buckets.MESSAGE_READ, raises=CHANNEL)
async def list_pins(call: Call, channel_id: Snowflake, query: PinsQuery) -> Pins:
    """Pinned messages, newest pin first."""
    return await call.use(PinService).listing(call.principal.user, channel_id, query.before, query.limit)


@routes.get("/pins", auth=ANYBODY, bucket=buckets.MESSAGE_READ, raises=CHANNEL)
async def list_pins_plainly(call: Call, channel_id: Snowflake, query: PinsQuery) -> list[MessageView]:
    """Pinned messages as a bare list."""
    return plain(
        await call.use(PinService).listing(call.principal.user, channel_id, query.before, query.limit)
    )


@routes.put(
    "/pins/{message_id}",
    auth=ANYBODY,
    bucket=buckets.PINS,
    raises=[
        *MANAGE,
        faults.UNKNOWN_MESSAGE,
        faults.MAX_PINS_PER_CHANNEL,
        faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL,
    ],
)
async def pin(call: Call, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Pin a message."""
    reason = reason_of(call.header(HEADER))
    await call.use(PinService).pin(call.principal.user, channel_id, message_id, reason)


@routes.delete(
    "/pins/{message_id}",
    auth=ANYBODY,
    bucket=buckets.PINS,
    raises=[*MANAGE, faults.UNKNOWN_MESSAGE, faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL],
)
async def unpin(call: Call, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Unpin a message."""
    reason = reason_of(call.header(HEADER))
    await call.use(PinService).unpin(call.principal.user, channel_id, message_id, reason)


@routes.get(
    "/messages/{message_id}",
    auth=ANYBODY,
    bucket=buckets.MESSAGE_READ,
    raises=[*CHANNEL, faults.MISSING_PERMISSIONS, faults.UNKNOWN_MESSAGE],
)
async def read_message(call: Call, channel_id: Snowflake, message_id: Snowflake) -> Encoded[MessageView]:
    """One message."""
    return Encoded(await call.use(MessageService).read(call.principal.user, channel_id, message_id))


@routes.patch(
    "/messages/{message_id}",
    auth=ANYBODY,
    bucket=buckets.MESSAGE_UPDATE,
    raises=[
        *CHANNEL,
        faults.UNKNOWN_MESSAGE,
        faults.CANNOT_EDIT_OTHER_USER_MESSAGE,
        faults.CANNOT_SEND_EMPTY_MESSAGE,
        faults.MISSING_PERMISSIONS,
        faults.EXPLICIT_CONTENT_CANNOT_BE_SENT,
        *UPLOAD_FAULTS,
    ],
    form=True,
)
async def edit_message(
    call: Call, channel_id: Snowflake, message_id: Snowflake, body: Body[MessageUpdate]
) -> MessageView:
    """Edit a message of yours and its files, or hide the embeds of somebody else's."""
    service, user = call.use(MessageService), call.principal.user

    async def demand() -> None:
        await service.demand_files(user, channel_id, message_id)

    async with call.use(Forms).read(call, body, MessageUpdate, channel_id, user, demand) as (sent, files):
        return await service.edit(user, channel_id, message_id, sent, files)


@routes.delete(
    "/messages/{message_id}/attachments/{attachment_id}",
    auth=ANYBODY,
    bucket=buckets.MESSAGE_UPDATE,
    raises=[*CHANNEL, faults.MISSING_PERMISSIONS, faults.UNKNOWN_MESSAGE],
)
async def delete_attachment(
    call: Call, channel_id: Snowflake, message_id: Snowflake, attachment_id: Snowflake
) -> None:
    """Take a file off a message of yours."""
    await call.use(MessageService).detach(call.principal.user, channel_id, message_id, attachment_id)


@routes.delete(
    "/messages/{message_id}",
    auth=ANYBODY,
    bucket=buckets.MESSAGE_DELETE,
    raises=[*MANAGE, faults.UNKNOWN_MESSAGE],
)
async def delete_message(call: Call, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Delete a message of yours, or with MANAGE_MESSAGES anybody's."""
    reason = reason_of(call.header(HEADER))
    await call.use(MessageService).delete(call.principal.user, channel_id, message_id, reason)


@routes.post("/typing", auth=ANYBODY, bucket=buckets.TYPING, raises=SPEAK)
async def typing(call: Call, channel_id: Snowflake) -> None:
    """Show that you are writing."""
    await call.use(SendService).typing(call.principal.user, channel_id)
