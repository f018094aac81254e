"""The one writer of a SQLite file: units of work in the loop, their shared COMMIT in a thread.

A unit is a SAVEPOINT inside an open `BEGIN IMMEDIATE`. It runs to its end without suspending, so two units never
interleave. Units that became ready in one turn of the loop form a batch, or in a few turns where they are long; the batch
is committed by the thread (the loop never waits for the disk), and only then do the callers get their answers. Units
arriving meanwhile queue up and are the next batch. A failure is answered after the commit as well: it may rest on what
an earlier unit of the batch wrote.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import apsw

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.memory import Memories
from flux.kernel.store.port import Closing, Params, Statement, UnitSuspended, Work
from flux.kernel.store.sqlite_connection import Tuning, fail, open_connection, translated
from flux.kernel.store.statements import for_sqlite

T = TypeVar("T")
_log = logging.getLogger("flux.store")

_TURN_SECONDS = 0.005
"""How long queued units may hold the loop; then others have a turn."""
_BATCH_SECONDS = 0.1
"""How long a batch takes in units that are queued, turn by turn; the rest wait for the next one. Without it each of several large
units would wait for a disk of its own."""


class SqliteTransaction:
    """A unit's view of the database. Unusable once the unit has ended, and after its first failing statement."""

    __slots__ = ("_connection", "_execute", "_memories", "acts", "failure")
    closing: Closing | None = None

    def __init__(self, connection: apsw.Connection, cursor: apsw.Cursor, memories: Memories) -> None:
        self._connection = connection
        self._execute: Callable[..., apsw.Cursor] = cursor.execute
        self._memories = memories
        self.acts: list[Callable[[], None]] = []
        self.failure: BaseException | None = None

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        rows = self._rows(sql, params)
        return into(*rows[0]) if rows else None

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        return [into(*row) for row in self._rows(sql, params)]

    async def value(self, sql: Statement, params: Params) -> Any:
        rows = self._rows(sql, params)
        return rows[0][0] if rows else None

    async def run(self, sql: Statement, params: Params) -> int:
        before = self._connection.total_changes()
        self._rows(sql, params)
        # changes() keeps the figure of the last INSERT, UPDATE or DELETE, so it says nothing about other statements.
        return self._connection.changes() if self._connection.total_changes() != before else 0

    async def run_many(self, sql: Statement, params: Any) -> None:
        if self._execute == self._refuse:
            self._refuse()
        text = for_sqlite(sql)
        self._touch(text)
        try:
            self._connection.executemany(text, params)
        except apsw.Error as error:
            self._doom(error)

    def after_commit(self, act: Callable[[], None]) -> None:
        self.acts.append(act)

    def _rows(self, sql: Statement, params: Params) -> list[Any]:
        # Stepped to the end even when one row is wanted: foreign keys are checked at the last step.
        text = for_sqlite(sql)
        if self._memories.touched.get(text) != ():
            self._touch(text)
        try:
            return self._execute(text, params).fetchall()
        except apsw.Error as error:
            self._doom(error)

    def _touch(self, text: str) -> None:
        """What the statement may change is due to be forgotten."""
        touched = self._memories.touched.get(text)
        if touched is None:
            touched = self._memories.learn(self._connection, text)
        self._memories.due.update(touched)

    def _doom(self, error: apsw.Error) -> NoReturn:
        self.failure = translated(error)
        self._execute = self._refuse
        fail(error)

    def end(self) -> None:
        self._execute = self._refuse

    def _refuse(self, *_: Any) -> NoReturn:
        # As on PostgreSQL, a failed statement dooms its unit, even when the body swallowed the error.
        raise self.failure or RuntimeError("this unit of work has ended")


class _Unit:
    __slots__ = ("acts", "context", "done", "error", "result", "through", "work")

    def __init__(self, work: Work[Any], done: asyncio.Future[Any], *, through: bool) -> None:
        self.work = work
        self.done = done
        self.through = through
        self.context = contextvars.copy_context()
        self.acts: list[Callable[[], None]] = []
        self.result: Any = None
        self.error: BaseException | None = None


