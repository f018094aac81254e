"""How one becomes a member and stops being one. Everything happens in the caller's unit of work."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.members import repository
from flux.community.members.schemas import MemberView
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Transaction
from flux.settings.community import CommunityLimits

BY_INVITE = 0
BY_BOT_INVITE = 1


class Joining:
    def __init__(
        self, clock: Clock, users: UserService, announcer: Announcer, limits: CommunityLimits
    ) -> None:
        self._clock = clock
        self._users = users
        self._announcer = announcer
        self._limits = limits

    async def join(
        self,
        tx: Transaction,
        guild_id: int,
        user: UserRow,
        *,
        source: int = BY_INVITE,
        invite: str | None = None,
        inviter_id: int | None = None,
        temporary: bool = False,
    ) -> bool:
        """False when they are a member already. Raises MAX_GUILDS, MAX_GUILD_MEMBERS."""
        await self.demand_room(tx, user, guild_id)
        if not await self._insert(tx, guild_id, user.id, source, invite, inviter_id, temporary):
            return False
        if not await repository.take_place(tx, guild_id, self._limits.max_guild_members):
            raise faults.MAX_GUILD_MEMBERS(max=self._limits.max_guild_members)
        if not user.bot:
            await self._users.entered_guild(tx, user.id, guild_id)
        row = await repository.find(tx, guild_id, user.id)
        assert row is not None
        self._announcer.guild(tx, guild_id, "GUILD_MEMBER_ADD", MemberView.of(row, user, (), with_guild=True))
        self._announcer.control(tx, user.id, "GUILD_JOINED", {"guild_id": str(guild_id)})
        return True

    async def found(self, tx: Transaction, guild_id: int, owner: UserRow) -> None:
        """The owner of a new guild, whose first place is taken by its own row."""
        await self._insert(tx, guild_id, owner.id, BY_INVITE, None, None, False)
        self._announcer.control(tx, owner.id, "GUILD_JOINED", {"guild_id": str(guild_id)})

    async def demand_room(self, tx: Transaction, user: UserRow, guild_id: int = 0) -> None:
        """Raises MAX_GUILDS; bots have no limit, and `guild_id` may be one they are in already."""
        most = self._limits.max_guilds_premium if user.premium else self._limits.max_guilds
        await repository.user_turn(tx, user.id)
        if not user.bot and await repository.count_guilds(tx, user.id, guild_id) >= most:
            raise faults.MAX_GUILDS(max=most)

    async def leave(self, tx: Transaction, guild_id: int, user: UserRow) -> bool:
        """False when they were no member."""
        if not await repository.delete(tx, guild_id, user.id):
            return False
        if not user.bot:
            await self._users.left_guild(tx, user.id, guild_id)
        told = {"guild_id": str(guild_id), "user": UserPartial.of(user)}
        self._announcer.guild(tx, guild_id, "GUILD_MEMBER_REMOVE", told)
        self._announcer.control(tx, user.id, "GUILD_LEFT", {"guild_id": str(guild_id)})
        return True

    async def _insert(
        self,
        tx: Transaction,
        guild_id: int,
        user_id: int,
        source: int,
        invite: str | None,
        inviter_id: int | None,
        temporary: bool,
    ) -> bool:
        values = {
            "guild_id": guild_id,
            "user_id": user_id,
            "joined_at": self._clock.now_ms(),
            "join_source": source,
            "source_invite": invite,
            "inviter_id": inviter_id,
            "temporary": int(temporary),
        }
        return await repository.insert(tx, values)
