"""Reading somebody's profile."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from flux.community import faults
from flux.community.members.schemas import MemberView
from flux.community.members.service import MemberService
from flux.community.profiles.schemas import MemberProfile, MutualGuild, ProfileQuery, UserProfileFull
from flux.community.relationships.service import RelationshipService
from flux.community.standing.records import MemberRow
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial, UserProfile
from flux.community.users.service import UserService
from flux.kernel.store import Database, iso


class ProfileService:
    def __init__(
        self,
        db: Database,
        users: UserService,
        where: StandingService,
        members: MemberService,
        relationships: RelationshipService,
    ) -> None:
        self._db = db
        self._users = users
        self._where = where
        self._members = members
        self._relationships = relationships

    async def read(self, user: UserRow, target_id: int, query: ProfileQuery) -> UserProfileFull:
        """Bots are for everybody to see. Raises UNKNOWN_USER, MISSING_ACCESS, UNKNOWN_GUILD, UNKNOWN_MEMBER."""
        target = await self._users.require(target_id)
        shared = await self._members.in_common(user.id, target.id, self._db)
        known = bool(shared or target.bot) or user.id == target.id
        if not known and not await self._relationships.are_friends(user.id, target.id, self._db):
            raise faults.MISSING_ACCESS()
        member: MemberView | UnsetType = UNSET
        own: MemberProfile | UnsetType | None = UNSET
        if query.guild_id is not None:
            await self._where.guild(user, query.guild_id)
            member = await self._members.view(query.guild_id, target.id)
            own = _own(await self._members.row(query.guild_id, target.id))
        return UserProfileFull(
            user=UserPartial.of(target),
            user_profile=UserProfile(
                target.bio, target.pronouns, target.banner, target.banner_color, target.accent_color
            ),
            premium_type=target.premium_type,
            premium_since=UNSET if target.premium_since is None else iso(target.premium_since),
            guild_member=member,
            guild_member_profile=own,
            mutual_friends=await self._friends(user, target) if query.with_mutual_friends else UNSET,
            mutual_guilds=await self._mutual(target.id, shared) if query.with_mutual_guilds else UNSET,
        )

    async def _mutual(self, target_id: int, guild_ids: list[int]) -> list[MutualGuild]:
        nicks = await self._members.nicks(target_id, guild_ids)
        return [MutualGuild(str(guild_id), nick) for guild_id, nick in nicks.items()]

    async def _friends(self, user: UserRow, target: UserRow) -> list[UserPartial]:
        """Those who are friends with both; nobody for one's own profile."""
        if user.id == target.id:
            return []
        ids = await self._relationships.friends_of_both(user.id, target.id)
        people = await self._users.find_many(ids)
        return [UserPartial.of(people[each]) for each in ids if each in people]


def _own(row: MemberRow | None) -> MemberProfile | None:
    """None for who shows the same everywhere."""
    if row is None:
        return None
    shown = MemberProfile(row.bio or None, row.pronouns or None, row.banner, row.accent_color)
    return shown if shown != MemberProfile(None, None, None, None) else None
