"""`/invites` and the invites of a channel or guild."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.invites.schemas import AnyInvite, InviteCreate, InviteView
from flux.community.invites.service import InviteService
from flux.community.principals import ANYBODY, OPEN
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="invites")
CHANNEL = (
    faults.UNKNOWN_CHANNEL,
    faults.MISSING_ACCESS,
    faults.MISSING_PERMISSIONS,
    faults.TWO_FACTOR_REQUIRED,
)


@routes.post(
    "/channels/{channel_id}/invites",
    auth=ANYBODY,
    bucket=buckets.INVITE_CREATE,
    raises=[*CHANNEL, faults.MAX_INVITES, faults.INVALID_CHANNEL_TYPE, faults.UNKNOWN_INVITE],
)
async def create_invite(call: Call, channel_id: Snowflake, body: InviteCreate = InviteCreate()) -> AnyInvite:
    """Create an invite to the channel's guild, or to a group; 24 hours by default, `max_age: 0` for ever."""
    return await call.use(InviteService).create(
        call.principal.user, channel_id, body, reason_of(call.header(HEADER))
    )


@routes.get(
    "/channels/{channel_id}/invites",
    auth=ANYBODY,
    bucket=buckets.INVITE_LIST,
    raises=[*CHANNEL, faults.UNKNOWN_INVITE],
)
async def list_channel_invites(call: Call, channel_id: Snowflake) -> list[AnyInvite]:
    """The channel's invites."""
    return await call.use(InviteService).of_channel(call.principal.user, channel_id)


@routes.get(
    "/guilds/{guild_id}/invites",
    auth=ANYBODY,
    bucket=buckets.INVITE_LIST,
    raises=[
        faults.UNKNOWN_GUILD,
        faults.MISSING_ACCESS,
        faults.MISSING_PERMISSIONS,
        faults.TWO_FACTOR_REQUIRED,
        faults.UNKNOWN_INVITE,
    ],
)
async def list_guild_invites(call: Call, guild_id: Snowflake) -> list[InviteView]:
    """The guild's invites."""
    return await call.use(InviteService).of_guild(call.principal.user, guild_id)


@routes.get("/invites/{invite_code}", auth=OPEN, bucket=buckets.INVITE_READ, raises=[faults.UNKNOWN_INVITE])
async def read_invite(call: Call, invite_code: str) -> AnyInvite:
    """What an invite leads to."""
    return await call.use(InviteService).read(invite_code)


@routes.post(
    "/invites/{invite_code}",
    auth=ANYBODY,
    bucket=buckets.INVITE_ACCEPT,
    raises=[
        faults.UNKNOWN_INVITE, faults.INVITES_DISABLED, faults.USER_BANNED_FROM_GUILD, faults.USER_IP_BANNED_FROM_GUILD,
        faults.TEMPORARY_INVITE_REQUIRES_PRESENCE, faults.MAX_GUILDS, faults.MAX_GUILD_MEMBERS,
        faults.MAX_GROUP_DM_RECIPIENTS, faults.MAX_GROUP_DMS,
    ],
)  # fmt: skip
async def accept_invite(call: Call, invite_code: str) -> AnyInvite:
    """Join the guild or group."""
    return await call.use(InviteService).accept(call.principal.user, invite_code, call.client_ip)


@routes.delete(
    "/invites/{invite_code}",
    auth=ANYBODY,
    bucket=buckets.INVITE_DELETE,
    raises=[faults.UNKNOWN_INVITE, faults.MISSING_PERMISSIONS],
)
async def delete_invite(call: Call, invite_code: str) -> None:
    """Delete an invite you made or manage."""
    await call.use(InviteService).delete(call.principal.user, invite_code, reason_of(call.header(HEADER)))
