"""Reading, editing and deleting messages."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.inputs import I64, encode, filled
from flux.community.members.schemas import MemberView
from flux.community.messages import repository, rules
from flux.community.messages.records import DELETABLE, SUPPRESS_EMBEDS, MessageRow
from flux.community.messages.schemas import MessagesQuery, MessageUpdate, MessageView
from flux.community.messages.send import embeds_json
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Writing
from flux.community.standing import rules as bits
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Clock, Database, Reader, Transaction
from flux.settings.community import CommunitySettings


class MessageService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        views: MessageViews,
        writing: Writing,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._views = views
        self._writing = writing
        self._limits = settings.limits
        self._blocked = [word.casefold() for word in settings.blocked_words]

    # -- reading ----------------------------------------------------------------------------------------------

    async def listing(self, user: UserRow, channel_id: int, query: MessagesQuery) -> list[MessageView]:
        """Newest first; nothing for whoever may not read the history."""
        standing = await self._where.channel(user, channel_id)
        if sum(edge is not None for edge in (query.before, query.after, query.around)) > 1:
            raise invalid("before", "Send one of before, after, around.", "TOO_MANY_EDGES")
        if not standing.may(bits.READ_MESSAGE_HISTORY):
            return []
        return await self._views.of(await self._page(channel_id, query), self._db, user.id)

    async def _page(self, channel_id: int, query: MessagesQuery) -> list[MessageRow]:
        if query.after is not None:
            return (await repository.after(self._db, channel_id, query.after, query.limit))[::-1]
        if query.around is None:
            return await repository.before(self._db, channel_id, query.before or I64, query.limit)
        half = max(1, query.limit // 2)
        newer = await repository.after(self._db, channel_id, query.around - 1, half + query.limit % 2)
        older = await repository.before(self._db, channel_id, query.around, query.limit - len(newer))
        return newer[::-1] + older

    async def read(self, user: UserRow, channel_id: int, message_id: int) -> MessageView:
        """Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS without READ_MESSAGE_HISTORY."""
        standing = await self._where.channel(user, channel_id)
        standing.need(bits.READ_MESSAGE_HISTORY)
        row = await self.require(self._db, channel_id, message_id)
        return await self._views.one(row, self._db, user.id)

    async def require(self, reader: Reader, channel_id: int, message_id: int) -> MessageRow:
        row = await repository.find(reader, channel_id, message_id)
        if row is None:
            raise faults.UNKNOWN_MESSAGE()
        return row

    # -- editing ----------------------------------------------------------------------------------------------

    async def edit(self, user: UserRow, channel_id: int, message_id: int, body: MessageUpdate) -> MessageView:
        """Authors change what they said; others with MANAGE_MESSAGES may only hide its embeds."""

        async def work(tx: Transaction) -> MessageView:
            standing = await self._where.channel(user, channel_id, tx)
            row = await self.require(tx, channel_id, message_id)
            sent = filled(body)
            if row.author_id != user.id:
                if sent.keys() - {"flags"} or not sent:
                    raise faults.CANNOT_EDIT_OTHER_USER_MESSAGE()
                if not standing.may(bits.MANAGE_MESSAGES):
                    raise faults.CANNOT_EDIT_OTHER_USER_MESSAGE()
            values = self._changes(standing, row, sent)
            if values:
                await repository.update(tx, message_id, values)
            view = await self._views.one(await self.require(tx, channel_id, message_id), tx)
            self._announce(tx, standing, view)
            return view

        return await self._db.transact(work)

    def _changes(self, standing: ChannelStanding, row: MessageRow, sent: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "flags" in sent:
            values["flags"] = row.flags & ~SUPPRESS_EMBEDS | (sent["flags"] or 0) & SUPPRESS_EMBEDS
        if not sent.keys() & {"content", "embeds"}:
            return values
        content = row.content if "content" not in sent else sent["content"] or ""
        most = self._limits.message_length_premium if standing.user.premium else self._limits.message_length
        if len(content) > most:
            raise invalid("content", f"At most {most} characters.", "CONTENT_TOO_LONG")
        embeds = row.embeds
        if "embeds" in sent:
            wanted = [embed for embed in sent["embeds"] or [] if not rules.is_empty_embed(embed)]
            if len(wanted) > self._limits.message_embeds:
                raise invalid("embeds", f"At most {self._limits.message_embeds} embeds.", "LENGTH_INVALID")
            embeds = embeds_json(wanted if standing.may(bits.EMBED_LINKS) else [])
            if rules.blocked(rules.texts_of("", wanted), self._blocked):
                raise faults.CONTENT_BLOCKED()
        if not content and embeds == b"[]" and row.attachments == b"[]":
            raise faults.CANNOT_SEND_EMPTY_MESSAGE()
        if rules.blocked([content], self._blocked):
            raise faults.CONTENT_BLOCKED()
        pings = rules.mentions(
            content, sent.get("allowed_mentions"), may_everyone=standing.may(bits.MENTION_EVERYONE)
        )
        return values | {
            "content": content,
            "embeds": embeds,
            "edited_at": self._clock.now_ms(),
            "mentions": encode(pings.users),
            "mention_roles": encode(pings.roles),
            "mention_everyone": int(pings.everyone),
        }

    def _announce(self, tx: Transaction, standing: ChannelStanding, view: MessageView) -> None:
        guild = standing.guild
        member = None
        if guild is not None and view.author.id == str(standing.user.id):
            member = MemberView.of(guild.member, standing.user, guild.role_ids)
        self._writing.announce(
            tx, "MESSAGE_UPDATE", standing.channel, view, member=member, recipients=standing.recipients
        )

    # -- deleting ---------------------------------------------------------------------------------------------

    async def delete(self, user: UserRow, channel_id: int, message_id: int) -> None:
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
            await repository.delete(tx, channel_id, message_id)
            told: dict[str, object] = {
                "id": str(message_id),
                "channel_id": str(channel_id),
                "content": row.content,
                "author_id": str(row.author_id),
            }
            self._writing.announce_about(tx, "MESSAGE_DELETE", standing.channel, told, standing.recipients)

        await self._db.transact(work)

    async def bulk_delete(self, user: UserRow, channel_id: int, ids: list[int]) -> None:
        """Unknown ids do nothing. Raises CANNOT_EXECUTE_ON_DM, MISSING_PERMISSIONS."""
        if len(ids) > self._limits.bulk_delete:
            raise invalid("message_ids", f"At most {self._limits.bulk_delete} ids.", "LENGTH_INVALID")

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

        await self._db.transact(work)
