"""Conversations kept at the top, and a first look into many channels at once."""

from __future__ import annotations

from msgspec import Raw

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.inbox import pinned_repository as repository
from flux.community.messages.records import NONE
from flux.community.messages.schemas import MessagesQuery
from flux.community.messages.service import MessageService
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.kernel.faults import FaultError
from flux.kernel.store import Clock, Database, Transaction


class PinnedService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        where: StandingService,
        messages: MessageService,
        announcer: Announcer,
    ) -> None:
        self._db = db
        self._clock = clock
        self._where = where
        self._messages = messages
        self._announcer = announcer

    async def listing(self, user_id: int) -> list[str]:
        """Ids of the pinned conversations, the latest pin first."""
        return [str(each) for each in await repository.list_of(self._db, user_id)]

    async def change(self, user: UserRow, channel_id: int, *, pinned: bool) -> None:
        """Raises UNKNOWN_CHANNEL for what is no conversation of theirs, MISSING_ACCESS."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            if standing.guild is not None:
                raise faults.UNKNOWN_CHANNEL()
            if pinned:
                await repository.pin(tx, user.id, channel_id, self._clock.now_ms())
            else:
                await repository.unpin(tx, user.id, channel_id)
            told = [str(each) for each in await repository.list_of(tx, user.id)]
            self._announcer.user(tx, user.id, "USER_PINNED_DMS_UPDATE", told)

        await self._db.transact(work)

    async def preload(self, user: UserRow, channel_ids: list[int]) -> dict[str, Raw | None]:
        """The latest message of each channel, the JSON of a `MessageView`; None where there is none, or none for them."""
        shown: dict[str, Raw | None] = {}
        for channel_id in dict.fromkeys(channel_ids):
            try:
                latest = await self._messages.listing(user, channel_id, MessagesQuery(limit=1))
            except FaultError:
                latest = NONE
            shown[str(channel_id)] = None if latest == NONE else Raw(latest[1:-1])
        return shown
