"""`/users/@me/guilds/…/settings`."""

from __future__ import annotations

from flux.community import faults
from flux.community.loudness.schemas import GuildSettings, GuildSettingsUpdate
from flux.community.loudness.service import CONVERSATIONS, LoudnessService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="users", prefix="/users/@me/guilds")


@routes.patch("/@me/settings", auth=ANYBODY)
async def change_conversations(call: Call, body: GuildSettingsUpdate) -> GuildSettings:
    """How loud your conversations are."""
    return await call.use(LoudnessService).change(call.principal.user, CONVERSATIONS, body)


@routes.patch("/{guild_id}/settings", auth=ANYBODY, raises=[faults.UNKNOWN_GUILD, faults.MISSING_ACCESS])
async def change_guild(call: Call, guild_id: Snowflake, body: GuildSettingsUpdate) -> GuildSettings:
    """How loud a guild of yours is for you."""
    return await call.use(LoudnessService).change(call.principal.user, guild_id, body)
