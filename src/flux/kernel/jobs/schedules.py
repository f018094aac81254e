"""What happens again and again: one row a schedule, claimed by whichever process is first after its time."""

from __future__ import annotations

import asyncio
import logging

from flux.kernel.faults import stand_behind
from flux.kernel.jobs.port import Handler
from flux.kernel.jobs.repository import JobTable
from flux.kernel.jobs.worker import Worker
from flux.kernel.store.clock import Clock
from flux.kernel.store.port import Database, Transaction

logger = logging.getLogger("flux.jobs")

_PAUSE_AFTER_FAILURE = 1.0


class Schedules:
    """A tick is never run twice at once: a process that ticks holds the row for `lease_seconds` or one interval,
    whichever is longer. A handler should end well within that. A failed tick is logged; the next one comes."""

    def __init__(
        self, db: Database, table: JobTable, clock: Clock, worker: Worker, lease_seconds: float
    ) -> None:
        self.all: dict[str, tuple[float, Handler]] = {}
        self._db = db
        self._table = table
        self._clock = clock
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._keepers: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        now = self._clock.now_ms()

        async def declare(tx: Transaction) -> None:
            for kind, (seconds, _) in self.all.items():
                await self._table.schedule(tx, kind, now + round(seconds * 1000))

        if self.all:
            await self._db.transact(declare)
        self._keepers = {asyncio.ensure_future(self._keep(kind)) for kind in self.all}

    async def close(self) -> None:
        """No further tick; the worker waits for those that run."""
        for keeper in self._keepers:
            keeper.cancel()
        if self._keepers:
            await asyncio.wait(self._keepers)

    async def _keep(self, kind: str) -> None:
        seconds, handler = self.all[kind]
        stand_behind()
        while True:
            try:
                if self._worker.stand_aside():
                    await self._clock.sleep(_PAUSE_AFTER_FAILURE)
                    continue
                due = await self._table.schedule_due(self._db, kind)
                started = self._clock.now_ms()
                if due > started:
                    await self._clock.sleep((due - started) / 1000)
                    continue
                # Not awaited directly: closing ends this loop, not the tick.
                tick = self._worker.spawn(self._tick(kind, seconds, handler))
                await asyncio.wait({tick})
                if tick.cancelled() or tick.exception():
                    await self._clock.sleep(_PAUSE_AFTER_FAILURE)
            except Exception:
                logger.exception("schedule %s cannot be read; trying again", kind)
                await self._clock.sleep(_PAUSE_AFTER_FAILURE)

    async def _tick(self, kind: str, seconds: float, handler: Handler) -> None:
        started = self._clock.now_ms()
        held = max(seconds, self._lease_seconds)
        until = started + round(held * 1000)
        table = self._table
        if not await self._db.transact(lambda tx: table.claim_schedule(tx, kind, now=started, until=until)):
            return
        try:
            await handler({})
        except Exception:
            logger.exception("schedule %s failed", kind)
        if seconds < held:
            again = started + round(seconds * 1000)
            await self._db.transact(lambda tx: table.next_schedule(tx, kind, again))
