"""From which guilds an account takes direct messages of people it is no friend of. No I/O.

Bots have a list and a default of their own: `bot_restricted_guilds`, `bot_default_guilds_restricted`.
"""

from __future__ import annotations

from msgspec.structs import replace

from flux.community.users.schemas import UserSettings

MOST = 200
"""Guilds in a list; where there are more, the oldest are forgotten."""


def takes_messages(settings: UserSettings, guild_id: int, *, bots: bool) -> bool:
    restricted = settings.bot_restricted_guilds if bots else settings.restricted_guilds
    return str(guild_id) not in restricted


def entered(settings: UserSettings, guild_id: int) -> UserSettings:
    """After coming into a guild: it is restricted where the account has chosen that for every new one."""
    people, bots = settings.restricted_guilds, settings.bot_restricted_guilds
    if settings.default_guilds_restricted:
        people = _with(people, guild_id)
    if settings.bot_default_guilds_restricted:
        bots = _with(bots, guild_id)
    return replace(settings, restricted_guilds=people, bot_restricted_guilds=bots)


def left(settings: UserSettings, guild_id: int) -> UserSettings:
    """After leaving one: whoever comes back comes into a new guild."""
    gone = str(guild_id)
    people, bots = (
        [each for each in listed if each != gone]
        for listed in (settings.restricted_guilds, settings.bot_restricted_guilds)
    )
    return replace(settings, restricted_guilds=people, bot_restricted_guilds=bots)


def _with(listed: list[str], guild_id: int) -> list[str]:
    return listed if str(guild_id) in listed else [*listed, str(guild_id)][-MOST:]
