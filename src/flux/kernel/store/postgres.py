"""The database port on PostgreSQL: pooled asyncpg connections, units retried on conflict."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import asyncpg

from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store.memory import Memory
from flux.kernel.store.port import Closing, Dialect, Params, Row, Statement, Work
from flux.kernel.store.postgres_errors import CONFLICTS, fail, may_still_run, translated
from flux.kernel.store.postgres_pool import ConnectionPool
from flux.kernel.store.statements import for_postgres

T = TypeVar("T")
_log = logging.getLogger("flux.store")

_ATTEMPTS = 12
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
_UNBOUNDED_SECONDS = 86_400.0
_CLOSE_SECONDS = 10.0
_COUNTED = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))


class PostgresTransaction:
    """A unit's view of the database, on one connection. Unusable once the unit has ended or a statement failed."""

    __slots__ = ("_connection", "_ended", "_timeout", "acts", "closing", "failure")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._timeout: float | None = None
        self._ended = False
        self.acts: list[Callable[[], None]] = []
        self.closing: Closing | None = None
        self.failure: BaseException | None = None

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        row = await self._call(self._connection.fetchrow, sql, params)
        return None if row is None else into(*row)

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        return [into(*row) for row in await self._call(self._connection.fetch, sql, params)]

    async def value(self, sql: Statement, params: Params) -> Any:
        row = await self._call(self._connection.fetchrow, sql, params)
        return None if row is None else row[0]

    async def run(self, sql: Statement, params: Params) -> int:
        words = (await self._call(self._connection.execute, sql, params)).split()
        return int(words[-1]) if words and words[0] in _COUNTED else 0

    async def run_many(self, sql: Statement, params: Sequence[Params] | Sequence[Row]) -> None:
        if self._ended or self.failure is not None:
            self._refuse()
        text, names = for_postgres(sql)
        rows = [each if isinstance(each, tuple) else [each[name] for name in names] for each in params]
        try:
            await self._connection.executemany(text, rows, timeout=self._timeout)
        except Exception as error:
            self.failure = translated(error)
            fail(error)

    def after_commit(self, act: Callable[[], None]) -> None:
        self.acts.append(act)

    async def unbounded(self) -> None:
        """Lift the statement timeout for the rest of this unit."""
        await self._connection.execute("SET LOCAL statement_timeout = 0")
        self._timeout = _UNBOUNDED_SECONDS

    def end(self) -> None:
        self._ended = True

    async def _call(self, method: Callable[..., Any], sql: Statement, params: Params) -> Any:
        if self._ended or self.failure is not None:
            self._refuse()
        text, names = for_postgres(sql)
        arguments = [params[name] for name in names]
        try:
            return await method(text, *arguments, timeout=self._timeout)
        except Exception as error:
            self.failure = translated(error)
            fail(error)

    def _refuse(self) -> NoReturn:
        raise self.failure or RuntimeError("this unit of work has ended")


