"""The queue in the store: what rooms call."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flux.kernel.faults.ports import Ports
from flux.kernel.jobs.port import Handler
from flux.kernel.jobs.repository import DeadJob, JobTable
from flux.kernel.jobs.schedules import Schedules
from flux.kernel.jobs.worker import Worker
from flux.kernel.store.clock import Clock
from flux.kernel.store.ids import random_key
from flux.kernel.store.port import Database, Transaction
from flux.settings.jobs import JobSettings


class StoreJobs:
    """`Jobs` on either database. A process runs the kinds it has handlers for and leaves the others to others.

    Give it the ports, and it keeps its hands off the store while a `store` fault waits there for a request.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: JobSettings | None = None,
        ports: Ports | None = None,
        *,
        jitter: Callable[[], float] = secrets.SystemRandom().random,
    ) -> None:
        settings = settings or JobSettings()
        self._db = db
        self._clock = clock
        self._table = JobTable(random_key(16))
        self._worker = Worker(
            db, self._table, clock, settings, jitter, lambda: ports is not None and ports.armed("store")
        )
        self._schedules = Schedules(db, self._table, clock, self._worker, settings.lease_seconds)
        self._started = False

    async def enqueue(
        self,
        tx: Transaction,
        kind: str,
        payload: dict[str, Any],
        *,
        run_at_ms: int | None = None,
        key: str | None = None,
    ) -> None:
        now = self._clock.now_ms()
        due_at = now if run_at_ms is None else run_at_ms
        await self._table.add(tx, kind, payload, due_at=due_at, key=key, now=now)
        if kind in self._worker.handlers:
            tx.after_commit(self._worker.wake)

    async def cancel(self, tx: Transaction, kind: str, key: str) -> None:
        await self._table.cancel(tx, kind, key)

    def handle(self, kind: str, handler: Handler) -> None:
        self._declare(kind)
        self._worker.handlers[kind] = handler

    def every(self, kind: str, seconds: float, handler: Handler) -> None:
        self._declare(kind)
        self._schedules.all[kind] = (seconds, handler)

    def _declare(self, kind: str) -> None:
        if self._started:
            raise RuntimeError(f"{kind}: handlers are declared before start")
        if kind in self._worker.handlers or kind in self._schedules.all:
            raise ValueError(f"{kind} already has a handler")

    async def start(self) -> None:
        if self._started:
            raise RuntimeError("started twice")
        self._started = True
        await self._schedules.start()
        self._worker.start()

    async def dead(self, most: int = 100) -> list[DeadJob]:
        """Jobs that failed too often, newest first."""
        return await self._table.dead(self._db, most)

    async def close(self) -> None:
        await self._schedules.close()
        await self._worker.close()
