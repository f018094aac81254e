"""Puts a message into its channel and tells everybody who sees it. In the caller's unit of work."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from flux.community.announcing import Announcer
from flux.community.inputs import encode
from flux.community.members.schemas import MemberView
from flux.community.mentions.service import MentionService
from flux.community.messages import repository
from flux.community.messages.records import DEFAULT, REPLY, MessageRow, Reference
from flux.community.messages.rules import Mentions
from flux.community.messages.schemas import MessageView
from flux.community.messages.views import MessageViews
from flux.community.standing.records import ChannelRow
from flux.kernel.store import Snowflakes, Transaction


@dataclass(frozen=True, slots=True)
class Spoken:
    """The name and avatar a webhook speaks under, once."""

    name: str
    avatar: str | None


PINGING = (DEFAULT, REPLY)
"""The types of messages that people write; those of the system name people without calling them."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said. `embeds`, `attachments` and `stickers` are JSON as a `MessageRow` has them."""

    author_id: int
    content: str = ""
    type: int = DEFAULT
    flags: int = 0
    tts: bool = False
    mentions: Mentions = field(default_factory=lambda: Mentions([], [], False))
    embeds: bytes = b"[]"
    attachments: bytes = b"[]"
    reference: Reference | None = None
    nonce: str | None = None
    stickers: bytes | None = None
    webhook: Spoken | None = None


class Writing:
    def __init__(
        self, ids: Snowflakes, views: MessageViews, mentions: MentionService, announcer: Announcer
    ) -> None:
        self._ids = ids
        self._mentions = mentions
        self._views = views
        self._announcer = announcer

    def next_id(self) -> int:
        return self._ids.next()

    async def write(
        self,
        tx: Transaction,
        channel: ChannelRow,
        draft: Draft,
        *,
        member: MemberView | None = None,
        recipients: list[int] | None = None,
        message_id: int | None = None,
    ) -> MessageView:
        """`member` is the author in a guild channel, `recipients` the people of a conversation."""
        row = MessageRow(
            self._ids.next() if message_id is None else message_id,
            channel.id,
            draft.author_id,
            draft.type,
            draft.flags,
            draft.content,
            draft.embeds,
            int(draft.tts),
            int(draft.mentions.everyone),
            encode(draft.mentions.users),
            encode(draft.mentions.roles),
            draft.attachments,
            None if draft.reference is None else encode(draft.reference),
            None,
            None,
            draft.stickers,
            draft.author_id if draft.webhook else None,
            draft.webhook.name if draft.webhook else None,
            draft.webhook.avatar if draft.webhook else None,
        )
        await repository.insert(tx, msgspec.structs.asdict(row))
        await self._call(tx, channel, row.id, draft)
        view = await self._views.fresh(row, tx)
        if draft.nonce is not None:
            view = msgspec.structs.replace(view, nonce=draft.nonce)
        self.announce(tx, "MESSAGE_CREATE", channel, view, member=member, recipients=recipients)
        return view

    async def _call(self, tx: Transaction, channel: ChannelRow, message_id: int, draft: Draft) -> None:
        """Write down whom the message names."""
        named = draft.mentions
        if draft.type not in PINGING or not (named.users or named.roles or named.everyone):
            return
        guild_id = channel.guild_id if named.everyone else None
        await self._mentions.record(
            tx,
            message_id,
            channel.id,
            draft.author_id,
            users=named.users,
            roles=named.roles,
            guild_id=guild_id,
        )

    def announce(
        self,
        tx: Transaction,
        name: str,
        channel: ChannelRow,
        view: MessageView,
        *,
        member: MemberView | None = None,
        recipients: list[int] | None = None,
    ) -> None:
        told = msgspec.structs.replace(
            view,
            channel_type=channel.type,
            guild_id=msgspec.UNSET if channel.guild_id is None else str(channel.guild_id),
            member=member or msgspec.UNSET,
        )
        if channel.guild_id is not None:
            self._announcer.guild(tx, channel.guild_id, name, told, channel_id=channel.id)
        else:
            self._announcer.users(tx, recipients or [], name, told)

    def announce_about(
        self, tx: Transaction, name: str, channel: ChannelRow, told: dict[str, object], recipients: list[int]
    ) -> None:
        """An event about messages of the channel that is not a message itself."""
        if channel.guild_id is not None:
            told = {**told, "guild_id": str(channel.guild_id)}
            self._announcer.guild(tx, channel.guild_id, name, told, channel_id=channel.id)
        else:
            self._announcer.users(tx, recipients, name, told)
