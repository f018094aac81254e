"""Invites to groups: whoever is in one may let more people in, friends or not."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.conversations.service import ConversationService
from flux.community.invites.repository import GROUP_INVITES, GroupInviteRow
from flux.community.invites.schemas import GroupInviteView, InviteChannel
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Reader, Transaction, iso
from flux.settings.community import CommunityLimits


class GroupInvites:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        conversations: ConversationService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._conversations = conversations
        self._announcer = announcer
        self._limits = limits

    async def create(
        self, tx: Transaction, standing: ChannelStanding, values: dict[str, Any], *, unique: bool
    ) -> GroupInviteView:
        """`values` as a guild's invite has them. Raises MAX_INVITES."""
        if not unique and (same := await GROUP_INVITES.similar(tx, values)) is not None:
            return await self._view(same, tx, full=True)
        channel_id = standing.channel.id
        await self._where.channel_turn(tx, channel_id)
        if (
            await GROUP_INVITES.count(tx, "channel_id", channel_id, values["created_at"])
            >= self._limits.max_invites
        ):
            raise faults.MAX_INVITES(max=self._limits.max_invites)
        await GROUP_INVITES.insert(tx, values)
        view = await self._view(await self._require(values["code"], tx), tx, full=True)
        told = {**msgspec.to_builtins(view), "channel_id": str(channel_id)}
        self._announcer.users(tx, standing.recipients, "INVITE_CREATE", told)
        return view

    async def read(self, code: str) -> GroupInviteView:
        """Raises UNKNOWN_INVITE."""
        return await self._view(await self._require(code, self._db), self._db)

    async def listing(self, channel_id: int) -> list[GroupInviteView]:
        rows = await GROUP_INVITES.of_channel(self._db, channel_id, self._clock.now_ms())
        return [await self._view(row, self._db, full=True) for row in rows]

    async def accept(self, user: UserRow, code: str) -> GroupInviteView:
        """Raises UNKNOWN_INVITE, MAX_GROUP_DM_RECIPIENTS, MAX_GROUP_DMS. Who is in the group gets the invite back."""

        async def work(tx: Transaction) -> GroupInviteView:
            invite = await self._require(code, tx)
            await self._where.channel_turn(tx, invite.channel_id)
            channel = await self._where.find_channel(invite.channel_id, tx)
            if channel is None:
                raise faults.UNKNOWN_INVITE()
            entered = await self._conversations.enter(tx, channel, user)
            if entered and not await GROUP_INVITES.use(tx, code, self._clock.now_ms()):
                raise faults.UNKNOWN_INVITE()
            return await self._view(invite, tx)

        return await self._db.transact(work)

    async def delete(self, user: UserRow, code: str) -> None:
        """Its maker may, and who is in the group. Raises UNKNOWN_INVITE, MISSING_PERMISSIONS."""

        async def work(tx: Transaction) -> None:
            invite = await self._require(code, tx)
            people = await self._where.recipients(invite.channel_id, tx)
            if user.id != invite.inviter_id and user.id not in people:
                raise faults.MISSING_PERMISSIONS()
            await GROUP_INVITES.delete(tx, code)
            told = {"code": code, "channel_id": str(invite.channel_id)}
            self._announcer.users(tx, people, "INVITE_DELETE", told)

        await self._db.transact(work)

    async def sweep(self, tx: Transaction) -> None:
        """Invites that have expired."""
        await GROUP_INVITES.sweep(tx, self._clock.now_ms())

    async def stands(self, code: str) -> bool:
        return await GROUP_INVITES.find(self._db, code, self._clock.now_ms()) is not None

    async def _require(self, code: str, reader: Reader) -> GroupInviteRow:
        row = await GROUP_INVITES.find(reader, code, self._clock.now_ms())
        if row is None:
            raise faults.UNKNOWN_INVITE()
        return row

    async def _view(self, row: GroupInviteRow, reader: Reader, *, full: bool = False) -> GroupInviteView:
        channel = await self._where.find_channel(row.channel_id, reader)
        if channel is None:
            raise faults.UNKNOWN_INVITE()
        recipients = await self._where.recipients(row.channel_id, reader)
        people = await self._users.find_many({*recipients, row.inviter_id}, reader)
        names = [people[each].username for each in recipients if each in people]
        inviter = people.get(row.inviter_id)
        more = {"created_at": iso(row.created_at), "uses": row.uses, "max_uses": row.max_uses}
        return GroupInviteView(
            code=row.code,
            channel=InviteChannel.of(channel, names),
            inviter=UserPartial.of(inviter) if inviter else None,
            member_count=len(recipients),
            expires_at=None if row.expires_at is None else iso(row.expires_at),
            **(more if full else {}),  # type: ignore[arg-type]
        )
