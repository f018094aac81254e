"""The database port on one SQLite file: keyed reads in the loop, scans in threads, one writer with group commit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Any, TypeVar

import apsw

from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store.memory import Memories, Memory
from flux.kernel.store.port import Dialect, Params, Statement, UnitSuspended, Work, as_read
from flux.kernel.store.sqlite_connection import FileLock, Tuning, fail, open_connection
from flux.kernel.store.sqlite_scans import ScanPool
from flux.kernel.store.sqlite_writer import GroupWriter
from flux.kernel.store.statements import for_sqlite

T = TypeVar("T")

_SWITCH_SECONDS = 0.0001
"""A thread that comes back from the disk wants the interpreter's lock. The loop lets go of it at every system call, each
time for too short a moment, and each of these starts the waiting anew: at the default of 5 ms, commits and scans
under a busy loop were seen to stand for up to 1.8 s. Below the time between two such moments they do not."""

_STRETCH = 8192
"""Steps of SQLite's machine: some hundred entries of an index, 0.1 ms."""
_GLANCE_STRETCHES = 8


class SqliteDatabase:
    """One process, one file, one event loop.

    Raises `DatabaseInUse` when another process owns the file, `PortFailure("store", …)` when the disk fails.
    """

    dialect: Dialect = "sqlite"

    def __init__(
        self,
        path: Path | str,
        *,
        ports: Ports | None = None,
        readers: int = 2,
        statement_timeout_seconds: float = 30.0,
        tuning: Tuning | None = None,
        remembered: int = 10_000,
    ) -> None:
        self.path = Path(path).absolute()
        tuning = tuning or Tuning()
        self._ports = ports or Ports()
        self._timeout = statement_timeout_seconds
        self._remembered = remembered
        self._memories = Memories()
        if sys.getswitchinterval() > _SWITCH_SECONDS:
            sys.setswitchinterval(_SWITCH_SECONDS)
        self._lock = FileLock(self.path)
        try:
            self._writer = GroupWriter(self.path, tuning, self._memories)
            self._reader: apsw.Connection | None = open_connection(self.path, tuning, writer=False)
            self._memories.attend(self._reader)
            self._stretches = sys.maxsize
            self._reader.set_progress_handler(self._is_long, _STRETCH)
            self.scans = ScanPool(self.path, tuning, readers)
        except BaseException:
            self._lock.release()
            raise

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        if self._ports.enabled:
            await self._ports.strike("store")
        row = self._first(sql, params)
        return None if row is None else into(*row)

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        if self._ports.enabled:
            await self._ports.strike("store")
        try:
            rows: list[Any] = self._connection().execute(for_sqlite(sql), params).fetchall()
        except apsw.Error as error:
            fail(error)
        return rows if into is as_read else list(starmap(into, rows))

    async def glance(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T] | None:
        if self._ports.enabled:
            await self._ports.strike("store")
        self._stretches = _GLANCE_STRETCHES
        try:
            rows = self._connection().execute(for_sqlite(sql), params).fetchall()
        except apsw.InterruptError:
            return None
        except apsw.Error as error:
            fail(error)
        finally:
            self._stretches = sys.maxsize
        return list(starmap(into, rows))

    async def value(self, sql: Statement, params: Params) -> Any:
        if self._ports.enabled:
            await self._ports.strike("store")
        row = self._first(sql, params)
        return None if row is None else row[0]

    async def transact(self, work: Work[T], *, serializable: bool = False) -> T:
        """One unit. Units never interleave here, so every one is serialisable and none is run twice."""
        if self._ports.enabled:
            await self._ports.strike("store")
        if self._writer.inside:
            raise UnitSuspended("a unit of work was started inside another")
        return await self._writer.submit(work)

    async def transact_through(self, work: Work[T]) -> T:
        """Needs no task of its own: what is submitted is run, whoever waits for it."""
        if self._ports.enabled:
            return await asyncio.shield(asyncio.ensure_future(self.transact(work)))
        if self._writer.inside:
            raise UnitSuspended("a unit of work was started inside another")
        return await self._writer.submit(work, through=True)

    async def scan(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        if self._ports.enabled:
            await self._ports.strike("store")
        self._connection()
        return await self.scans.scan(for_sqlite(sql), params, into, self._timeout)

    def remember(self, *statements: Statement) -> Memory[Any, Any]:
        memory: Memory[Any, Any] = Memory(self._remembered, self._ports)
        self._memories.add(memory, self._connection(), [for_sqlite(each) for each in statements])
        return memory

    @property
    def settled(self) -> bool:
        return not self._writer.committing

    async def close(self) -> None:
        """Commit what was submitted, stop the threads, fold the log into the file, let go of the lock."""
        if self._reader is None:
            return
        reader, self._reader = self._reader, None
        await self.scans.close()
        reader.close(True)
        await self._writer.close()
        self._lock.release()

    def _connection(self) -> apsw.Connection:
        if self._reader is None:
            raise PortFailure("store", Mode.UNAVAILABLE, "closed")
        if self._writer.inside:
            raise UnitSuspended("a unit of work read from the database instead of from its transaction")
        return self._reader

    def _is_long(self) -> bool:
        """Called by SQLite after every stretch of a statement of the loop's reader; True breaks it off."""
        self._stretches -= 1
        return self._stretches < 0

    def _first(self, sql: Statement, params: Params) -> Any:
        """The first row or None; the statement is reset at once, so that no snapshot outlives the call."""
        try:
            cursor = self._connection().execute(for_sqlite(sql), params)
            row = cursor.fetchone()
            cursor.close(True)
        except apsw.Error as error:
            fail(error)
        return row
