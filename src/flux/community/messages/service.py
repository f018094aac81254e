"""Reading, editing and deleting messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from flux.community import faults
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.envelope import invalid
from flux.community.inputs import I64, encode, filled
from flux.community.members.schemas import MemberView
from flux.community.messages import repository, rules
from flux.community.messages.attaching import named, reattached, without
from flux.community.messages.composing import Composing
from flux.community.messages.linking import Linking, own_embeds
from flux.community.messages.records import DELETABLE, ID, NONE, REPLY, SUPPRESS_EMBEDS, Columns, MessageRow
from flux.community.messages.schemas import AllowedMentions, MessagesQuery, MessageUpdate, MessageView
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import PINGING, Writing
from flux.community.standing import rules as bits
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.uploads.service import Taken, UploadService
from flux.community.users.records import UserRow
from flux.kernel.store import Clock, Database, Reader, Transaction, iso
from flux.kernel.store.ids import EPOCH_MS


class MessageService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        views: MessageViews,
        writing: Writing,
        composing: Composing,
        uploads: UploadService,
        audit: AuditService,
        linking: Linking,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._views = views
        self._writing = writing
        self._composing = composing
        self._uploads = uploads
        self._audit = audit
        self._linking = linking

    # -- reading ----------------------------------------------------------------------------------------------

    async def listing(self, user: UserRow, channel_id: int, query: MessagesQuery) -> bytes:
        """A JSON list of `MessageView`, newest first. Whoever may not read the history sees what was said since the guild's
        cutoff, and nothing in a guild without one."""
        access = await self._where.access(user, channel_id)
        if sum(edge is not None for edge in (query.before, query.after, query.around)) > 1:
            raise invalid("before", "Send one of before, after, around.", "TOO_MANY_EDGES")
        oldest = 0
        if not access.may(bits.READ_MESSAGE_HISTORY):
            if access.history_cutoff is None:
                return NONE
            oldest = max(0, access.history_cutoff - EPOCH_MS) << 22
        rows = await self._page(channel_id, query)
        if oldest:
            rows = [row for row in rows if row[ID] >= oldest]
        return await self._views.printed(rows, self._db, user.id)

    async def _page(self, channel_id: int, query: MessagesQuery) -> list[Columns]:
        if query.after is not None:
            return (await repository.after(self._db, channel_id, query.after, query.limit))[::-1]
        if query.around is None:
            return await repository.before(self._db, channel_id, query.before or I64, query.limit)
        half = max(1, query.limit // 2)
        newer = await repository.after(self._db, channel_id, query.around - 1, half + query.limit % 2)
        older = await repository.before(self._db, channel_id, query.around, query.limit - len(newer))
        return newer[::-1] + older

    async def read(self, user: UserRow, channel_id: int, message_id: int) -> bytes:
        """The JSON of a `MessageView`. Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS without READ_MESSAGE_HISTORY."""
        if not (await self._where.access(user, channel_id)).may(bits.READ_MESSAGE_HISTORY):
            raise faults.MISSING_PERMISSIONS()
        row = await self.require(self._db, channel_id, message_id)
        return (await self._views.printed([msgspec.structs.astuple(row)], self._db, user.id))[1:-1]

    async def require(self, reader: Reader, channel_id: int, message_id: int) -> MessageRow:
        row = await repository.find(reader, channel_id, message_id)
        if row is None:
            raise faults.UNKNOWN_MESSAGE()
        return row

    async def shown(self, channel_id: int, message_id: int) -> MessageView | None:
        """As it is now, to nobody in particular."""
        row = await repository.find(self._db, channel_id, message_id)
        return None if row is None else await self._views.one(row, self._db)

    # -- editing ----------------------------------------------------------------------------------------------

    async def demand_files(self, user: UserRow, channel_id: int, message_id: int) -> None:
        """Before a file is taken in: is it their message?"""
        standing = await self._where.channel(user, channel_id)
        if (await self.require(self._db, channel_id, message_id)).author_id != user.id:
            raise faults.CANNOT_EDIT_OTHER_USER_MESSAGE()
        standing.need(bits.ATTACH_FILES)

    async def edit(
        self,
        user: UserRow,
        channel_id: int,
        message_id: int,
        body: MessageUpdate,
        files: Sequence[Taken] = (),
    ) -> MessageView:
        """Authors change what they said; others with MANAGE_MESSAGES may only hide its embeds."""

        async def work(tx: Transaction) -> MessageView:
            standing = await self._where.channel(user, channel_id, tx)
            row = await self.require(tx, channel_id, message_id)
            sent = filled(body)
            if row.author_id != user.id or row.type not in PINGING:
                if sent.keys() - {"flags"} or not sent:
                    raise faults.CANNOT_EDIT_OTHER_USER_MESSAGE()
                if not standing.may(bits.MANAGE_MESSAGES):
                    raise faults.CANNOT_EDIT_OTHER_USER_MESSAGE()
            values = await self._changes(tx, standing, row, sent)
            if "attachments" in sent or files:
                values |= await self._reattach(tx, standing, row, body, files)
            _demand_something(row, values)
            if values:
                await repository.update(tx, message_id, values)
            now = await self.require(tx, channel_id, message_id)
            if "content" in sent and standing.may(bits.EMBED_LINKS):
                await self._linking.ask(tx, channel_id, message_id, now.content, now.flags)
            view = await self._views.one(now, tx)
            self._announce(tx, standing, view)
            return view

        return await self._db.transact(work)

    async def _changes(
        self, tx: Transaction, standing: ChannelStanding, row: MessageRow, sent: dict[str, Any]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "flags" in sent:
            values["flags"] = row.flags & ~SUPPRESS_EMBEDS | (sent["flags"] or 0) & SUPPRESS_EMBEDS
        if not sent.keys() & {"content", "embeds"}:
            return values
        content = row.content if "content" not in sent else sent["content"] or ""
        allowed = sent.get("allowed_mentions")
        words = self._composing.compose(
            content, sent.get("embeds") or (), allowed, premium=standing.user.premium,
            may_embed=standing.may(bits.EMBED_LINKS), may_everyone=standing.may(bits.MENTION_EVERYONE),
        )  # fmt: skip
        values |= {
            "embeds": words.embeds if "embeds" in sent else encode(own_embeds(row.embeds)),
            "edited_at": self._clock.now_ms(),
        }
        if "content" not in sent:
            # Whom the text calls was decided when it was written.
            return values
        called = await self._composing.calling(
            tx, standing.channel.guild_id, words.mentions, may_everyone=standing.may(bits.MENTION_EVERYONE)
        )
        replied = [each for each in _replied(row, allowed) if each not in called.users]
        return values | {
            "content": content,
            "mentions": encode([*called.users, *replied]),
            "mention_roles": encode(called.roles),
            "mention_everyone": int(called.everyone),
        }

    async def _reattach(
        self,
        tx: Transaction,
        standing: ChannelStanding,
        row: MessageRow,
        body: MessageUpdate,
        files: Sequence[Taken],
    ) -> dict[str, Any]:
        """Files that are listed stay, new ones join, the others go."""
        entries = body.attachments or []
        most = self._composing.limits.message_attachments
        attachments, kept = reattached(row.attachments, entries, files, most)
        if files:
            standing.need(bits.ATTACH_FILES)
            if standing.guild is not None and rules.filters(standing.guild) and not standing.channel.nsfw:
                self._uploads.demand_decent(files)
        await self._uploads.let_go(tx, row.id, kept)
        await self._uploads.claim(tx, row.id, named(files, attachments))
        return {"attachments": attachments, "edited_at": self._clock.now_ms()}

    def _announce(self, tx: Transaction, standing: ChannelStanding, view: MessageView) -> None:
        guild = standing.guild
        member = None
        if guild is not None and view.author.id == str(standing.user.id):
            member = MemberView.of(guild.member, standing.user, guild.role_ids)
        self._writing.announce(
            tx, "MESSAGE_UPDATE", standing.channel, view, member=member, recipients=standing.recipients
        )

    # -- deleting ---------------------------------------------------------------------------------------------

    async def detach(self, user: UserRow, channel_id: int, message_id: int, file_id: int) -> None:
        """Take one file off one's message; a message that was nothing else goes with it. Raises UNKNOWN_MESSAGE also
        when it has no such file."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            row = await self.require(tx, channel_id, message_id)
            if row.author_id != user.id:
                raise faults.MISSING_PERMISSIONS()
            attachments, kept = without(row.attachments, file_id)
            if attachments == row.attachments:
                raise faults.UNKNOWN_MESSAGE()
            if attachments == b"[]" and not row.content and row.embeds == b"[]" and not row.stickers:
                await self._remove(tx, standing, row)
                return
            await self._uploads.let_go(tx, message_id, kept)
            values = {"attachments": attachments, "edited_at": self._clock.now_ms()}
            await repository.update(tx, message_id, values)
            view = await self._views.one(await self.require(tx, channel_id, message_id), tx)
            self._announce(tx, standing, view)

        await self._db.transact(work)

    async def delete(
        self, user: UserRow, channel_id: int, message_id: int, reason: str | None = None
    ) -> None:
        """Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            row = await self.require(tx, channel_id, message_id)
            if row.author_id != user.id:
                if standing.guild is None:
                    raise faults.MISSING_PERMISSIONS()
                standing.need(bits.MANAGE_MESSAGES | bits.SEND_MESSAGES)
            if row.type not in DELETABLE:
                raise faults.MISSING_PERMISSIONS()
            await self._remove(tx, standing, row)
            if row.author_id != user.id and standing.guild is not None:
                await self._audit.record(
                    tx, standing.guild.guild.id, actions.MESSAGE_DELETE, user.id, row.author_id, reason=reason,
                    channel_id=str(channel_id), message_id=str(message_id), count=1,
                )  # fmt: skip

        await self._db.transact(work)

    async def _remove(self, tx: Transaction, standing: ChannelStanding, row: MessageRow) -> None:
        """With the pin it may have been."""
        await repository.delete(tx, row.channel_id, row.id)
        told: dict[str, object] = {
            "id": str(row.id),
            "channel_id": str(row.channel_id),
            "content": row.content,
            "author_id": str(row.author_id),
        }
        self._writing.announce_about(tx, "MESSAGE_DELETE", standing.channel, told, standing.recipients)
        if row.pinned_at is not None:
            last = standing.channel.last_pin_at
            pins: dict[str, object] = {
                "channel_id": str(row.channel_id),
                "last_pin_timestamp": None if last is None else iso(last),
            }
            self._writing.announce_about(
                tx, "CHANNEL_PINS_UPDATE", standing.channel, pins, standing.recipients
            )

    async def bulk_delete(
        self, user: UserRow, channel_id: int, ids: list[int], reason: str | None = None
    ) -> None:
        """Unknown ids do nothing. Raises CANNOT_EXECUTE_ON_DM, MISSING_PERMISSIONS."""
        most = self._composing.limits.bulk_delete
        if len(ids) > most:
            raise invalid("message_ids", f"At most {most} ids.", "LENGTH_INVALID")

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            if standing.guild is None:
                raise faults.CANNOT_EXECUTE_ON_DM()
            standing.need(bits.MANAGE_MESSAGES)
            deleted = await repository.delete_many(tx, channel_id, ids)
            if deleted:
                told: dict[str, object] = {
                    "ids": [str(each) for each in deleted],
                    "channel_id": str(channel_id),
                }
                self._writing.announce_about(tx, "MESSAGE_DELETE_BULK", standing.channel, told, [])
                await self._audit.record(
                    tx, standing.guild.guild.id, actions.MESSAGE_BULK_DELETE, user.id, channel_id, reason=reason,
                    channel_id=str(channel_id), count=len(deleted),
                )  # fmt: skip

        await self._db.transact(work)


def _replied(row: MessageRow, allowed: AllowedMentions | None) -> list[int]:
    """Whom a reply called without naming them, which another text does not change unless it says so."""
    if row.type != REPLY or (allowed is not None and allowed.replied_user is False):
        return []
    named = rules.mentions(row.content, None, may_everyone=False).users
    return [each for each in msgspec.json.decode(row.mentions, type=list[int]) if each not in named]


def _demand_something(row: MessageRow, values: dict[str, Any]) -> None:
    """An edit must leave something of the message. Raises CANNOT_SEND_EMPTY_MESSAGE."""
    if not values.keys() & {"content", "embeds", "attachments"}:
        return
    left = {"content": row.content, "embeds": row.embeds, "attachments": row.attachments, **values}
    if not left["content"] and left["embeds"] == b"[]" and left["attachments"] == b"[]" and not row.stickers:
        raise faults.CANNOT_SEND_EMPTY_MESSAGE()
