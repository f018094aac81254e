"""What people and bots say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.channels.private import PrivateChannels
from flux.community.envelope import invalid
from flux.community.expressions.stickers import StickerService
from flux.community.members.schemas import MemberView
from flux.community.messages import repository, rules
from flux.community.messages.attaching import attached, named
from flux.community.messages.composing import Composing
from flux.community.messages.linking import Linking
from flux.community.messages.records import DEFAULT, FORWARDS, REPLY, SENDABLE_FLAGS, MessageRow, Reference
from flux.community.messages.rules import Mentions
from flux.community.messages.schemas import MessageCreate, MessageView, ReferenceInput
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Draft, Writing
from flux.community.relationships.service import RelationshipService
from flux.community.standing import rules as bits
from flux.community.standing import verification
from flux.community.standing.records import CARRIES_MESSAGES, DM
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.uploads.service import Taken, UploadService
from flux.community.users.records import UserRow
from flux.kernel.store import Clock, Database, Reader, Transaction, iso, snowflake_ms

NONCE_MS = 300_000


class SendService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        views: MessageViews,
        writing: Writing,
        relationships: RelationshipService,
        private: PrivateChannels,
        announcer: Announcer,
        composing: Composing,
        uploads: UploadService,
        stickers: StickerService,
        linking: Linking,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._views = views
        self._writing = writing
        self._relationships = relationships
        self._private = private
        self._announcer = announcer
        self._composing = composing
        self._uploads = uploads
        self._stickers = stickers
        self._linking = linking

    async def demand_files(self, user: UserRow, channel_id: int) -> None:
        """Before a file is taken in: may they send one here? Raises MISSING_PERMISSIONS …"""
        standing = await self._where.channel(user, channel_id)
        self.demand_voice(standing)
        standing.need(bits.ATTACH_FILES)

    async def send(
        self, user: UserRow, channel_id: int, body: MessageCreate, files: Sequence[Taken] = ()
    ) -> MessageView:
        """Raises whatever the channel, the permissions and the text have against it; see the endpoint. Files that do
        not become part of it are given up."""
        attachments = attached(body.attachments, files, self._composing.limits.message_attachments)
        files = named(files, attachments)
        claimed = False

        async def work(tx: Transaction) -> MessageView:
            nonlocal claimed
            standing = await self._where.channel(user, channel_id, tx)
            self.demand_voice(standing)
            await self._demand_hearing(standing, tx)
            draft = await self._draft(tx, standing, body, attachments)
            if files:
                self.demand_decent(standing, files)
            message_id = self._writing.next_id()
            if draft.nonce is not None and (
                known := await self._known(tx, standing, draft.nonce, message_id)
            ):
                return known
            await self._slow_down(tx, standing)
            view = await self._say(tx, standing, draft, message_id)
            await self._uploads.claim(tx, message_id, files)
            if standing.may(bits.EMBED_LINKS):
                await self._linking.ask(tx, channel_id, message_id, draft.content, draft.flags)
            claimed = True
            return view

        view = await self._db.transact(work)
        if files and not claimed:
            await self._uploads.give_up(taken.row for taken in files)
        return view

    async def _say(
        self, tx: Transaction, standing: ChannelStanding, draft: Draft, message_id: int
    ) -> MessageView:
        guild, member = standing.guild, None
        if guild is None:
            await self._private.open_for_all(tx, standing.channel)
        else:
            member = MemberView.of(guild.member, standing.user, guild.role_ids)
        return await self._writing.write(
            tx,
            standing.channel,
            draft,
            member=member,
            recipients=standing.recipients,
            message_id=message_id,
        )

    def demand_decent(self, standing: ChannelStanding, files: Sequence[Taken]) -> None:
        """Explicit images belong into channels for them, where the guild filters. Raises
        EXPLICIT_CONTENT_CANNOT_BE_SENT, MISSING_PERMISSIONS."""
        standing.need(bits.ATTACH_FILES)
        if standing.guild is not None and rules.filters(standing.guild) and not standing.channel.nsfw:
            self._uploads.demand_decent(files)

    def demand_voice(self, standing: ChannelStanding) -> None:
        """May they speak here at all? The channel's type comes before permissions."""
        if standing.channel.type not in CARRIES_MESSAGES:
            raise faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL()
        standing.need(bits.SEND_MESSAGES)
        now = self._clock.now_ms()
        if standing.timed_out(now):
            raise faults.COMMUNICATION_DISABLED()
        if standing.guild is not None and (refusal := verification.refusal(standing.guild, now)) is not None:
            raise refusal

    async def _demand_hearing(self, standing: ChannelStanding, reader: Reader) -> None:
        """In a direct conversation the other must take messages. Raises CANNOT_SEND_MESSAGES_TO_USER."""
        if standing.channel.type == DM:
            for other in standing.recipients:
                if other != standing.user.id:
                    await self._relationships.demand_may_talk(standing.user, other, reader)

    async def _draft(
        self, tx: Transaction, standing: ChannelStanding, body: MessageCreate, attachments: bytes
    ) -> Draft:
        words = self._composing.compose(
            body.content or "", body.embeds or (), body.allowed_mentions, premium=standing.user.premium,
            may_embed=standing.may(bits.EMBED_LINKS), may_everyone=standing.may(bits.MENTION_EVERYONE),
        )  # fmt: skip
        called = await self._composing.calling(
            tx, standing.channel.guild_id, words.mentions, may_everyone=standing.may(bits.MENTION_EVERYONE)
        )
        reference = await self._reference(tx, standing, body.message_reference)
        forwards = reference is not None and reference.type == FORWARDS
        stickers = await self._sticker_json(tx, standing, body.sticker_ids)
        empty = not words.content and words.embeds == b"[]" and attachments == b"[]" and not stickers
        if forwards and not empty:
            raise invalid("content", "A forward carries nothing of its own.", "FORWARD_NOT_EMPTY")
        if empty and not forwards:
            raise faults.CANNOT_SEND_EMPTY_MESSAGE()
        if body.tts:
            standing.need(bits.SEND_TTS_MESSAGES)
        return Draft(
            author_id=standing.user.id,
            content=words.content,
            type=REPLY if reference is not None and not forwards else DEFAULT,
            flags=(body.flags or 0) & SENDABLE_FLAGS,
            tts=bool(body.tts),
            mentions=await self._with_replied(tx, called, body, reference),
            embeds=words.embeds,
            attachments=attachments,
            reference=reference,
            nonce=body.nonce,
            stickers=stickers,
        )

    async def _sticker_json(
        self, tx: Transaction, standing: ChannelStanding, ids: Sequence[int] | None
    ) -> bytes | None:
        if not ids:
            return None
        most = self._composing.limits.message_stickers
        if len(ids) > most:
            raise invalid("sticker_ids", f"At most {most} stickers.", "LENGTH_INVALID")
        rows = await self._stickers.usable(standing, [int(each) for each in ids], tx)
        shown = [{"id": str(row.id), "name": row.name, "animated": bool(row.animated)} for row in rows]
        return msgspec.json.encode(shown)

    async def _reference(
        self, tx: Transaction, standing: ChannelStanding, wanted: ReferenceInput | None
    ) -> Reference | None:
        """What is answered or forwarded. Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS."""
        if wanted is None:
            return None
        if wanted.type == FORWARDS:
            return await self._forward(tx, standing, wanted)
        channel = standing.channel
        if wanted.channel_id not in (None, channel.id):
            raise invalid("message_reference.channel_id", "Reply in the same channel.", "INVALID_REFERENCE")
        standing.need(bits.READ_MESSAGE_HISTORY)
        if await repository.find(tx, channel.id, wanted.message_id) is None:
            raise faults.UNKNOWN_MESSAGE()
        return Reference(channel.id, int(wanted.message_id), channel.guild_id)

    async def _forward(self, tx: Transaction, standing: ChannelStanding, wanted: ReferenceInput) -> Reference:
        source = standing
        if wanted.channel_id not in (None, standing.channel.id):
            source = await self._where.channel(standing.user, int(wanted.channel_id or 0), tx)
        source.need(bits.READ_MESSAGE_HISTORY)
        row = await repository.find(tx, source.channel.id, wanted.message_id)
        if row is None:
            raise faults.UNKNOWN_MESSAGE()
        return Reference(source.channel.id, row.id, source.channel.guild_id, FORWARDS, [_snapshot(row)])

    async def _with_replied(
        self, tx: Transaction, pings: Mentions, body: MessageCreate, reference: Reference | None
    ) -> Mentions:
        """A reply pings the author of what it answers, unless told not to."""
        allowed = body.allowed_mentions
        if (
            reference is None
            or reference.type == FORWARDS
            or (allowed is not None and allowed.replied_user is False)
        ):
            return pings
        row = await repository.find(tx, reference.channel_id, reference.message_id)
        if row is None or row.author_id in pings.users:
            return pings
        return Mentions([*pings.users, row.author_id], pings.roles, pings.everyone)

    async def _known(
        self, tx: Transaction, standing: ChannelStanding, nonce: str, message_id: int
    ) -> MessageView | None:
        """The message this nonce already stands for."""
        now = self._clock.now_ms()
        channel_id = standing.channel.id
        earlier = await repository.claim_nonce(
            tx, channel_id, standing.user.id, nonce, message_id, now, now - NONCE_MS
        )
        row = None if earlier is None else await repository.find(tx, channel_id, earlier)
        if row is None:
            return None
        return msgspec.structs.replace(await self._views.one(row, tx), nonce=nonce)

    async def _slow_down(self, tx: Transaction, standing: ChannelStanding) -> None:
        seconds = standing.channel.rate_limit_per_user
        if not seconds or standing.user.bot or standing.may(bits.BYPASS_SLOWMODE):
            return
        now = self._clock.now_ms()
        spoke = await repository.speak(tx, standing.channel.id, standing.user.id, now, now - seconds * 1000)
        if spoke is not None:
            wait = max(0.001, (spoke + seconds * 1000 - now) / 1000)
            raise faults.slowed_down(wait)

    async def sweep(self, tx: Transaction) -> None:
        """Nonces that mean nothing any more."""
        await repository.sweep_nonces(tx, self._clock.now_ms() - NONCE_MS)

    async def typing(self, user: UserRow, channel_id: int) -> None:
        standing = await self._where.channel(user, channel_id)
        self.demand_voice(standing)
        await self._demand_hearing(standing, self._db)
        channel, guild = standing.channel, standing.guild
        told: dict[str, object] = {
            "channel_id": str(channel.id),
            "user_id": str(user.id),
            "timestamp": self._clock.now_ms(),
        }
        if guild is None:
            self._announcer.users_now(standing.recipients, "TYPING_START", told)
        else:
            told |= {
                "guild_id": str(guild.guild.id),
                "member": MemberView.of(guild.member, user, guild.role_ids),
            }
            self._announcer.guild_now(guild.guild.id, "TYPING_START", told, channel_id=channel.id)


def _snapshot(row: MessageRow) -> dict[str, object]:
    return {
        "content": row.content,
        "timestamp": iso(snowflake_ms(row.id)),
        "edited_timestamp": None if row.edited_at is None else iso(row.edited_at),
        "embeds": msgspec.json.decode(row.embeds),
        "attachments": msgspec.json.decode(row.attachments),
        "stickers": msgspec.json.decode(row.stickers or b"[]"),
        "type": row.type,
        "flags": row.flags,
    }
