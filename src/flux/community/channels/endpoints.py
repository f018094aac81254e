"""`/channels/{channel_id}` and `/guilds/{guild_id}/channels`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.channels.ordering import OrderingService
from flux.community.channels.schemas import (
    ChannelCreate,
    ChannelPlace,
    ChannelView,
    OverwritePut,
)
from flux.community.channels.service import ChannelService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="channels")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
CHANNEL = (faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS)
MANAGE = (faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)
BITS = (faults.INVALID_PERMISSIONS_INTEGER, faults.INVALID_PERMISSIONS_NEGATIVE)


@routes.get("/guilds/{guild_id}/channels", auth=ANYBODY, bucket=buckets.CHANNEL_LIST, raises=GUILD)
async def list_channels(call: Call, guild_id: Snowflake) -> list[ChannelView]:
    """The guild's channels that you see."""
    return await call.use(ChannelService).listing(call.principal.user, guild_id)


@routes.post(
    "/guilds/{guild_id}/channels",
    auth=ANYBODY,
    bucket=buckets.CHANNEL_CREATE,
    raises=[
        *GUILD,
        *MANAGE,
        *BITS,
        faults.INVALID_CHANNEL_TYPE,
        faults.MAX_GUILD_CHANNELS,
        faults.MAX_CATEGORY_CHANNELS,
    ],
)
async def create_channel(call: Call, guild_id: Snowflake, body: ChannelCreate) -> ChannelView:
    """Create a text, voice, link channel or a category."""
    reason = reason_of(call.header(HEADER))
    return await call.use(ChannelService).create(call.principal.user, guild_id, body, reason)


@routes.patch(
    "/guilds/{guild_id}/channels",
    auth=ANYBODY,
    bucket=buckets.CHANNEL_WRITE,
    raises=[*GUILD, *MANAGE, faults.MAX_CATEGORY_CHANNELS],
)
async def move_channels(call: Call, guild_id: Snowflake, body: list[ChannelPlace]) -> None:
    """Put channels into another order or under other categories: all of them, or none."""
    reason = reason_of(call.header(HEADER))
    await call.use(OrderingService).move(call.principal.user, guild_id, body, reason)


@routes.get("/channels/{channel_id}", auth=ANYBODY, bucket=buckets.CHANNEL_READ, raises=CHANNEL)
async def read_channel(call: Call, channel_id: Snowflake) -> ChannelView:
    """A channel that you see."""
    return await call.use(ChannelService).read(call.principal.user, channel_id)


@routes.put(
    "/channels/{channel_id}/permissions/{overwrite_id}",
    auth=ANYBODY,
    raises=[*CHANNEL, *MANAGE, *BITS, faults.CANNOT_EXECUTE_ON_DM],
)
async def put_overwrite(
    call: Call, channel_id: Snowflake, overwrite_id: Snowflake, body: OverwritePut
) -> None:
    """Set what a role or member may do in this channel only."""
    allow, deny = int(body.allow or 0), int(body.deny or 0)
    await call.use(ChannelService).put_overwrite(
        call.principal.user, channel_id, overwrite_id, body.type, allow, deny, reason_of(call.header(HEADER))
    )


@routes.delete(
    "/channels/{channel_id}/permissions/{overwrite_id}",
    auth=ANYBODY,
    raises=[*CHANNEL, *MANAGE, faults.CANNOT_EXECUTE_ON_DM],
)
async def delete_overwrite(call: Call, channel_id: Snowflake, overwrite_id: Snowflake) -> None:
    """Remove an overwrite."""
    reason = reason_of(call.header(HEADER))
    await call.use(ChannelService).drop_overwrite(call.principal.user, channel_id, overwrite_id, reason)
