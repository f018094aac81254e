"""`/guilds/{guild_id}/members` and leaving a guild."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.media.rules import BODY_BYTES
from flux.community.members.pruning import Pruned, PruneInput, PruningService
from flux.community.members.schemas import (
    MemberListQuery,
    MemberUpdate,
    MemberView,
    OwnMemberUpdate,
)
from flux.community.members.searching import MemberHits, MemberSearch, SearchingService
from flux.community.members.service import MemberService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="members")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
MANAGE = (*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED, faults.UNKNOWN_MEMBER)

IMAGES = (faults.FILE_SIZE_TOO_LARGE, faults.CONTENT_BLOCKED, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT)


@routes.get("/guilds/{guild_id}/members", auth=ANYBODY, bucket=buckets.MEMBER_LIST, raises=GUILD)
async def list_members(call: Call, guild_id: Snowflake, query: MemberListQuery) -> list[MemberView]:
    """Members by ascending user id, after `after`."""
    return await call.use(MemberService).listing(call.principal.user, guild_id, query.after or 0, query.limit)


PRUNE = (*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)


@routes.get("/guilds/{guild_id}/prune", auth=ANYBODY, bucket=buckets.MEMBER_LIST, raises=PRUNE)
async def count_idle_members(call: Call, guild_id: Snowflake, query: PruneInput) -> Pruned:
    """How many members hold no role and have not been there for that many days."""
    return await call.use(PruningService).count(call.principal.user, guild_id, query.days)


@routes.post("/guilds/{guild_id}/prune", auth=ANYBODY, bucket=buckets.MEMBER_WRITE, raises=PRUNE)
async def prune_members(call: Call, guild_id: Snowflake, body: PruneInput = PruneInput()) -> Pruned:
    """Remove them; they may come back."""
    reason = reason_of(call.header(HEADER))
    return await call.use(PruningService).prune(call.principal.user, guild_id, body.days, reason)


@routes.post(
    "/guilds/{guild_id}/members-search",
    auth=ANYBODY,
    bucket=buckets.MEMBER_LIST,
    raises=[*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED],
)
async def search_members(call: Call, guild_id: Snowflake, body: MemberSearch) -> MemberHits:
    """Members by name, role, time and way of joining."""
    return await call.use(SearchingService).search(call.principal.user, guild_id, body)


@routes.get(
    "/guilds/{guild_id}/members/@me",
    auth=ANYBODY,
    bucket=buckets.MEMBER_READ,
    raises=[*GUILD, faults.UNKNOWN_MEMBER],
)
async def read_own_member(call: Call, guild_id: Snowflake) -> MemberView:
    """Yourself in this guild."""
    user = call.principal.user
    return await call.use(MemberService).read(user, guild_id, user.id)


@routes.patch(
    "/guilds/{guild_id}/members/@me",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    body_limit=2 * BODY_BYTES,
    raises=[*MANAGE, *IMAGES, faults.UNKNOWN_USER, faults.USER_NOT_IN_VOICE],
)
async def update_own_member(call: Call, guild_id: Snowflake, body: OwnMemberUpdate) -> MemberView:
    """Change your nickname, and how you look in this guild; as for another member, but for roles."""
    user, reason = call.principal.user, reason_of(call.header(HEADER))
    return await call.use(MemberService).update(user, guild_id, user.id, body, reason)


@routes.get(
    "/guilds/{guild_id}/members/{user_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_READ,
    raises=[*GUILD, faults.UNKNOWN_MEMBER],
)
async def read_member(call: Call, guild_id: Snowflake, user_id: Snowflake) -> MemberView:
    """One member."""
    return await call.use(MemberService).read(call.principal.user, guild_id, user_id)


@routes.patch(
    "/guilds/{guild_id}/members/{user_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    body_limit=2 * BODY_BYTES,
    raises=[
        *MANAGE, *IMAGES, faults.UNKNOWN_ROLE, faults.UNKNOWN_USER, faults.USER_NOT_IN_VOICE, faults.CANNOT_MODIFY_VOICE_STATE,
    ],
)  # fmt: skip
async def update_member(
    call: Call, guild_id: Snowflake, user_id: Snowflake, body: MemberUpdate
) -> MemberView:
    """Nickname, roles, time-out, voice state of a member below you; for yourself also how you look."""
    reason = reason_of(call.header(HEADER))
    return await call.use(MemberService).update(call.principal.user, guild_id, user_id, body, reason)


@routes.delete(
    "/guilds/{guild_id}/members/{user_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    raises=[*MANAGE, faults.UNKNOWN_USER],
)
async def kick_member(call: Call, guild_id: Snowflake, user_id: Snowflake) -> None:
    """Remove a member below you; they may come back."""
    reason = reason_of(call.header(HEADER))
    await call.use(MemberService).kick(call.principal.user, guild_id, user_id, reason)


@routes.put(
    "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    raises=[*MANAGE, faults.UNKNOWN_ROLE],
)
async def add_role(call: Call, guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake) -> None:
    """Give a member a role below your highest."""
    service, reason = call.use(MemberService), reason_of(call.header(HEADER))
    await service.change_role(call.principal.user, guild_id, user_id, role_id, add=True, reason=reason)


@routes.delete(
    "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    raises=[*MANAGE, faults.UNKNOWN_ROLE],
)
async def remove_role(call: Call, guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake) -> None:
    """Take a role from a member."""
    service, reason = call.use(MemberService), reason_of(call.header(HEADER))
    await service.change_role(call.principal.user, guild_id, user_id, role_id, add=False, reason=reason)


@routes.delete("/users/@me/guilds/{guild_id}", auth=ANYBODY, bucket=buckets.GUILD_DELETE, raises=GUILD)
async def leave_guild(call: Call, guild_id: Snowflake) -> None:
    """Leave a guild that is not yours."""
    await call.use(MemberService).leave(call.principal.user, guild_id)
