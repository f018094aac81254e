"""Beginning, joining and leaving private conversations."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.channels.private import PrivateChannels
from flux.community.channels.schemas import ChannelView
from flux.community.conversations.schemas import PrivateChannelCreate
from flux.community.envelope import invalid
from flux.community.messages.records import RECIPIENT_ADD, RECIPIENT_REMOVE
from flux.community.messages.rules import Mentions
from flux.community.messages.writing import Draft, Writing
from flux.community.relationships.service import RelationshipService
from flux.community.standing import records
from flux.community.standing.records import ChannelRow
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.standing.verification import refusal
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation
from flux.settings.community import CommunityLimits


class ConversationService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        private: PrivateChannels,
        relationships: RelationshipService,
        writing: Writing,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._private = private
        self._relationships = relationships
        self._writing = writing
        self._announcer = announcer
        self._limits = limits

    async def begin(self, user: UserRow, body: PrivateChannelCreate) -> ChannelView:
        """Raises UNKNOWN_USER, CANNOT_SEND_MESSAGES_TO_USER, MAX_GROUP_DMS, MAX_GROUP_DM_RECIPIENTS,
        NOT_FRIENDS_WITH_USER, and what the verification level of a guild can raise."""
        if body.recipient_id is not None:
            return await self._direct(user, int(body.recipient_id))
        if body.recipients is None:
            raise invalid("recipient_id", "Send recipient_id or recipients.", "REQUIRED")
        return await self._group(user, list(dict.fromkeys(int(each) for each in body.recipients)))

    async def _demand_verified(self, user: UserRow, other_id: int) -> None:
        """Whoever knows somebody from guilds alone must be as verified as one of them asks."""
        met = await self._where.guilds(user, await self._relationships.met_in(user.id, other_id))
        now = self._clock.now_ms()
        refusals = [refusal(standing, now) for standing in met.values()]
        if refusals and refusals[0] is not None and None not in refusals:
            raise refusals[0]

    async def _direct(self, user: UserRow, other_id: int) -> ChannelView:
        await self._demand_verified(user, other_id)

        async def work(tx: Transaction) -> ChannelView:
            if other_id == user.id:
                channel = await self._where.find_channel(user.id, tx)
                if channel is None:
                    raise faults.UNKNOWN_USER()
                return await self._private.view(tx, channel, user.id)
            await self._users.require(other_id, tx)
            await self._relationships.demand_may_talk(user, other_id, tx)
            channel = await self._private.direct(tx, user.id, other_id)
            await self._private.tell(tx, "CHANNEL_CREATE", channel, [user.id])
            return await self._private.view(tx, channel, user.id)

        try:
            return await self._db.transact(work)
        except UniqueViolation:
            # The other began the same conversation at the same moment; it is there now.
            return await self._db.transact(work)

    async def _group(self, user: UserRow, others: list[int]) -> ChannelView:
        if len(others) >= self._limits.max_group_dm_recipients:
            raise faults.MAX_GROUP_DM_RECIPIENTS(max=self._limits.max_group_dm_recipients)

        async def work(tx: Transaction) -> ChannelView:
            await self._users.lock_all(tx, [user.id, *others])
            await self._demand_groups_left(tx, user.id)
            for other_id in others:
                await self._demand_welcome(tx, user, other_id)
                await self._demand_groups_left(tx, other_id)
            channel = await self._private.group(tx, user.id, others)
            await self._private.tell(tx, "CHANNEL_CREATE", channel, [user.id, *others])
            return await self._private.view(tx, channel, user.id)

        return await self._db.transact(work)

    async def add(self, user: UserRow, channel_id: int, other_id: int) -> None:
        """Raises INVALID_CHANNEL_TYPE, NOT_FRIENDS_WITH_USER, MAX_GROUP_DM_RECIPIENTS, MAX_GROUP_DMS."""

        async def work(tx: Transaction) -> None:
            standing = await self._demand_group(tx, user, channel_id)
            await self._users.lock_all(tx, [user.id, other_id])
            await self._demand_welcome(tx, user, other_id)
            other = await self._users.require(other_id, tx)
            await self._admit(tx, standing.channel, standing.recipients, other, by=user.id)

        await self._db.transact(work)

    async def enter(self, tx: Transaction, channel: ChannelRow, user: UserRow) -> bool:
        """Somebody comes into a group of their own accord, in the caller's unit of work, which has the channel's turn.
        False for who is in it. Raises MAX_GROUP_DM_RECIPIENTS, MAX_GROUP_DMS."""
        await self._users.lock(tx, user.id)
        recipients = await self._where.recipients(channel.id, tx)
        return await self._admit(tx, channel, recipients, user, by=user.id)

    async def _admit(
        self, tx: Transaction, channel: ChannelRow, recipients: list[int], other: UserRow, *, by: int
    ) -> bool:
        if other.id in recipients:
            return False
        if len(recipients) >= self._limits.max_group_dm_recipients:
            raise faults.MAX_GROUP_DM_RECIPIENTS(max=self._limits.max_group_dm_recipients)
        await self._demand_groups_left(tx, other.id)
        await self._private.add(tx, channel, other.id)
        told = {"channel_id": str(channel.id), "user": UserPartial.of(other)}
        self._announcer.users(tx, recipients, "CHANNEL_RECIPIENT_ADD", told)
        await self._private.tell(tx, "CHANNEL_CREATE", channel, [other.id])
        await self._note(tx, channel, [*recipients, other.id], RECIPIENT_ADD, by=by, about=other.id)
        return True

    async def remove(self, user: UserRow, channel_id: int, other_id: int, *, silent: bool = False) -> None:
        """Oneself, or as the owner anybody. Raises MISSING_PERMISSIONS, UNKNOWN_USER."""

        async def work(tx: Transaction) -> None:
            standing = await self._demand_group(tx, user, channel_id)
            if other_id != user.id and standing.channel.owner_id != user.id:
                raise faults.MISSING_PERMISSIONS()
            if other_id not in standing.recipients:
                raise faults.UNKNOWN_USER()
            await self._leave(tx, standing, other_id, silent=silent)

        await self._db.transact(work)

    async def leave(self, user: UserRow, channel_id: int, *, silent: bool = False) -> bool:
        """A direct conversation closes, a group is left. False for a guild's channel, which is not for this room.
        Raises CANNOT_EXECUTE_ON_DM for one's notes."""

        async def work(tx: Transaction) -> bool:
            standing = await self._where.channel(user, channel_id, tx, changing=True)
            if standing.channel.guild_id is not None:
                return False
            if standing.channel.type == records.NOTES:
                raise faults.CANNOT_EXECUTE_ON_DM()
            if standing.channel.type == records.DM:
                await self._private.close(tx, standing.channel, user.id)
            else:
                group = await self._demand_group(tx, user, channel_id)
                await self._leave(tx, group, user.id, silent=silent)
            return True

        return await self._db.transact(work)

    async def _leave(self, tx: Transaction, standing: ChannelStanding, gone_id: int, *, silent: bool) -> None:
        left = await self._private.remove(tx, standing.channel, gone_id)
        gone = await self._users.require(gone_id, tx)
        told = {"channel_id": str(standing.channel.id), "user": UserPartial.of(gone)}
        self._announcer.users(tx, left, "CHANNEL_RECIPIENT_REMOVE", told)
        if left and not silent:
            await self._note(tx, standing.channel, left, RECIPIENT_REMOVE, by=standing.user.id, about=gone_id)

    async def _note(
        self, tx: Transaction, channel: ChannelRow, readers: list[int], kind: int, *, by: int, about: int
    ) -> None:
        draft = Draft(by, type=kind, mentions=Mentions([about], [], False))
        await self._writing.write(tx, channel, draft, recipients=readers)

    async def _demand_group(self, tx: Transaction, user: UserRow, channel_id: int) -> ChannelStanding:
        """Until the unit ends nobody else changes who is in it."""
        await self._where.channel_turn(tx, channel_id)
        standing = await self._where.channel(user, channel_id, tx, changing=True)
        if standing.channel.type != records.GROUP_DM:
            raise faults.INVALID_CHANNEL_TYPE()
        return standing

    async def _demand_welcome(self, tx: Transaction, user: UserRow, other_id: int) -> None:
        await self._users.require(other_id, tx)
        await self._relationships.demand_may_gather(user, other_id, tx)

    async def _demand_groups_left(self, tx: Transaction, user_id: int) -> None:
        if await self._private.count_groups(tx, user_id) >= self._limits.max_group_dms:
            raise faults.MAX_GROUP_DMS(max=self._limits.max_group_dms)
