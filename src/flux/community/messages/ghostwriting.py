"""What webhooks say: messages whose author is no account. Who may use which webhook is settled before."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec

from flux.community import faults
from flux.community.inputs import encode, filled
from flux.community.messages import repository
from flux.community.messages.attaching import attached, named, reattached
from flux.community.messages.composing import Composing
from flux.community.messages.linking import Linking
from flux.community.messages.records import SENDABLE_FLAGS, SUPPRESS_EMBEDS, MessageRow
from flux.community.messages.schemas import MessageCreate, MessageUpdate, MessageView
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Draft, Spoken, Writing
from flux.community.standing.records import CARRIES_MESSAGES, ChannelRow
from flux.community.standing.service import StandingService
from flux.community.uploads.service import Taken, UploadService
from flux.kernel.store import Clock, Database, Reader, Transaction


class GhostwritingService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        views: MessageViews,
        writing: Writing,
        composing: Composing,
        uploads: UploadService,
        linking: Linking,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._views = views
        self._writing = writing
        self._composing = composing
        self._uploads = uploads
        self._linking = linking

    async def say(
        self,
        webhook_id: int,
        channel_id: int,
        spoken: Spoken,
        body: MessageCreate,
        files: Sequence[Taken] = (),
    ) -> MessageView:
        """Raises CANNOT_SEND_EMPTY_MESSAGE, CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL, CONTENT_BLOCKED …"""
        attachments = attached(body.attachments, files, self._composing.limits.message_attachments)
        words = self._composing.compose(body.content or "", body.embeds or (), body.allowed_mentions)
        if not words.content and words.embeds == b"[]" and attachments == b"[]":
            raise faults.CANNOT_SEND_EMPTY_MESSAGE()
        draft = Draft(
            author_id=webhook_id,
            content=words.content,
            flags=(body.flags or 0) & SENDABLE_FLAGS,
            tts=bool(body.tts),
            mentions=words.mentions,
            embeds=words.embeds,
            attachments=attachments,
            nonce=body.nonce,
            webhook=spoken,
        )

        async def work(tx: Transaction) -> MessageView:
            channel = await self._channel(tx, channel_id)
            message_id = self._writing.next_id()
            if files:
                await self._demand_decent(tx, channel, files)
            called = await self._composing.calling(tx, channel.guild_id, draft.mentions)
            said = dataclasses.replace(draft, mentions=called)
            view = await self._writing.write(tx, channel, said, message_id=message_id)
            await self._uploads.claim(tx, message_id, named(files, attachments))
            await self._linking.ask(tx, channel_id, message_id, draft.content, draft.flags)
            return view

        return await self._db.transact(work)

    async def _demand_decent(self, tx: Transaction, channel: ChannelRow, files: Sequence[Taken]) -> None:
        guild = await self._where.find_guild(channel.guild_id or 0, tx)
        if guild is not None and guild.explicit_content_filter and not channel.nsfw:
            self._uploads.demand_decent(files)

    async def _channel(self, reader: Reader, channel_id: int) -> ChannelRow:
        channel = await self._where.find_channel(channel_id, reader)
        if channel is None:
            raise faults.UNKNOWN_CHANNEL()
        if channel.guild_id is None:
            raise faults.CANNOT_EXECUTE_ON_DM()
        if channel.type not in CARRIES_MESSAGES:
            raise faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL()
        return channel

    async def read(self, webhook_id: int, channel_id: int, message_id: int) -> MessageView:
        """Raises UNKNOWN_MESSAGE for one the webhook did not say."""
        return await self._views.one(
            await self._require(self._db, webhook_id, channel_id, message_id), self._db
        )

    async def revise(
        self,
        webhook_id: int,
        channel_id: int,
        message_id: int,
        body: MessageUpdate,
        files: Sequence[Taken] = (),
    ) -> MessageView:
        sent = filled(body)

        async def work(tx: Transaction) -> MessageView:
            channel = await self._channel(tx, channel_id)
            row = await self._require(tx, webhook_id, channel_id, message_id)
            values = await self._changes(tx, channel, row, sent)
            if "attachments" in sent or files:
                most = self._composing.limits.message_attachments
                kept, ids = reattached(row.attachments, body.attachments or (), files, most)
                await self._uploads.let_go(tx, message_id, ids)
                await self._uploads.claim(tx, message_id, named(files, kept))
                values["attachments"] = kept
            left = msgspec.structs.replace(row, **values)
            if not left.content and left.embeds == b"[]" and left.attachments == b"[]":
                raise faults.CANNOT_SEND_EMPTY_MESSAGE()
            await repository.update(tx, message_id, {**values, "edited_at": self._clock.now_ms()})
            view = await self._views.one(await self._require(tx, webhook_id, channel_id, message_id), tx)
            self._writing.announce(tx, "MESSAGE_UPDATE", channel, view)
            return view

        return await self._db.transact(work)

    async def _changes(
        self, tx: Transaction, channel: ChannelRow, row: MessageRow, sent: dict[str, Any]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if sent.get("flags") is not None:
            values["flags"] = row.flags & ~SUPPRESS_EMBEDS | sent["flags"] & SUPPRESS_EMBEDS
        if not sent.keys() & {"content", "embeds"}:
            return values
        content = row.content if "content" not in sent else sent["content"] or ""
        words = self._composing.compose(content, sent.get("embeds") or (), sent.get("allowed_mentions"))
        values["embeds"] = words.embeds if "embeds" in sent else row.embeds
        if "content" not in sent:
            return values
        called = await self._composing.calling(tx, channel.guild_id, words.mentions)
        return values | {
            "content": content,
            "mentions": encode(called.users),
            "mention_roles": encode(called.roles),
            "mention_everyone": int(called.everyone),
        }

    async def retract(self, webhook_id: int, channel_id: int, message_id: int) -> None:
        async def work(tx: Transaction) -> None:
            channel = await self._channel(tx, channel_id)
            row = await self._require(tx, webhook_id, channel_id, message_id)
            await repository.delete(tx, channel_id, message_id)
            told: dict[str, object] = {
                "id": str(message_id),
                "channel_id": str(channel_id),
                "content": row.content,
                "author_id": str(webhook_id),
            }
            self._writing.announce_about(tx, "MESSAGE_DELETE", channel, told, [])

        await self._db.transact(work)

    async def _require(self, reader: Reader, webhook_id: int, channel_id: int, message_id: int) -> MessageRow:
        row = await repository.find(reader, channel_id, message_id)
        if row is None or row.webhook_id != webhook_id:
            raise faults.UNKNOWN_MESSAGE()
        return row
