"""What happened in guilds, told late."""

from __future__ import annotations

from flux.community.bans.service import BanService
from flux.community.belated.changed import Data, Table, over, plain
from flux.community.channels.service import ChannelService
from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.stickers import StickerService
from flux.community.guilds.schemas import GuildView
from flux.community.invites.service import InviteService
from flux.community.members.service import MemberService
from flux.community.roles.schemas import RoleView
from flux.community.roles.service import RoleService
from flux.community.standing.service import StandingService


class LatePlaces:
    def __init__(
        self,
        where: StandingService,
        channels: ChannelService,
        roles: RoleService,
        members: MemberService,
        bans: BanService,
        invites: InviteService,
        emojis: EmojiService,
        stickers: StickerService,
    ) -> None:
        self._where = where
        self._channels = channels
        self._roles = roles
        self._members = members
        self._bans = bans
        self._invites = invites
        self._emojis = emojis
        self._stickers = stickers
        self.table: Table = {
            "GUILD_UPDATE": self._guild,
            "CHANNEL_CREATE": self._channel,
            "CHANNEL_UPDATE": self._channel,
            "CHANNEL_UPDATE_BULK": self._channels_now,
            "GUILD_ROLE_CREATE": self._role,
            "GUILD_ROLE_UPDATE": self._role,
            "GUILD_ROLE_UPDATE_BULK": self._roles_now,
            "GUILD_MEMBER_ADD": self._member,
            "GUILD_MEMBER_UPDATE": self._member,
            "GUILD_MEMBER_REMOVE": self._member_gone,
            "GUILD_BAN_ADD": self._banned,
            "GUILD_BAN_REMOVE": self._unbanned,
            "GUILD_EMOJIS_UPDATE": self._emojis_now,
            "GUILD_STICKERS_UPDATE": self._stickers_now,
            "INVITE_CREATE": self.invited,
        }

    async def _guild(self, guild_id: int, data: Data) -> Data | None:
        row = await self._where.find_guild(guild_id)
        return None if row is None else over(data, GuildView.of(row))

    async def _channel(self, guild_id: int, data: Data) -> Data | None:
        return next((each for each in await self._every(guild_id) if each["id"] == data["id"]), None)

    async def _channels_now(self, guild_id: int, data: Data) -> Data | None:
        named = {each["id"] for each in data["channels"]}
        return data | {"channels": [each for each in await self._every(guild_id) if each["id"] in named]}

    async def _every(self, guild_id: int) -> list[Data]:
        found: list[Data] = plain(await self._channels.all(guild_id))
        return found

    async def _role(self, guild_id: int, data: Data) -> Data | None:
        now = [
            RoleView.of(row) for row in await self._roles.all(guild_id) if str(row.id) == data["role"]["id"]
        ]
        return data | {"role": now[0]} if now else None

    async def _roles_now(self, guild_id: int, data: Data) -> Data | None:
        return data | {"roles": [RoleView.of(row) for row in await self._roles.all(guild_id)]}

    async def _member(self, guild_id: int, data: Data) -> Data | None:
        user_id = int(data["user"]["id"])
        if not await self._where.is_member(guild_id, user_id):
            return None
        return over(data, await self._members.view(guild_id, user_id))

    async def _member_gone(self, guild_id: int, data: Data) -> Data | None:
        return None if await self._where.is_member(guild_id, int(data["user"]["id"])) else data

    async def _banned(self, guild_id: int, data: Data) -> Data | None:
        return data if await self._bans.stands(guild_id, int(data["user"]["id"])) else None

    async def _unbanned(self, guild_id: int, data: Data) -> Data | None:
        return None if await self._bans.stands(guild_id, int(data["user"]["id"])) else data

    async def _emojis_now(self, guild_id: int, data: Data) -> Data | None:
        return data | {"emojis": await self._emojis.all(guild_id)}

    async def _stickers_now(self, guild_id: int, data: Data) -> Data | None:
        return data | {"stickers": await self._stickers.all(guild_id)}

    async def invited(self, _: int, data: Data) -> Data | None:
        return data if await self._invites.stands(data["code"]) else None

    # -- about one account, for the hub ------------------------------------------------------------------------

    async def joined(self, user_id: int, data: Data) -> Data | None:
        return data if await self._where.is_member(int(data["guild_id"]), user_id) else None

    async def left(self, user_id: int, data: Data) -> Data | None:
        return None if await self._where.is_member(int(data["guild_id"]), user_id) else data
