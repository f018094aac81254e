"""`/guilds/{guild_id}/roles`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.principals import ANYBODY
from flux.community.roles.schemas import RoleCreate, RolePosition, RoleUpdate, RoleView
from flux.community.roles.service import RoleService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="roles", prefix="/guilds/{guild_id}")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
MANAGE = (*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED, faults.UNKNOWN_ROLE)
BITS = (faults.INVALID_PERMISSIONS_INTEGER, faults.INVALID_PERMISSIONS_NEGATIVE)


@routes.get("/roles", auth=ANYBODY, bucket=buckets.ROLE_LIST, raises=GUILD)
async def list_roles(call: Call, guild_id: Snowflake) -> list[RoleView]:
    """The guild's roles, lowest first; @everyone has the guild's id."""
    return await call.use(RoleService).listing(call.principal.user, guild_id)


@routes.post(
    "/roles", auth=ANYBODY, bucket=buckets.ROLE_CREATE, raises=[*MANAGE, *BITS, faults.MAX_GUILD_ROLES]
)
async def create_role(call: Call, guild_id: Snowflake, body: RoleCreate) -> RoleView:
    """Create a role just above @everyone."""
    return await call.use(RoleService).create(call.principal.user, guild_id, body)


@routes.patch("/roles", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=MANAGE)
async def move_roles(call: Call, guild_id: Snowflake, body: list[RolePosition]) -> None:
    """Put roles into another order."""
    await call.use(RoleService).move(call.principal.user, guild_id, body)


@routes.patch("/roles/{role_id}", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=[*MANAGE, *BITS])
async def update_role(call: Call, guild_id: Snowflake, role_id: Snowflake, body: RoleUpdate) -> RoleView:
    """Change a role below your own highest."""
    return await call.use(RoleService).update(call.principal.user, guild_id, role_id, body)


@routes.delete("/roles/{role_id}", auth=ANYBODY, bucket=buckets.ROLE_DELETE, raises=MANAGE)
async def delete_role(call: Call, guild_id: Snowflake, role_id: Snowflake) -> None:
    """Delete a role; its members lose it."""
    await call.use(RoleService).delete(call.principal.user, guild_id, role_id)
