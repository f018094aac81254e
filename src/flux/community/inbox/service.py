"""Acknowledging what was read, and listing what names somebody."""

from __future__ import annotations

from flux.community.announcing import Announcer
from flux.community.inbox import repository
from flux.community.inbox.repository import ReadRow
from flux.community.inbox.schemas import Ack, AckItem, MentionsQuery, ReadState
from flux.community.inputs import I64
from flux.community.members.service import MemberService
from flux.community.mentions.service import EVERYONE, ROLE, USER, MentionService
from flux.community.messages.schemas import MessageView
from flux.community.messages.service import MessageService
from flux.community.messages.views import MessageViews
from flux.community.standing import rules as bits
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.kernel.faults import FaultError
from flux.kernel.store import Clock, Database, Transaction, iso


class InboxService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        members: MemberService,
        mentions: MentionService,
        messages: MessageService,
        views: MessageViews,
        announcer: Announcer,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._members = members
        self._mentions = mentions
        self._messages = messages
        self._views = views
        self._announcer = announcer

    # -- how far somebody has read ----------------------------------------------------------------------------

    async def read_states(self, user: UserRow) -> list[ReadState]:
        """Of every channel that was read in or has something that names them."""
        rows = {row.channel_id: row for row in await repository.list_of(self._db, user.id)}
        unread = await self._mentions.unread(user.id, await self._targets(user, roles=True, everyone=True))
        shown = []
        for channel_id in sorted(rows.keys() | unread.keys()):
            row = rows.get(channel_id) or ReadRow(channel_id, 0, 0, None)
            shown.append(_shown(row, row.mention_count + unread.get(channel_id, 0)))
        return shown

    async def read_state(self, user_id: int, channel_id: int) -> ReadState | None:
        """As it was acknowledged; None for a channel that never was."""
        rows = await repository.list_of(self._db, user_id)
        return next((_shown(row, row.mention_count) for row in rows if row.channel_id == channel_id), None)

    async def ack(self, user: UserRow, channel_id: int, message_id: int, body: Ack) -> None:
        """Raises UNKNOWN_CHANNEL, MISSING_ACCESS."""

        async def work(tx: Transaction) -> None:
            await self._where.channel(user, channel_id, tx)
            await self._ack(tx, user, channel_id, message_id, body)

        await self._db.transact(work)

    async def ack_many(self, user: UserRow, items: list[AckItem]) -> None:
        """All of them or none. Raises UNKNOWN_CHANNEL, MISSING_ACCESS."""

        async def work(tx: Transaction) -> None:
            for item in items:
                await self._where.channel(user, int(item.channel_id), tx)
                await self._ack(tx, user, int(item.channel_id), int(item.message_id), Ack())

        await self._db.transact(work)

    async def _ack(self, tx: Transaction, user: UserRow, channel_id: int, message_id: int, body: Ack) -> None:
        values = {
            "user_id": user.id,
            "channel_id": channel_id,
            "message_id": message_id,
            "mention_count": body.mention_count,
            "manual": int(body.manual),
        }
        if not await repository.ack(tx, values):
            return
        told = {
            "channel_id": str(channel_id),
            "message_id": str(message_id),
            "mention_count": body.mention_count,
        }
        self._announcer.user(
            tx, user.id, "MESSAGE_ACK", {**told, **({"manual": True} if body.manual else {})}
        )

    async def forget(self, user: UserRow, channel_id: int) -> None:
        """As if the channel had never been read. Raises UNKNOWN_CHANNEL, MISSING_ACCESS."""

        async def work(tx: Transaction) -> None:
            await self._where.channel(user, channel_id, tx)
            await repository.drop(tx, user.id, channel_id)
            told = {"channel_id": str(channel_id), "message_id": None, "mention_count": 0}
            self._announcer.user(tx, user.id, "MESSAGE_ACK", told)

        await self._db.transact(work)

    async def ack_pins(self, user: UserRow, channel_id: int) -> None:
        """Raises UNKNOWN_CHANNEL, MISSING_ACCESS."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await self._where.channel(user, channel_id, tx)
            await repository.ack_pins(tx, user.id, channel_id, now)
            told = {"channel_id": str(channel_id), "timestamp": iso(now)}
            self._announcer.user(tx, user.id, "CHANNEL_PINS_ACK", told)

        await self._db.transact(work)

    # -- what names somebody ----------------------------------------------------------------------------------

    async def mentions(self, user: UserRow, query: MentionsQuery) -> list[MessageView]:
        """Latest first; what they may not read (any more) is left out."""
        kinds = [USER] + [ROLE] * query.roles + [EVERYONE] * query.everyone
        targets = await self._targets(user, roles=query.roles, everyone=query.everyone)
        found = await self._mentions.recent(user.id, targets, kinds, query.before or I64, query.limit)
        shown = []
        for each in found:
            try:
                standing = await self._where.channel(user, each.channel_id)
                standing.need(bits.READ_MESSAGE_HISTORY)
                row = await self._messages.require(self._db, each.channel_id, each.message_id)
            except FaultError:
                continue
            if query.guilds or standing.guild is None:
                shown.append(await self._views.one(row, self._db, user.id))
        return shown

    async def dismiss(self, user: UserRow, message_id: int) -> None:
        """Doing it twice is doing it once."""

        async def work(tx: Transaction) -> None:
            if await self._mentions.dismiss(tx, user.id, message_id):
                self._announcer.user(tx, user.id, "RECENT_MENTION_DELETE", {"message_id": str(message_id)})

        await self._db.transact(work)

    async def _targets(self, user: UserRow, *, roles: bool, everyone: bool) -> list[int]:
        """Every id whose mention means this account."""
        targets = [user.id]
        if roles or everyone:
            guild_ids = await self._members.guild_ids(user.id)
            targets += guild_ids if everyone else []
            targets += await self._members.role_ids(user.id) if roles else []
        return targets


def _shown(row: ReadRow, mentions: int) -> ReadState:
    last = str(row.last_message_id) if row.last_message_id else None
    return ReadState(
        str(row.channel_id), mentions, last, None if row.last_pin_at is None else iso(row.last_pin_at)
    )
