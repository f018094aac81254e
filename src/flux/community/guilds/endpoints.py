"""`/guilds` and the list of one's own."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER as REASON
from flux.community.audit.service import reason_of
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.guilds.schemas import (
    GuildCreate,
    GuildListQuery,
    GuildUpdate,
    GuildView,
    OwnershipTransfer,
    Vanity,
    VanityChanged,
    VanityUpdate,
)
from flux.community.guilds.service import GuildService
from flux.community.guilds.vanity import VanityService
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY, scoped
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="guilds")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
IMAGE = (faults.FILE_SIZE_TOO_LARGE, faults.CONTENT_BLOCKED, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT)
OWNER = (*GUILD, faults.MISSING_PERMISSIONS, *SUDO)


@routes.get("/users/@me/guilds", auth=scoped("guilds"), bucket=buckets.GUILD_LIST)
async def list_guilds(call: Call, query: GuildListQuery) -> list[GuildView]:
    """Your guilds by ascending id."""
    return await call.use(GuildService).mine(call.principal.user, query)


@routes.post(
    "/guilds",
    auth=ANYBODY,
    bucket=buckets.GUILD_CREATE,
    body_limit=BODY_BYTES,
    raises=[faults.MAX_GUILDS, faults.FORBIDDEN, faults.UNKNOWN_GUILD, *IMAGE],
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
    body_limit=BODY_BYTES,
    raises=[*OWNER, *IMAGE, faults.TWO_FACTOR_REQUIRED],
)
async def update_guild(call: Call, guild_id: Snowflake, body: GuildUpdate) -> GuildView:
    """Change a guild's settings."""
    sudo = call.use(SudoService).asked(call, body)
    reason = reason_of(call.header(REASON))
    return await call.use(GuildService).update(call.principal.user, guild_id, body, sudo, reason)


@routes.post(
    "/guilds/{guild_id}/transfer-ownership",
    auth=ANYBODY,
    bucket=buckets.GUILD_UPDATE,
    raises=[*OWNER, faults.UNKNOWN_MEMBER, faults.UNKNOWN_USER, faults.CANNOT_TRANSFER_OWNERSHIP_TO_BOT],
)
async def transfer_guild(call: Call, guild_id: Snowflake, body: OwnershipTransfer) -> GuildView:
    """Hand a guild over to another member."""
    service, user = call.use(GuildService), call.principal.user
    sudo = call.use(SudoService).asked(call, body)
    return await service.transfer(user, guild_id, body.new_owner_id, sudo, reason_of(call.header(REASON)))


@routes.post("/guilds/{guild_id}/delete", auth=ANYBODY, bucket=buckets.GUILD_DELETE, raises=OWNER)
async def delete_guild_with_proof(call: Call, guild_id: Snowflake, body: SudoProof) -> None:
    """Delete a guild you own, with everything in it."""
    await _delete(call, guild_id, body)


@routes.delete("/guilds/{guild_id}", auth=ANYBODY, bucket=buckets.GUILD_DELETE, raises=OWNER)
async def delete_guild(call: Call, guild_id: Snowflake, body: SudoProof | None = None) -> None:
    """Delete a guild you own; people send a sudo proof, bots need none."""
    await _delete(call, guild_id, body)


async def _delete(call: Call, guild_id: int, body: SudoProof | None) -> None:
    sudo = call.use(SudoService).asked(call, body)
    await call.use(GuildService).delete(call.principal.user, guild_id, sudo)


VANITY = (*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)


@routes.get("/guilds/{guild_id}/vanity-url", auth=ANYBODY, bucket=buckets.GUILD_READ, raises=VANITY)
async def read_vanity(call: Call, guild_id: Snowflake) -> Vanity:
    """The guild's own invite code, and how many came by it."""
    return await call.use(VanityService).read(call.principal.user, guild_id)


@routes.patch(
    "/guilds/{guild_id}/vanity-url",
    auth=ANYBODY,
    bucket=buckets.GUILD_UPDATE,
    raises=[*VANITY, faults.VANITY_URL_TAKEN],
)
async def update_vanity(call: Call, guild_id: Snowflake, body: VanityUpdate) -> VanityChanged:
    """Choose the guild's own invite code, or give it back."""
    reason = reason_of(call.header(REASON))
    service = call.use(VanityService)
    return VanityChanged(await service.update(call.principal.user, guild_id, body.code, reason))
