"""Pinned messages of a channel."""

from __future__ import annotations

from datetime import datetime

from flux.community import faults
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.inputs import I64, unix_ms
from flux.community.members.schemas import MemberView
from flux.community.messages import repository
from flux.community.messages.records import CHANNEL_PINNED_MESSAGE, MessageRow, Reference
from flux.community.messages.schemas import MessageView, Pins, PinView
from flux.community.messages.service import MessageService
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Draft, Writing
from flux.community.standing import rules as bits
from flux.community.standing.records import CARRIES_MESSAGES
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Clock, Database, Transaction, iso
from flux.settings.community import CommunityLimits


class PinService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        messages: MessageService,
        views: MessageViews,
        writing: Writing,
        audit: AuditService,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._messages = messages
        self._views = views
        self._writing = writing
        self._audit = audit
        self._limits = limits

    async def listing(self, user: UserRow, channel_id: int, before: datetime | None, limit: int) -> Pins:
        """Newest pin first; nothing for whoever may not read the history."""
        standing = await self._where.channel(user, channel_id)
        if not standing.may(bits.READ_MESSAGE_HISTORY):
            return Pins([], False)
        edge = I64 if before is None else unix_ms(before)
        rows = await repository.pins(self._db, channel_id, edge, limit + 1)
        views = await self._views.of(rows[:limit], self._db, user.id)
        items = [
            PinView(view, iso(row.pinned_at or 0)) for view, row in zip(views, rows[:limit], strict=True)
        ]
        return Pins(items, len(rows) > limit)

    async def pin(self, user: UserRow, channel_id: int, message_id: int, reason: str | None = None) -> None:
        """Pinning a pinned message does nothing. Raises MAX_PINS_PER_CHANNEL."""

        async def work(tx: Transaction) -> None:
            standing = await self._demand(tx, user, channel_id)
            await self._where.channel_turn(tx, channel_id)
            row = await self._messages.require(tx, channel_id, message_id)
            if row.pinned_at is not None:
                return
            if await repository.count_pins(tx, channel_id) >= self._limits.max_pins_per_channel:
                raise faults.MAX_PINS_PER_CHANNEL(max=self._limits.max_pins_per_channel)
            now = self._clock.now_ms()
            await repository.pin(tx, channel_id, message_id, now)
            await self._announce(tx, standing, message_id, now)
            draft = Draft(
                user.id,
                type=CHANNEL_PINNED_MESSAGE,
                reference=Reference(standing.channel.id, int(message_id), standing.channel.guild_id),
            )
            await self._writing.write(
                tx, standing.channel, draft, member=_member(standing), recipients=standing.recipients
            )
            await self._note(tx, standing, row, actions.MESSAGE_PIN, reason)

        await self._db.transact(work)

    async def unpin(self, user: UserRow, channel_id: int, message_id: int, reason: str | None = None) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._demand(tx, user, channel_id)
            row = await self._messages.require(tx, channel_id, message_id)
            if await repository.unpin(tx, channel_id, message_id):
                await self._announce(tx, standing, message_id, standing.channel.last_pin_at)
                await self._note(tx, standing, row, actions.MESSAGE_UNPIN, reason)

        await self._db.transact(work)

    async def _note(
        self, tx: Transaction, standing: ChannelStanding, row: MessageRow, action: int, reason: str | None
    ) -> None:
        if standing.guild is not None:
            await self._audit.record(
                tx, standing.guild.guild.id, action, standing.user.id, row.author_id, reason=reason,
                channel_id=str(row.channel_id), message_id=str(row.id),
            )  # fmt: skip

    async def _demand(self, tx: Transaction, user: UserRow, channel_id: int) -> ChannelStanding:
        standing = await self._where.channel(user, channel_id, tx)
        if standing.channel.type not in CARRIES_MESSAGES:
            raise faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL()
        standing.need(bits.PIN_MESSAGES)
        return standing

    async def _announce(
        self, tx: Transaction, standing: ChannelStanding, message_id: int, last_pin_at: int | None
    ) -> None:
        channel = standing.channel
        view: MessageView = await self._views.one(
            await self._messages.require(tx, channel.id, message_id), tx
        )
        told: dict[str, object] = {
            "channel_id": str(channel.id),
            "last_pin_timestamp": None if last_pin_at is None else iso(last_pin_at),
        }
        self._writing.announce_about(tx, "CHANNEL_PINS_UPDATE", channel, told, standing.recipients)
        self._writing.announce(tx, "MESSAGE_UPDATE", channel, view, recipients=standing.recipients)


def _member(standing: ChannelStanding) -> MemberView | None:
    guild = standing.guild
    return None if guild is None else MemberView.of(guild.member, standing.user, guild.role_ids)


def plain(pins: Pins) -> list[MessageView]:
    """The bare list that some clients expect."""
    return [item.message for item in pins.items]
