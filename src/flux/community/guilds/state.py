"""The whole of a guild as one member sees it: what the realtime gateway sends when it becomes visible."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.community.channels.schemas import ChannelView
from flux.community.channels.service import ChannelService
from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.stickers import StickerService
from flux.community.guilds import repository
from flux.community.guilds.schemas import GuildView
from flux.community.inputs import filled
from flux.community.members.schemas import MemberView
from flux.community.members.service import MemberService
from flux.community.roles.schemas import RoleView
from flux.community.roles.service import RoleService
from flux.community.standing.service import Standing, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database, iso


class GuildModel(Struct):
    """What of a guild decides who sees what."""

    owner_id: int
    member_count: int
    roles: dict[int, int]
    """Permissions by role id, @everyone under the guild's id."""
    channels: list[ChannelView]


class GuildStates:
    def __init__(
        self,
        db: Database,
        where: StandingService,
        roles: RoleService,
        channels: ChannelService,
        members: MemberService,
        emojis: EmojiService,
        stickers: StickerService,
    ) -> None:
        self._db = db
        self._where = where
        self._roles = roles
        self._channels = channels
        self._members = members
        self._emojis = emojis
        self._stickers = stickers

    async def of(self, user: UserRow, guild_id: int) -> dict[str, Any]:
        """Raises UNKNOWN_GUILD, MISSING_ACCESS. Guild members stand at the top level and under `properties`."""
        standing = await self._where.guild(user, guild_id)
        return (await self._shown({guild_id: standing}))[guild_id]

    async def of_many(self, user: UserRow, guild_ids: list[int]) -> dict[int, dict[str, Any]]:
        """The same for several guilds in as few questions as for one; those the user is not in are absent."""
        return await self._shown(await self._where.guilds(user, guild_ids))

    async def _shown(self, standings: dict[int, Standing]) -> dict[int, dict[str, Any]]:
        guild_ids = list(standings)
        channels = await self._channels.visible_in(standings)
        roles = await self._roles.of_many(guild_ids)
        emojis = await self._emojis.of_many(guild_ids)
        stickers = await self._stickers.of_many(guild_ids)
        found = {}
        for guild_id, standing in standings.items():
            properties = GuildView.of(standing.guild)
            found[guild_id] = {
                **filled(properties),
                "properties": properties,
                "channels": channels[guild_id],
                "roles": [RoleView.of(row) for row in roles[guild_id]],
                "emojis": emojis.get(guild_id, []),
                "stickers": stickers.get(guild_id, []),
                "members": [MemberView.of(standing.member, standing.user, standing.role_ids)],
                "member_count": standing.guild.member_count,
                "online_count": 0,
                "presences": [],
                "voice_states": [],
                "joined_at": iso(standing.member.joined_at),
            }
        return found

    async def models(self, guild_ids: list[int]) -> dict[int, GuildModel]:
        """By guild; those that are gone are absent."""
        guilds = await self._where.find_guilds(guild_ids)
        roles = await self._roles.of_many(guild_ids)
        channels = await self._channels.all_in(guild_ids)
        return {
            guild.id: GuildModel(
                guild.owner_id,
                guild.member_count,
                {row.id: row.permissions for row in roles[guild.id]},
                channels[guild.id],
            )
            for guild in guilds
        }

    async def roles_held(self, guild_id: int, user_ids: list[int]) -> dict[int, list[int]]:
        """Of those who are members: a user without roles has an empty list, a stranger none."""
        held = await self._members.roles_held(guild_id, user_ids)
        present = await repository.present(self._db, guild_id, user_ids)
        return {user_id: held.get(user_id, []) for user_id in present}

    async def roles_in(self, user_id: int, guild_ids: list[int]) -> dict[int, list[int]]:
        """One user's role ids by guild; guilds they are not in are absent."""
        return await self._members.roles_in(user_id, guild_ids)