class PostgresDatabase:
    """Any number of processes, one event loop each.

    Raises `PortFailure("store", …)`: `UNAVAILABLE` when the server is gone or a unit kept meeting conflicts,
    `TIMEOUT` when a statement passed its time or no connection came free, `ERROR` when the server's disk or
    memory failed. A connection lost or timed out during COMMIT leaves it unknown whether the unit happened.
    """

    dialect: Dialect = "postgres"
    settled = False

    def __init__(self, pool: ConnectionPool, ports: Ports) -> None:
        self._pool = pool
        self._ports = ports
        self._commits: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        ports: Ports | None = None,
        pool_size: int = 10,
        statement_timeout_seconds: float = 30.0,
    ) -> PostgresDatabase:
        """Open the pool; one connection must succeed."""

        async def connect_one() -> Any:
            connection = await asyncpg.connect(
                dsn,
                timeout=10,
                statement_cache_size=1024,
                max_cached_statement_lifetime=0,
                # The server's own timeout answers first; this one is for a server that does not answer at all.
                command_timeout=statement_timeout_seconds + 5,
                server_settings={
                    "application_name": "flux",
                    "statement_timeout": str(int(statement_timeout_seconds * 1000)),
                    "client_connection_check_interval": "500",
                    "idle_in_transaction_session_timeout": str(int(statement_timeout_seconds * 2000)),
                },
            )
            # SUM of BIGINT is NUMERIC: an int here as on SQLite, a float when it has a fraction.
            await connection.set_type_codec(
                "numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text"
            )
            return connection

        pool = ConnectionPool(connect_one, pool_size, statement_timeout_seconds)
        try:
            pool.release(await pool.acquire())
        except Exception as error:
            fail(error)
        return cls(pool, ports or Ports())

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        row = await self._read(asyncpg.Connection.fetchrow, sql, params)
        return None if row is None else into(*row)

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        return [into(*row) for row in await self._read(asyncpg.Connection.fetch, sql, params)]

    async def glance(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T] | None:
        return await self.all(sql, params, into)

    async def value(self, sql: Statement, params: Params) -> Any:
        row = await self._read(asyncpg.Connection.fetchrow, sql, params)
        return None if row is None else row[0]

    async def scan(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        """The statement is cancelled on the server when the task is cancelled."""
        return [into(*row) for row in await self._read(asyncpg.Connection.fetch, sql, params)]

    async def transact(self, work: Work[T], *, serializable: bool = False) -> T:
        if self._ports.enabled:
            await self._ports.strike("store")
        begin = "BEGIN ISOLATION LEVEL SERIALIZABLE" if serializable else "BEGIN"
        wait = _FIRST_WAIT_SECONDS
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._attempt(work, begin)
            except CONFLICTS:
                await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - spreads retries, guards nothing
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        try:
            return await self._attempt(work, begin)
        except CONFLICTS as error:
            raise PortFailure("store", Mode.UNAVAILABLE, "conflict") from error

    async def transact_through(self, work: Work[T]) -> T:
        return await asyncio.shield(asyncio.ensure_future(self.transact(work)))

    def remember(self, *_: Statement) -> Memory[Any, Any]:
        return Memory(0, self._ports)

    async def close(self) -> None:
        """Wait for what is under way, then close every connection."""
        await self._pool.close(_CLOSE_SECONDS)

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire()
        except Exception as error:
            fail(error)

    async def _read(self, method: Callable[..., Any], sql: Statement, params: Params) -> Any:
        if self._ports.enabled:
            await self._ports.strike("store")
        text, names = for_postgres(sql)
        arguments = [params[name] for name in names]
        connection = await self._acquire()
        try:
            result = await method(connection, text, *arguments)
        except BaseException as error:
            if may_still_run(error):
                self._pool.discard(connection)
            else:
                self._pool.release(connection)
            if isinstance(error, CONFLICTS):
                raise PortFailure("store", Mode.UNAVAILABLE, "conflict") from error
            fail(error)
        self._pool.release(connection)
        return result

    async def _attempt(self, work: Work[T], begin: str) -> T:
        connection = await self._acquire()
        transaction = PostgresTransaction(connection)
        try:
            await connection.execute(begin)
            result = await work(transaction)
            if transaction.failure is not None:
                # The body swallowed it, but the server would answer COMMIT with a silent ROLLBACK.
                raise transaction.failure
            end = "COMMIT" if transaction.closing is None else f"{transaction.closing.text()}; COMMIT"
        except BaseException as error:
            transaction.end()
            await self._roll_back(connection, error)
            # A body that made its own error of a conflict is run again all the same.
            fail(transaction.failure if isinstance(transaction.failure, CONFLICTS) else error)
        transaction.end()
        # Once begun, a commit is not cancelled with its caller: what is durable must also be announced.
        commit = asyncio.get_running_loop().create_task(self._commit(connection, end, transaction.acts))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        await asyncio.shield(commit)
        return result

    async def _commit(self, connection: Any, end: str, acts: list[Callable[[], None]]) -> None:
        try:
            await connection.execute(end)
        except BaseException as error:
            await self._roll_back(connection, error)
            fail(error)
        self._pool.release(connection)
        for act in acts:
            try:
                act()
            except Exception:
                _log.exception("an act after commit failed")

    async def _roll_back(self, connection: Any, error: BaseException) -> None:
        """Give the connection back clean, or not at all when `error` may have left a statement running."""
        if may_still_run(error.__cause__ or error):
            self._pool.discard(connection)
            return
        try:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
        except BaseException as second:
            self._pool.discard(connection)
            if not isinstance(second, Exception):
                raise
        else:
            self._pool.release(connection)


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)
