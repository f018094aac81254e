"""Long reads on SQLite: a few threads, each with a connection of its own, interrupted with the task that asked."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Any, TypeVar

import apsw

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.port import Params
from flux.kernel.store.sqlite_connection import Tuning, open_connection, translated

T = TypeVar("T")

_AGAIN_SECONDS = 0.02
"""An interrupt that comes just before the statement's first step is lost, so it is repeated until the job is gone."""


class _Job:
    __slots__ = ("done", "into", "loop", "params", "sql", "stopped")

    def __init__(self, sql: str, params: Params, into: Callable[..., Any]) -> None:
        self.sql = sql
        self.params = params
        self.into = into
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[list[Any]] = self.loop.create_future()
        self.stopped = False


class _Reader:
    """One thread. `job` and interrupts are under `lock`, so that an interrupt never hits the next job."""

    def __init__(
        self, connection: apsw.Connection, jobs: queue.SimpleQueue[_Job | None], number: int
    ) -> None:
        self._connection = connection
        self._jobs = jobs
        self._lock = threading.Lock()
        self._job: _Job | None = None
        self.thread = threading.Thread(target=self._serve, name=f"flux-store-scan-{number}", daemon=True)
        self.thread.start()

    @property
    def busy(self) -> bool:
        return self._job is not None

    def interrupt(self, job: _Job) -> bool:
        """True when this reader was at `job`."""
        with self._lock:
            if self._job is not job:
                return False
            self._connection.interrupt()
            return True

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._lock:
                if job.stopped:
                    continue
                self._job = job
            rows: list[Any] = []
            error: BaseException | None = None
            try:
                found = self._connection.execute(job.sql, job.params).fetchall()
                rows = list(starmap(job.into, found))
            except BaseException as raised:
                error = translated(raised)
            with self._lock:
                self._job = None
            try:
                job.loop.call_soon_threadsafe(_deliver, job, rows, error)
            except RuntimeError:  # the loop is gone, and with it whoever waited
                pass
        self._connection.close(True)


class ScanPool:
    """`threads` readers on one queue."""

    def __init__(self, path: Path, tuning: Tuning, threads: int) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting: set[_Job] = set()
        self._readers = [
            _Reader(open_connection(path, tuning, writer=False), self._jobs, number)
            for number in range(threads)
        ]

    @property
    def busy(self) -> int:
        """How many readers are at work now."""
        return sum(reader.busy for reader in self._readers)

    async def scan(self, sql: str, params: Params, into: Callable[..., T], seconds: float) -> list[T]:
        """Every row, or `PortFailure(TIMEOUT)` after `seconds`; the query stops with the task."""
        job = _Job(sql, params, into)
        self._waiting.add(job)
        self._jobs.put(job)
        late = PortFailure("store", Mode.TIMEOUT, "statement")
        expiry = job.loop.call_later(seconds, self._give_up, job, late)
        try:
            return await job.done
        finally:
            expiry.cancel()
            self._waiting.discard(job)
            if job.done.cancelled():
                self._stop(job)

    async def close(self) -> None:
        """Stop what runs and what waits; end the threads."""
        loop = asyncio.get_running_loop()
        for job in list(self._waiting):
            self._give_up(job, PortFailure("store", Mode.UNAVAILABLE, "closed"))
        for _ in self._readers:
            self._jobs.put(None)
        for reader in self._readers:
            await loop.run_in_executor(None, reader.thread.join)

    def _give_up(self, job: _Job, reason: PortFailure) -> None:
        if not job.done.done():
            job.done.set_exception(reason)
        self._stop(job)

    def _stop(self, job: _Job) -> None:
        job.stopped = True
        if any(reader.interrupt(job) for reader in self._readers):
            job.loop.call_later(_AGAIN_SECONDS, self._stop, job)


def _deliver(job: _Job, rows: list[Any], error: BaseException | None) -> None:
    if job.done.done():
        return
    if error is not None:
        job.done.set_exception(error)
    else:
        job.done.set_result(rows)
