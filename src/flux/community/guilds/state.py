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
from flux.community.standing.service import StandingService
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
        properties = GuildView.of(standing.guild)
        own = MemberView.of(standing.member, user, standing.role_ids)
        return {
            **filled(properties),
            "properties": properties,
            "channels": await self._channels.visible(standing),
            "roles": [RoleView.of(row) for row in await self._roles.all(guild_id)],
            "emojis": await self._emojis.all(guild_id),
            "stickers": await self._stickers.all(guild_id),
            "members": [own],
            "member_count": standing.guild.member_count,
            "online_count": 0,
            "presences": [],
            "voice_states": [],
            "joined_at": iso(standing.member.joined_at),
        }

    async def model(self, guild_id: int) -> GuildModel | None:
        guild = await self._where.find_guild(guild_id)
        if guild is None:
            return None
        roles = {row.id: row.permissions for row in await self._roles.all(guild_id)}
        return GuildModel(guild.owner_id, guild.member_count, roles, await self._channels.all(guild_id))

    async def roles_held(self, guild_id: int, user_ids: list[int]) -> dict[int, list[int]]:
        """Of those who are members: a user without roles has an empty list, a stranger none."""
        held = await self._members.roles_held(guild_id, user_ids)
        present = await repository.present(self._db, guild_id, user_ids)
        return {user_id: held.get(user_id, []) for user_id in present}

    async def roles_in(self, user_id: int, guild_ids: list[int]) -> dict[int, list[int]]:
        """One user's role ids by guild; guilds they are not in are absent."""
        return await self._members.roles_in(user_id, guild_ids)
