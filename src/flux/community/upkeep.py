"""What is swept away on a schedule: expired tokens, codes, invites and nonces."""

from __future__ import annotations

from typing import Any, Protocol

from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Database, Transaction

EVERY_SECONDS = 600


class Sweeper(Protocol):
    async def sweep(self, tx: Transaction) -> None:
        """Delete what has expired, in the caller's unit of work."""


class Upkeep:
    def __init__(self, db: Database, *sweepers: Sweeper) -> None:
        self._db = db
        self._sweepers = sweepers

    def schedule(self, jobs: Jobs) -> None:
        jobs.every("community.upkeep", EVERY_SECONDS, self.run)

    async def run(self, _: dict[str, Any]) -> None:
        for sweeper in self._sweepers:
            await self._db.transact(sweeper.sweep)
