"""Taking back everything one has said, everywhere: asked for, called off, and done by a job when its time has come."""

from __future__ import annotations

from typing import Any

from flux.community.messages import repository
from flux.community.messages.writing import Writing
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunitySettings

JOB = "community.withdraw"
AT_ONCE = 500
"""Messages in one unit of work."""
HOUR_MS = 3_600_000


class WithdrawingService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        jobs: Jobs,
        users: UserService,
        where: StandingService,
        writing: Writing,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._jobs = jobs
        self._users = users
        self._where = where
        self._writing = writing
        self._hours = settings.message_deletion_hours

    async def ask(self, user: UserRow) -> None:
        """In some hours, unless it is called off; asking again changes nothing. Announces USER_UPDATE."""

        async def work(tx: Transaction) -> None:
            await self._users.lock(tx, user.id)
            if (await self._users.require(user.id, tx)).withdrawal_at is not None:
                return
            channels, messages = await repository.count_of_author(tx, user.id)
            when = self._clock.now_ms() + self._hours * HOUR_MS
            await self._users.set(
                tx, user.id, withdrawal_at=when, withdrawal_channels=channels, withdrawal_messages=messages
            )
            await self._jobs.enqueue(tx, JOB, {"user_id": str(user.id)}, run_at_ms=when, key=str(user.id))

        await self._db.transact(work)

    async def call_off(self, user: UserRow) -> None:
        """Announces USER_UPDATE."""

        async def work(tx: Transaction) -> None:
            await self._jobs.cancel(tx, JOB, str(user.id))
            await self._users.set(tx, user.id, withdrawal_at=None)

        await self._db.transact(work)

    async def run(self, payload: dict[str, Any]) -> None:
        """The job. Whoever called it off meanwhile keeps what is left."""
        user_id = int(payload["user_id"])
        while await self._db.transact(lambda tx: self._some(tx, user_id)):
            pass

    async def _some(self, tx: Transaction, user_id: int) -> bool:
        """Whether there may be more."""
        await self._users.lock(tx, user_id)
        user = await self._users.find(user_id, tx)
        if user is None or user.withdrawal_at is None or user.withdrawal_at > self._clock.now_ms():
            return False
        found = await repository.of_author_anywhere(tx, user_id, AT_ONCE)
        for channel_id, ids in found.items():
            await repository.delete_many(tx, channel_id, ids)
            channel = await self._where.find_channel(channel_id, tx)
            if channel is None:
                continue
            recipients = await self._where.recipients(channel_id, tx) if channel.guild_id is None else []
            told: dict[str, object] = {"ids": [str(each) for each in ids], "channel_id": str(channel_id)}
            self._writing.announce_about(tx, "MESSAGE_DELETE_BULK", channel, told, recipients)
        if not found:
            await self._users.set(tx, user_id, withdrawal_at=None)
        return bool(found)
