"""`/guilds/{guild_id}/bans`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.bans.schemas import BanCreate, BanView
from flux.community.bans.service import BanService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="bans", prefix="/guilds/{guild_id}")
MANAGE = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)


@routes.get("/bans", auth=ANYBODY, raises=MANAGE)
async def list_bans(call: Call, guild_id: Snowflake) -> list[BanView]:
    """Who is banned."""
    return await call.use(BanService).listing(call.principal.user, guild_id)


@routes.put(
    "/bans/{user_id}",
    auth=ANYBODY,
    bucket=buckets.MEMBER_WRITE,
    raises=[*MANAGE, faults.UNKNOWN_USER, faults.UNKNOWN_MEMBER],
)
async def ban(call: Call, guild_id: Snowflake, user_id: Snowflake, body: BanCreate = BanCreate()) -> None:
    """Ban an account and the address it was last seen at."""
    reason = reason_of(call.header(HEADER))
    await call.use(BanService).ban(call.principal.user, guild_id, user_id, body, reason)


@routes.delete(
    "/bans/{user_id}", auth=ANYBODY, bucket=buckets.MEMBER_WRITE, raises=[*MANAGE, faults.UNKNOWN_USER]
)
async def unban(call: Call, guild_id: Snowflake, user_id: Snowflake) -> None:
    """Lift a ban."""
    reason = reason_of(call.header(HEADER))
    await call.use(BanService).unban(call.principal.user, guild_id, user_id, reason)
