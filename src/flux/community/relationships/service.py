"""Requests, friends, blocks, and whether one may write to another."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.members.service import MemberService
from flux.community.relationships import repository, rules
from flux.community.relationships.repository import RelationshipRow
from flux.community.relationships.schemas import RelationshipView
from flux.community.users import privacy
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Reader, Transaction, iso
from flux.settings.community import CommunityLimits


class RelationshipService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        members: MemberService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._members = members
        self._announcer = announcer
        self._limits = limits

    async def listing(self, user_id: int) -> list[RelationshipView]:
        rows = await repository.list_of(self._db, user_id)
        people = await self._users.find_many(row.other_id for row in rows)
        return [_view(row, people[row.other_id]) for row in rows if row.other_id in people]

    async def are_friends(self, one: int, other: int, reader: Reader) -> bool:
        row = await repository.find(reader, one, other)
        return row is not None and row.type == rules.FRIEND

    async def friends_of_both(self, one: int, other: int) -> list[int]:
        """Their ids, at most two hundred."""
        return await repository.mutual_friends(self._db, one, other)

    # -- requests ---------------------------------------------------------------------------------------------

    async def request_by_tag(self, user: UserRow, username: str, discriminator: int) -> RelationshipView:
        """Raises NO_USERS_WITH_FLUXERTAG_EXIST and what `request` raises."""
        other = await self._users.by_tag(username, discriminator)
        if other is None:
            raise faults.NO_USERS_WITH_FLUXERTAG_EXIST()
        return await self.request(user, other.id)

    async def request(self, user: UserRow, other_id: int) -> RelationshipView:
        """A request, or friendship where the other had asked before. Raises MAX_FRIENDS, ALREADY_FRIENDS …"""
        if other_id == user.id:
            raise faults.CANNOT_SEND_FRIEND_REQUEST_TO_SELF()

        async def work(tx: Transaction) -> RelationshipView:
            await self._users.lock_all(tx, [user.id, other_id])
            other = await self._users.require(other_id, tx)
            if user.bot or other.bot:
                raise faults.BOTS_CANNOT_SEND_FRIEND_REQUESTS()
            mine = await repository.find(tx, user.id, other.id)
            theirs = await repository.find(tx, other.id, user.id)
            refusal = rules.request_refusal(mine.type if mine else None, theirs.type if theirs else None)
            if refusal is not None:
                raise refusal
            if mine is not None and mine.type == rules.OUTGOING:
                return _view(mine, other)
            if mine is None:
                await self._demand_welcome(tx, user, other)
            await self._demand_room(tx, user.id, new=mine is None)
            await self._demand_room(tx, other.id, new=theirs is None)
            kinds = (rules.FRIEND, rules.FRIEND) if mine is not None else (rules.OUTGOING, rules.INCOMING)
            await self._put(tx, other, user, kinds[1], known=theirs is not None)
            return await self._put(tx, user, other, kinds[0], known=mine is not None)

        return await self._db.transact(work)

    async def _demand_welcome(self, tx: Transaction, user: UserRow, other: UserRow) -> None:
        """Raises FRIEND_REQUEST_BLOCKED where the other does not hear requests of such people."""
        flags = (await self._users.settings(other.id, tx)).friend_source_flags
        if flags & rules.ANYONE:
            return
        friends = bool(await repository.mutual_friends(tx, user.id, other.id))
        guilds = bool(await self._members.in_common(user.id, other.id, tx))
        if not rules.may_ask(flags, friends=friends, guilds=guilds):
            raise faults.FRIEND_REQUEST_BLOCKED()

    async def accept(self, user: UserRow, other_id: int) -> RelationshipView:
        """Raises UNKNOWN_USER when there is no request of theirs."""
        row = await repository.find(self._db, user.id, other_id)
        if row is None or row.type != rules.INCOMING:
            await self._users.require(other_id)
            raise faults.UNKNOWN_USER()
        return await self.request(user, other_id)

    async def block(self, user: UserRow, other_id: int) -> RelationshipView:
        """Friendship and requests end on both sides. Raises MAX_FRIENDS, UNKNOWN_USER."""

        async def work(tx: Transaction) -> RelationshipView:
            await self._users.lock_all(tx, [user.id, other_id])
            other = await self._users.require(other_id, tx)
            if other.id == user.id:
                raise faults.UNKNOWN_USER()
            mine = await repository.find(tx, user.id, other.id)
            await self._demand_room(tx, user.id, new=mine is None)
            theirs = await repository.find(tx, other.id, user.id)
            if theirs is not None and theirs.type != rules.BLOCKED:
                await self._drop(tx, other.id, user.id)
            return await self._put(tx, user, other, rules.BLOCKED, known=mine is not None)

        return await self._db.transact(work)

    async def remove(self, user: UserRow, other_id: int) -> None:
        """Friendship, a request of either side, or one's own block."""

        async def work(tx: Transaction) -> None:
            await self._users.lock_all(tx, [user.id, other_id])
            other = await self._users.require(other_id, tx)
            mine = await repository.find(tx, user.id, other.id)
            if mine is None:
                return
            await self._drop(tx, user.id, other.id)
            if mine.type != rules.BLOCKED:
                await self._drop(tx, other.id, user.id)

        await self._db.transact(work)

    async def rename(self, user: UserRow, other_id: int, nickname: str | None) -> RelationshipView:
        async def work(tx: Transaction) -> RelationshipView:
            other = await self._users.require(other_id, tx)
            await repository.set_nickname(tx, user.id, other.id, nickname or None)
            row = await repository.find(tx, user.id, other.id)
            if row is None:
                raise faults.UNKNOWN_USER()
            view = _view(row, other)
            self._announcer.user(tx, user.id, "RELATIONSHIP_UPDATE", view)
            return view

        return await self._db.transact(work)

    async def _demand_room(self, tx: Transaction, user_id: int, *, new: bool) -> None:
        most = self._limits.max_friends
        if new and await repository.count(tx, user_id) >= most:
            raise faults.MAX_FRIENDS(max_relationships=most)

    async def _put(
        self, tx: Transaction, user: UserRow, other: UserRow, kind: int, *, known: bool
    ) -> RelationshipView:
        await repository.put(tx, user.id, other.id, kind, self._clock.now_ms())
        row = await repository.find(tx, user.id, other.id)
        assert row is not None
        view = _view(row, other)
        self._announcer.user(tx, user.id, "RELATIONSHIP_UPDATE" if known else "RELATIONSHIP_ADD", view)
        return view

    async def _drop(self, tx: Transaction, user_id: int, other_id: int) -> None:
        if await repository.drop(tx, user_id, other_id):
            self._announcer.user(tx, user_id, "RELATIONSHIP_REMOVE", {"id": str(other_id)})

    async def forget(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: everybody loses the account, and hears of it."""
        for holder, other in await repository.forget(tx, user_id):
            if holder != user_id:
                self._announcer.user(tx, holder, "RELATIONSHIP_REMOVE", {"id": str(other)})

    async def met_in(self, one: int, other: int) -> list[int]:
        """The guilds by which two know each other; none for friends."""
        if await self.are_friends(one, other, self._db):
            return []
        return await self._members.in_common(one, other, self._db)

    # -- groups -----------------------------------------------------------------------------------------------

    async def demand_may_gather(self, user: UserRow, other_id: int, reader: Reader) -> None:
        """May `user` bring the other into a group? As far as `group_dm_add_permission_flags` of the other let them: by
        default friends. Raises NOT_FRIENDS_WITH_USER, or CANNOT_SEND_MESSAGES_TO_USER for a friend whom nobody may add."""
        flags = (await self._users.settings(other_id, reader)).group_dm_add_permission_flags
        mine = await repository.find(reader, user.id, other_id)
        theirs = await repository.find(reader, other_id, user.id)
        if mine is not None and mine.type == rules.FRIEND:
            if not rules.may_gather_friend(flags):
                raise faults.CANNOT_SEND_MESSAGES_TO_USER()
            return
        other = await self._users.require(other_id, reader)
        barred = user.bot or other.bot or any(row and row.type == rules.BLOCKED for row in (mine, theirs))
        if barred or not rules.may_gather(
            flags,
            friends=bool(await repository.mutual_friends(reader, user.id, other_id)),
            guilds=bool(await self._members.in_common(user.id, other_id, reader)),
        ):
            raise faults.NOT_FRIENDS_WITH_USER()

    # -- talking ----------------------------------------------------------------------------------------------

    async def demand_may_talk(self, user: UserRow, other_id: int, reader: Reader) -> None:
        """Raises CANNOT_SEND_MESSAGES_TO_USER when either blocked the other, or when they are no friends and share no
        guild in which both take messages."""
        mine = await repository.find(reader, user.id, other_id)
        theirs = await repository.find(reader, other_id, user.id)
        if any(row is not None and row.type == rules.BLOCKED for row in (mine, theirs)):
            raise faults.CANNOT_SEND_MESSAGES_TO_USER()
        if mine is not None and mine.type == rules.FRIEND:
            return
        shared = await self._members.in_common(user.id, other_id, reader)
        other = await self._users.require(other_id, reader)
        bots = bool(user.bot or other.bot)
        for someone in (user.id, other_id):
            settings = await self._users.settings(someone, reader)
            shared = [each for each in shared if privacy.takes_messages(settings, each, bots=bots)]
        if not shared:
            raise faults.CANNOT_SEND_MESSAGES_TO_USER()


def _view(row: RelationshipRow, other: UserRow) -> RelationshipView:
    return RelationshipView(str(other.id), row.type, UserPartial.of(other), iso(row.since), row.nickname)