class GroupWriter:
    """Runs units in the loop and commits them in batches. Everything but `_commit*` belongs to the loop's thread."""

    def __init__(self, path: Path, tuning: Tuning, memories: Memories) -> None:
        self._path = path
        self._tuning = tuning
        self._memories = memories
        self._connection = self._open()
        # One cursor for everything, since every statement is stepped to its end: making one costs a microsecond.
        self._cursor = self._connection.cursor()
        self._queue: deque[_Unit] = deque()
        self._batch: list[_Unit] = []
        self.committing = False
        """True from when a batch is sealed until its acts after commit have been called."""
        self._broken: BaseException | None = None
        self._closed = False
        self._until = 0.0
        self._idle: asyncio.Future[None] | None = None
        self._sealed: queue.SimpleQueue[asyncio.AbstractEventLoop | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._commit_forever, name="flux-store-commit", daemon=True)
        self._thread.start()
        self.inside = False
        """True while a unit's body runs."""

    def submit(self, work: Work[T], *, through: bool = False) -> asyncio.Future[T]:
        """Run `work` now, or after the commit under way; the future has its result once that is durable. Who stops waiting
        before it was run calls it off, unless it is to go `through`."""
        if self._closed:
            raise PortFailure("store", Mode.UNAVAILABLE, "closed")
        loop = asyncio.get_running_loop()
        unit = _Unit(work, loop.create_future(), through=through)
        if self.committing or self._queue or self._broken is not None:
            self._queue.append(unit)
        else:
            self._run(unit, loop)
        return unit.done

    async def close(self) -> None:
        """Finish what was submitted, then let go of the file."""
        self._closed = True
        loop = asyncio.get_running_loop()
        while self._batch or self._queue:
            self._idle = self._idle or loop.create_future()
            await asyncio.shield(self._idle)
        if self._thread.is_alive():
            self._sealed.put(None)
            await loop.run_in_executor(None, self._thread.join)

    def _open(self) -> apsw.Connection:
        connection = open_connection(self._path, self._tuning, writer=True)
        self._memories.attend(connection)
        return connection

    def _run(self, unit: _Unit, loop: asyncio.AbstractEventLoop) -> None:
        try:
            if not self._batch:
                self._cursor.execute("BEGIN IMMEDIATE")
                self._memories.compare(self._cursor.execute("PRAGMA data_version").fetchall())
                self._until = time.perf_counter() + _BATCH_SECONDS
                loop.call_soon(self._seal, loop)
            self._batch.append(unit)
            self._cursor.execute("SAVEPOINT unit")
            self._play(unit)
        except apsw.Error as error:
            self._break(translated(error), unit, loop)

    def _play(self, unit: _Unit) -> None:
        """The body, then its savepoint kept or undone. Raises apsw errors of the savepoint itself only."""
        transaction = SqliteTransaction(self._connection, self._cursor, self._memories)
        self.inside = True
        try:
            unit.result = unit.context.run(_drive, unit.work, transaction)
            unit.error = transaction.failure
        except BaseException as error:
            unit.error = error
        finally:
            self.inside = False
            transaction.end()
        if unit.error is None:
            unit.acts = transaction.acts
        elif self._connection.in_transaction:
            self._cursor.execute("ROLLBACK TO unit")
        else:
            # A full disk or a failing one makes SQLite roll back everything, the earlier units of the batch too.
            self._broken = PortFailure("store", Mode.ERROR, "disk")
            return
        self._cursor.execute("RELEASE unit")

    def _break(self, error: BaseException, unit: _Unit, loop: asyncio.AbstractEventLoop) -> None:
        """The batch cannot be kept: its units fail together when it is sealed."""
        self._broken = error
        if not self._batch:
            self._batch.append(unit)
            loop.call_soon(self._seal, loop)

    def _seal(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._broken is not None:
            error, self._broken = self._broken, None
            self._recover()
            self._settle(error, loop)
        elif self._queue and time.perf_counter() < self._until:
            self._turn(loop)
            loop.call_soon(self._seal, loop)
        else:
            self.committing = True
            self._sealed.put(loop)

    def _settle(self, error: BaseException | None, loop: asyncio.AbstractEventLoop) -> None:
        """Answer the batch, then start the next one with what queued up meanwhile."""
        self.committing = False
        self._memories.settle()
        batch, self._batch = self._batch, []
        for unit in batch:
            _answer(unit, error)
        self._turn(loop)
        if not self._batch and not self._queue and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        deadline = time.perf_counter() + _TURN_SECONDS
        while self._queue and self._broken is None:
            unit = self._queue.popleft()
            if unit.through or not unit.done.done():
                self._run(unit, loop)
                if time.perf_counter() > deadline:
                    break

    def _commit_forever(self) -> None:
        while (loop := self._sealed.get()) is not None:
            error: BaseException | None = None
            try:
                self._cursor.execute("COMMIT")
            except BaseException as raised:
                _log.error("a commit failed; its units are rolled back", exc_info=raised)
                error = translated(raised)
                self._recover()
            try:
                loop.call_soon_threadsafe(self._settle, error, loop)
            except RuntimeError:  # the loop is gone, and with it whoever waited
                break
        self._connection.close(True)

    def _recover(self) -> None:
        """Back to a connection with no transaction open, by rolling back or by opening anew."""
        try:
            if self._connection.in_transaction:
                self._cursor.execute("ROLLBACK")
        except apsw.Error:
            _log.exception("a rollback failed; the writer opens the file again")
            self._connection.close(True)
            self._connection = self._open()
            self._cursor = self._connection.cursor()


def _drive(work: Work[T], transaction: SqliteTransaction) -> T:
    """The result of a body that must not suspend."""
    steps: Any = work(transaction).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    try:
        steps.close()
    except Exception:
        _log.exception("a unit of work failed while it was being abandoned")
    raise UnitSuspended("a unit of work awaited something other than its transaction")


def _answer(unit: _Unit, error: BaseException | None) -> None:
    if error is not None:
        # Each waiter raises its own instance: a shared one would collect the tracebacks of all.
        mine = PortFailure(error.port, error.mode, error.reason) if isinstance(error, PortFailure) else error
        if not unit.done.done():
            unit.done.set_exception(mine)
        return
    for act in unit.acts:
        try:
            unit.context.run(act)
        except Exception:
            _log.exception("an act after commit failed")
    if unit.done.done():
        return
    if unit.error is not None:
        unit.done.set_exception(unit.error)
    else:
        unit.done.set_result(unit.result)
