"""`/guilds/{guild_id}/roles`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.principals import ANYBODY
from flux.community.roles.schemas import HoistPosition, RoleCreate, RolePosition, RoleUpdate, RoleView
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
    reason = reason_of(call.header(HEADER))
    return await call.use(RoleService).create(call.principal.user, guild_id, body, reason)


@routes.patch("/roles", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=MANAGE)
async def move_roles(call: Call, guild_id: Snowflake, body: list[RolePosition]) -> None:
    """Put roles into another order."""
    reason = reason_of(call.header(HEADER))
    await call.use(RoleService).move(call.principal.user, guild_id, body, reason)


@routes.patch("/roles/hoist-positions", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=MANAGE)
async def hoist_roles(call: Call, guild_id: Snowflake, body: list[HoistPosition]) -> None:
    """Show hoisted roles in an order of their own."""
    positions = {int(item.id): item.hoist_position for item in body}
    reason = reason_of(call.header(HEADER))
    await call.use(RoleService).hoist(call.principal.user, guild_id, positions, reason)


@routes.delete("/roles/hoist-positions", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=MANAGE)
async def flatten_roles(call: Call, guild_id: Snowflake) -> None:
    """Show hoisted roles in the order of the roles again."""
    await call.use(RoleService).hoist(call.principal.user, guild_id, None, reason_of(call.header(HEADER)))


@routes.patch("/roles/{role_id}", auth=ANYBODY, bucket=buckets.ROLE_UPDATE, raises=[*MANAGE, *BITS])
async def update_role(call: Call, guild_id: Snowflake, role_id: Snowflake, body: RoleUpdate) -> RoleView:
    """Change a role below your own highest."""
    reason = reason_of(call.header(HEADER))
    return await call.use(RoleService).update(call.principal.user, guild_id, role_id, body, reason)


@routes.delete("/roles/{role_id}", auth=ANYBODY, bucket=buckets.ROLE_DELETE, raises=MANAGE)
async def delete_role(call: Call, guild_id: Snowflake, role_id: Snowflake) -> None:
    """Delete a role; its members lose it."""
    reason = reason_of(call.header(HEADER))
    await call.use(RoleService).delete(call.principal.user, guild_id, role_id, reason)
