"""Saved messages of an account."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.messages import bookmark_repository as repository
from flux.community.messages.schemas import Bookmark
from flux.community.messages.service import MessageService
from flux.community.messages.views import MessageViews
from flux.community.standing import rules as bits
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunityLimits


class BookmarkService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        messages: MessageService,
        views: MessageViews,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._messages = messages
        self._views = views
        self._announcer = announcer
        self._limits = limits

    async def listing(self, user: UserRow, limit: int) -> list[Bookmark]:
        """Latest first. What the account may not see any more is named, not shown."""
        shown = []
        for row in await repository.list_of(self._db, user.id, limit):
            ids = (str(row.message_id), str(row.channel_id), str(row.message_id))
            try:
                standing = await self._where.channel(user, row.channel_id)
                standing.need(bits.READ_MESSAGE_HISTORY)
                message = await self._messages.require(self._db, row.channel_id, row.message_id)
            except FaultError:
                shown.append(Bookmark(*ids, "missing_permissions", None))
                continue
            shown.append(Bookmark(*ids, "available", await self._views.one(message, self._db, user.id)))
        return shown

    async def save(self, user: UserRow, channel_id: int, message_id: int) -> None:
        """Saving twice is saving once. Raises UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, MAX_BOOKMARKS."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            standing.need(bits.READ_MESSAGE_HISTORY)
            row = await self._messages.require(tx, channel_id, message_id)
            # Who saves in two places at once is counted twice, one after the other.
            await self._users.lock(tx, user.id)
            if await repository.has(tx, user.id, row.id):
                return
            most = self._limits.max_bookmarks_premium if user.premium else self._limits.max_bookmarks
            if await repository.count(tx, user.id) >= most:
                raise faults.MAX_BOOKMARKS(max=most)
            await repository.add(tx, user.id, row.id, row.channel_id, self._clock.now_ms())
            view = await self._views.one(row, tx, user.id)
            self._announcer.user(tx, user.id, "SAVED_MESSAGE_CREATE", view)

        await self._db.transact(work)

    async def holds(self, user_id: int, message_id: int) -> bool:
        return await repository.has(self._db, user_id, message_id)

    async def forget(self, user: UserRow, message_id: int) -> None:
        async def work(tx: Transaction) -> None:
            if await repository.drop(tx, user.id, message_id):
                told = {"message_id": str(message_id)}
                self._announcer.user(tx, user.id, "SAVED_MESSAGE_DELETE", told)

        await self._db.transact(work)
