"""Runs what is due: claims rows by lease, calls their handlers, settles them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from flux.kernel.faults import stand_behind
from flux.kernel.jobs.port import Handler
from flux.kernel.jobs.repository import ClaimedJob, JobTable
from flux.kernel.store.clock import Clock
from flux.kernel.store.port import Database, Transaction, UniqueViolation, Work
from flux.settings.jobs import JobSettings

logger = logging.getLogger("flux.jobs")

_ERROR_LENGTH = 500
_SETTLE_PAUSE = 1.0


class Worker:
    """`stand_aside` says when not to touch the store: while an operator has armed a fault there, which is meant
    for a request and not for our next look at the clock."""

    def __init__(
        self,
        db: Database,
        table: JobTable,
        clock: Clock,
        settings: JobSettings,
        jitter: Callable[[], float],
        stand_aside: Callable[[], bool],
    ) -> None:
        self.handlers: dict[str, Handler] = {}
        self._db = db
        self._table = table
        self._clock = clock
        self._settings = settings
        self._jitter = jitter
        self.stand_aside = stand_aside
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._jobs: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._closing = False

    def start(self) -> None:
        if self.handlers:
            self._loops = [asyncio.ensure_future(self._look()), asyncio.ensure_future(self._renew())]

    def wake(self) -> None:
        self._wake.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that `close` waits for."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            logger.error("a job could not be settled", exc_info=error)

    async def close(self) -> None:
        self._closing = True
        for loop in self._loops[:1]:  # the leases are renewed to the end
            loop.cancel()
            await asyncio.wait({loop})
        if self._running:
            await asyncio.wait(self._running, timeout=self._settings.close_seconds)
        if left := set(self._running):
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        for loop in self._loops[1:]:
            loop.cancel()
            await asyncio.wait({loop})

    async def _look(self) -> None:
        stand_behind()
        while True:
            self._wake.clear()
            pause = self._settings.poll_seconds
            if not self.stand_aside():
                try:
                    pause = min(pause, await self._claim())
                except Exception:
                    logger.exception("the queue cannot be read; trying again")
            timer = self._clock.call_later(pause, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    async def _claim(self) -> float:
        """Start what is due and fits; the seconds until there may be more."""
        kinds = list(self.handlers)
        free = self._settings.concurrency - len(self._jobs)
        if free <= 0:
            return self._settings.poll_seconds
        due = await self._table.next_due(self._db, kinds)
        if due is None:
            return self._settings.poll_seconds
        now = self._clock.now_ms()
        if due > now:
            return (due - now) / 1000

        async def claim(tx: Transaction) -> list[ClaimedJob]:
            return await self._table.claim(tx, kinds, now=now, lease_until=now + self._lease_ms, most=free)

        # Shielded: a claim that commits while we are cancelled would leave its jobs to their leases.
        claiming = asyncio.ensure_future(self._db.transact(claim))
        try:
            jobs = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            jobs = await claiming
        for job in sorted(jobs, key=lambda job: job.id):
            task = self.spawn(self._run(job))
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)
        if self._closing:
            raise asyncio.CancelledError
        # None: another process was faster. Some: there may be more.
        return 0.0 if jobs else self._settings.poll_seconds

    @property
    def _lease_ms(self) -> int:
        return round(self._settings.lease_seconds * 1000)

    async def _renew(self) -> None:
        stand_behind()
        while True:
            await self._clock.sleep(self._settings.lease_seconds / 3)
            if not self._jobs or self.stand_aside():
                continue
            try:
                await self._db.transact(self._renew_leases)
            except Exception:
                logger.exception("leases cannot be renewed; trying again")

    async def _renew_leases(self, tx: Transaction) -> None:
        await self._table.renew(tx, self._clock.now_ms() + self._lease_ms)

    async def _run(self, job: ClaimedJob) -> None:
        if job.attempts > self._settings.max_attempts:
            await self._settle(lambda tx: self._table.bury(tx, job, "its process died each time"))
            return
        try:
            await self.handlers[job.kind](msgspec.json.decode(job.payload, type=dict[str, Any]))
        except asyncio.CancelledError:
            if not self._closing:
                await self._failed(job, RuntimeError("cancelled from within"))
                return
            now = self._clock.now_ms()
            back = self._table.wait_again
            await self._settle(lambda tx: back(tx, job, due_at=now, attempts=job.attempts - 1, error=None))
            raise
        except Exception as error:
            await self._failed(job, error)
            return
        await self._settle(lambda tx: self._table.done(tx, job))

    async def _failed(self, job: ClaimedJob, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
        if job.attempts >= self._settings.max_attempts:
            logger.error(
                "job %d (%s) is dead after %d attempts", job.id, job.kind, job.attempts, exc_info=error
            )
            await self._settle(lambda tx: self._table.bury(tx, job, text))
            return
        pause = self._backoff(job.attempts)
        logger.warning(
            "job %d (%s) failed, attempt %d; again in %.1f s: %s", job.id, job.kind, job.attempts, pause, text
        )
        due_at = self._clock.now_ms() + round(pause * 1000)
        back = self._table.wait_again
        await self._settle(lambda tx: back(tx, job, due_at=due_at, attempts=job.attempts, error=text))

    def _backoff(self, attempts: int) -> float:
        """Doubling, then half of it at random, so that what failed together does not come back together."""
        whole = min(
            self._settings.backoff_max_seconds, self._settings.backoff_seconds * 2.0 ** min(attempts - 1, 60)
        )
        return whole * (0.5 + self._jitter() / 2)

    async def _settle(self, work: Work[None]) -> None:
        """Write down how a job ended. Tried until it works: without it the row would stay ours, and unrun."""
        while True:
            try:
                return await self._db.transact(work)
            except UniqueViolation:
                continue
            except Exception:
                logger.exception("how a job ended cannot be written; trying again")
                await self._clock.sleep(_SETTLE_PAUSE)
