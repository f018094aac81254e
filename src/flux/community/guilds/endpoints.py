"""`/guilds` and the list of one's own."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import HEADER
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.guilds.schemas import (
    GuildCreate,
    GuildListQuery,
    GuildUpdate,
    GuildView,
    OwnershipTransfer,
)
from flux.community.guilds.service import GuildService
from flux.community.principals import ANYBODY, scoped
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="guilds")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
OWNER = (*GUILD, faults.MISSING_PERMISSIONS, *SUDO)


@routes.get("/users/@me/guilds", auth=scoped("guilds"), bucket=buckets.GUILD_LIST)
async def list_guilds(call: Call, query: GuildListQuery) -> list[GuildView]:
    """Your guilds by ascending id."""
    return await call.use(GuildService).mine(call.principal.user, query)


@routes.post(
    "/guilds",
    auth=ANYBODY,
    bucket=buckets.GUILD_CREATE,
    raises=[faults.MAX_GUILDS, faults.FORBIDDEN, faults.CONTENT_BLOCKED, faults.UNKNOWN_GUILD],
)
async def create_guild(call: Call, body: GuildCreate) -> GuildView:
    """Create a guild with a text and a voice channel; you own it."""
    return await call.use(GuildService).create(call.principal, body)


@routes.get("/guilds/{guild_id}", auth=ANYBODY, bucket=buckets.GUILD_READ, raises=GUILD)
async def read_guild(call: Call, guild_id: Snowflake) -> GuildView:
    """A guild you are a member of."""
    return await call.use(GuildService).read(call.principal.user, guild_id)


@routes.patch(
    "/guilds/{guild_id}",
    auth=ANYBODY,
    bucket=buckets.GUILD_UPDATE,
    raises=[*OWNER, faults.CONTENT_BLOCKED, faults.TWO_FACTOR_REQUIRED],
)
async def update_guild(call: Call, guild_id: Snowflake, body: GuildUpdate) -> GuildView:
    """Change a guild's settings."""
    return await call.use(GuildService).update(
        call.principal.user, guild_id, body, call.header(HEADER.lower())
    )


@routes.post(
    "/guilds/{guild_id}/transfer-ownership",
    auth=ANYBODY,
    bucket=buckets.GUILD_UPDATE,
    raises=[*OWNER, faults.UNKNOWN_MEMBER, faults.UNKNOWN_USER],
)
async def transfer_guild(call: Call, guild_id: Snowflake, body: OwnershipTransfer) -> GuildView:
    """Hand a guild over to another member."""
    service, user = call.use(GuildService), call.principal.user
    return await service.transfer(
        user, guild_id, body.new_owner_id, call.header(HEADER.lower()), body.password or None
    )


@routes.post("/guilds/{guild_id}/delete", auth=ANYBODY, bucket=buckets.GUILD_DELETE, raises=OWNER)
async def delete_guild_with_proof(call: Call, guild_id: Snowflake, body: SudoProof) -> None:
    """Delete a guild you own, with everything in it."""
    await _delete(call, guild_id, body)


@routes.delete("/guilds/{guild_id}", auth=ANYBODY, bucket=buckets.GUILD_DELETE, raises=OWNER)
async def delete_guild(call: Call, guild_id: Snowflake, body: SudoProof | None = None) -> None:
    """Delete a guild you own; people send a sudo proof, bots need none."""
    await _delete(call, guild_id, body)


async def _delete(call: Call, guild_id: int, body: SudoProof | None) -> None:
    password = body.password or None if body else None
    await call.use(GuildService).delete(call.principal.user, guild_id, call.header(HEADER.lower()), password)
