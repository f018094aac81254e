"""The database port on PostgreSQL: a pool of asyncpg connections, units retried on conflict."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import asyncpg

from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store.port import Dialect, Params, Statement, Work
from flux.kernel.store.postgres_errors import CONFLICTS, translated
from flux.kernel.store.statements import for_postgres

T = TypeVar("T")
_log = logging.getLogger("flux.store")

_ATTEMPTS = 12
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
_UNBOUNDED_SECONDS = 86_400.0
_COUNTED = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))


class PostgresTransaction:
    """A unit's view of the database, on one connection. A failed statement dooms the unit."""

    __slots__ = ("_connection", "_timeout", "acts", "failure")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._timeout: float | None = None
        self.acts: list[Callable[[], None]] = []
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

    async def run_many(self, sql: Statement, params: Sequence[Params]) -> None:
        text, names = for_postgres(sql)
        rows = [[each[name] for name in names] for each in params]
        try:
            await self._connection.executemany(text, rows, timeout=self._timeout)
        except Exception as error:
            raise self._doom(error) from error

    def after_commit(self, act: Callable[[], None]) -> None:
        self.acts.append(act)

    async def unbounded(self) -> None:
        """Lift the statement timeout for the rest of this unit."""
        await self._connection.execute("SET LOCAL statement_timeout = 0")
        self._timeout = _UNBOUNDED_SECONDS

    async def _call(self, method: Callable[..., Any], sql: Statement, params: Params) -> Any:
        text, names = for_postgres(sql)
        arguments = [params[name] for name in names]
        try:
            return await method(text, *arguments, timeout=self._timeout)
        except Exception as error:
            raise self._doom(error) from error

    def _doom(self, error: Exception) -> BaseException:
        if self.failure is None:
            self.failure = translated(error)
        return self.failure


class PostgresDatabase:
    """Any number of processes, one event loop each.

    Raises `PortFailure("store", UNAVAILABLE)` when the server is gone or a unit keeps meeting conflicts,
    `TIMEOUT` when a statement passes its time, `ERROR` when the server's disk or memory fails.
    """

    dialect: Dialect = "postgres"

    def __init__(self, pool: Any, ports: Ports, timeout: float) -> None:
        self._pool = pool
        self._ports = ports
        self._timeout = timeout

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        ports: Ports | None = None,
        pool_size: int = 10,
        statement_timeout_seconds: float = 30.0,
    ) -> PostgresDatabase:
        """Open the pool; at least one connection must succeed."""
        try:
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=pool_size,
                max_inactive_connection_lifetime=300,
                statement_cache_size=1024,
                max_cached_statement_lifetime=0,
                # The server's own timeout answers first; this one is for a server that does not answer at all.
                command_timeout=statement_timeout_seconds + 5,
                server_settings={
                    "application_name": "flux",
                    "statement_timeout": str(int(statement_timeout_seconds * 1000)),
                    "idle_in_transaction_session_timeout": str(int(statement_timeout_seconds * 2000)),
                },
                init=_prepare,
                reset=_keep,
            )
        except Exception as error:
            raise translated(error) from error
        return cls(pool, ports or Ports(), statement_timeout_seconds)

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        row = await self._read("fetchrow", sql, params)
        return None if row is None else into(*row)

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        return [into(*row) for row in await self._read("fetch", sql, params)]

    async def value(self, sql: Statement, params: Params) -> Any:
        row = await self._read("fetchrow", sql, params)
        return None if row is None else row[0]

    async def scan(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        """asyncpg cancels the statement on the server when the task is cancelled."""
        return [into(*row) for row in await self._read("fetch", sql, params)]

    async def transact(self, work: Work[T], *, serializable: bool = False) -> T:
        if self._ports.enabled:
            await self._ports.strike("store")
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._attempt(work, serializable)
            except CONFLICTS as error:
                if attempt == _ATTEMPTS:
                    raise PortFailure("store", Mode.UNAVAILABLE, "conflict") from error
            await asyncio.sleep(random.uniform(0, wait))  # noqa: S311 - spreads retries, guards nothing
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Wait for what is under way, then close every connection."""
        try:
            async with asyncio.timeout(10):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _attempt(self, work: Work[T], serializable: bool) -> T:
        async with self._connection() as connection:
            try:
                await connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE" if serializable else "BEGIN")
                transaction = PostgresTransaction(connection)
                result = await work(transaction)
                if transaction.failure is not None:
                    # The body swallowed it, but the server would answer COMMIT with a silent ROLLBACK.
                    raise transaction.failure
            except BaseException:
                await _roll_back(connection)
                raise
            # Once begun, a commit is not cancelled with its caller: what is durable must also be announced.
            await asyncio.shield(asyncio.ensure_future(_commit(connection, transaction.acts)))
            return result

    async def _read(self, method: str, sql: Statement, params: Params) -> Any:
        if self._ports.enabled:
            await self._ports.strike("store")
        text, names = for_postgres(sql)
        arguments = [params[name] for name in names]
        async with self._connection() as connection:
            return await getattr(connection, method)(text, *arguments)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire(timeout=self._timeout) as connection:
                yield connection
        except CONFLICTS:
            raise
        except Exception as error:
            known = translated(error)
            if known is error:
                raise
            raise known from error


async def _prepare(connection: Any) -> None:
    # SUM of BIGINT is NUMERIC: an int here as on SQLite, a float when it has a fraction.
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text"
    )


async def _keep(_connection: Any) -> None:
    """In place of asyncpg's reset query, a round trip: units always end their transaction themselves."""


def _number(text: str) -> int | float:
    return float(text) if "." in text or "N" in text or "I" in text else int(text)


async def _commit(connection: Any, acts: list[Callable[[], None]]) -> None:
    try:
        await connection.execute("COMMIT")
    except CONFLICTS:
        await _roll_back(connection)
        raise
    for act in acts:
        try:
            act()
        except Exception:
            _log.exception("an act after commit failed")


async def _roll_back(connection: Any) -> None:
    """Leave the connection clean for the next unit, or not at all."""
    if connection.is_closed():
        return
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except Exception:
        connection.terminate()
