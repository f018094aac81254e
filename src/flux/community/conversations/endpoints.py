"""`/users/@me/channels` and the people of a group."""

from __future__ import annotations

from msgspec import Struct

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.channels.private import PrivateChannels
from flux.community.channels.schemas import ChannelUpdate, ChannelView
from flux.community.channels.service import ChannelService
from flux.community.conversations.groups import GroupService
from flux.community.conversations.schemas import PrivateChannelCreate
from flux.community.conversations.service import ConversationService
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="conversations")
VERIFICATION = (
    faults.EMAIL_VERIFICATION_REQUIRED, faults.ACCOUNT_TOO_NEW_FOR_GUILD, faults.GUILD_VERIFICATION_REQUIRED,
    faults.GUILD_PHONE_VERIFICATION_REQUIRED,
)  # fmt: skip
GROUP = (faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS, faults.INVALID_CHANNEL_TYPE, faults.UNKNOWN_USER)


class SilentQuery(Struct):
    silent: bool = False


@routes.get("/users/@me/channels", auth=ANYBODY)
async def list_conversations(call: Call) -> list[ChannelView]:
    """Your open conversations."""
    return await call.use(PrivateChannels).listing(call.principal.user.id)


@routes.post(
    "/users/@me/channels",
    auth=ANYBODY,
    raises=[
        faults.UNKNOWN_USER, faults.CANNOT_SEND_MESSAGES_TO_USER, faults.MAX_GROUP_DMS, faults.MAX_GROUP_DM_RECIPIENTS,
        faults.NOT_FRIENDS_WITH_USER, *VERIFICATION,
    ],
)  # fmt: skip
async def begin(call: Call, body: PrivateChannelCreate) -> ChannelView:
    """Open a direct conversation, or begin a group."""
    return await call.use(ConversationService).begin(call.principal.user, body)


@routes.put(
    "/channels/{channel_id}/recipients/{user_id}",
    auth=ANYBODY,
    raises=[
        *GROUP, faults.MAX_GROUP_DM_RECIPIENTS, faults.MAX_GROUP_DMS, faults.NOT_FRIENDS_WITH_USER,
        faults.CANNOT_SEND_MESSAGES_TO_USER,
    ],
)  # fmt: skip
async def add_recipient(call: Call, channel_id: Snowflake, user_id: Snowflake) -> None:
    """Bring a friend into a group, or somebody who lets others do so too."""
    await call.use(ConversationService).add(call.principal.user, channel_id, user_id)


@routes.delete(
    "/channels/{channel_id}/recipients/{user_id}", auth=ANYBODY, raises=[*GROUP, faults.MISSING_PERMISSIONS]
)
async def remove_recipient(call: Call, channel_id: Snowflake, user_id: Snowflake, query: SilentQuery) -> None:
    """Leave a group, or as its owner remove somebody."""
    service = call.use(ConversationService)
    await service.remove(call.principal.user, channel_id, user_id, silent=query.silent)


@routes.patch(
    "/channels/{channel_id}",
    auth=ANYBODY,
    bucket=buckets.CHANNEL_WRITE,
    body_limit=BODY_BYTES,
    raises=[
        faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED,
        faults.INVALID_PERMISSIONS_INTEGER, faults.INVALID_PERMISSIONS_NEGATIVE, faults.INVALID_CHANNEL_TYPE, faults.MAX_CATEGORY_CHANNELS, faults.UNKNOWN_VOICE_REGION,
        faults.FILE_SIZE_TOO_LARGE, faults.CONTENT_BLOCKED, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT,
    ],
)  # fmt: skip
async def update_channel(call: Call, channel_id: Snowflake, body: ChannelUpdate) -> ChannelView:
    """Change a guild's channel, or a group you are in; members that do not fit the channel's type are ignored."""
    user = call.principal.user
    changed = await call.use(GroupService).update(user, channel_id, body)
    if changed is not None:
        return changed
    return await call.use(ChannelService).update(user, channel_id, body, reason_of(call.header(HEADER)))


@routes.delete(
    "/channels/{channel_id}",
    auth=ANYBODY,
    bucket=buckets.CHANNEL_WRITE,
    raises=[
        faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED,
        faults.CANNOT_EXECUTE_ON_DM, faults.UNKNOWN_USER,
    ],
)  # fmt: skip
async def delete_channel(call: Call, channel_id: Snowflake, query: SilentQuery) -> None:
    """Delete a guild channel (the channels of a category stay), close a direct conversation, or leave a group."""
    user = call.principal.user
    if not await call.use(ConversationService).leave(user, channel_id, silent=query.silent):
        await call.use(ChannelService).delete(user, channel_id, reason_of(call.header(HEADER)))
