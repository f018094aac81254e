"""What is swept away on a schedule: expired tokens, codes, invites and nonces."""

from __future__ import annotations

from typing import Any

from flux.community.auth import repository as auth
from flux.community.invites import repository as invites
from flux.community.messages import repository as messages
from flux.community.messages.send import NONCE_MS
from flux.community.oauth2 import repository as oauth2
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database, Transaction

EVERY_SECONDS = 600


class Upkeep:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def schedule(self, jobs: Jobs) -> None:
        jobs.every("community.upkeep", EVERY_SECONDS, self.sweep)

    async def sweep(self, _: dict[str, Any]) -> None:
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await auth.sweep(tx, now)
            await oauth2.sweep(tx, now)
            await invites.sweep(tx, now)
            await messages.sweep_nonces(tx, now - NONCE_MS)

        await self._db.transact(work)
