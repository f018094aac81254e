"""Somebody's profile, for those who share a guild with them."""

from __future__ import annotations

from msgspec import UNSET

from flux.community import faults
from flux.community.members import repository
from flux.community.members.schemas import MutualGuild, ProfileQuery, UserProfileFull
from flux.community.members.service import MemberService
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial, UserProfile
from flux.community.users.service import UserService
from flux.kernel.store import Database, iso


class ProfileService:
    def __init__(
        self, db: Database, users: UserService, where: StandingService, members: MemberService
    ) -> None:
        self._db = db
        self._users = users
        self._where = where
        self._members = members

    async def read(self, user: UserRow, target_id: int, query: ProfileQuery) -> UserProfileFull:
        """Bots are for everybody to see. Raises UNKNOWN_USER, MISSING_ACCESS, UNKNOWN_GUILD, UNKNOWN_MEMBER."""
        target = await self._users.require(target_id)
        shared = await repository.in_common(self._db, user.id, target.id)
        if not shared and user.id != target.id and not target.bot:
            raise faults.MISSING_ACCESS()
        member = None
        if query.guild_id is not None:
            await self._where.guild(user, query.guild_id)
            member = await self._members.view(query.guild_id, target.id)
        return UserProfileFull(
            user=UserPartial.of(target),
            user_profile=UserProfile(
                target.bio, target.pronouns, target.banner, target.banner_color, target.accent_color
            ),
            premium_type=target.premium_type,
            premium_since=UNSET if target.premium_since is None else iso(target.premium_since),
            guild_member=member or UNSET,
            guild_member_profile=None if member else UNSET,
            mutual_guilds=await self._mutual(target.id, shared) if query.with_mutual_guilds else UNSET,
        )

    async def _mutual(self, target_id: int, guild_ids: list[int]) -> list[MutualGuild]:
        rows = [await repository.find(self._db, guild_id, target_id) for guild_id in guild_ids]
        return [MutualGuild(str(row.guild_id), row.nick) for row in rows if row is not None]
