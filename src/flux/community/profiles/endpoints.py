"""`/users/{user_id}/profile`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.principals import ANYBODY
from flux.community.profiles.schemas import ProfileQuery, UserProfileFull
from flux.community.profiles.service import ProfileService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="users")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)


@routes.get(
    "/users/{user_id}/profile",
    auth=ANYBODY,
    bucket=buckets.USER_READ,
    raises=[*GUILD, faults.UNKNOWN_USER, faults.UNKNOWN_MEMBER],
)
async def read_profile(call: Call, user_id: Snowflake, query: ProfileQuery) -> UserProfileFull:
    """The profile of a friend or of somebody you share a guild with; with `guild_id`, as a member there."""
    return await call.use(ProfileService).read(call.principal.user, user_id, query)
