"""The rows of a running server, read past it: what has changed since a moment.

    rows = await open_rows(server)
    await rows.hold()                 # costs next to nothing: a read transaction keeps that moment
    ...
    assert await rows.moved() == {}   # tables -> what came, went or is otherwise

Most requests that change nothing write nothing, and the database knows that without a look at any row.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import apsw
import asyncpg
from tests.harness.server import Server

Row = dict[str, Any]


@dataclass
class Moved:
    """Rows of one table that are there no more, and rows that were not there; a changed row is in both."""

    gone: list[Row]
    new: list[Row]


class Rows(ABC):
    @abstractmethod
    async def hold(self) -> None:
        """Compare with this moment from now on."""

    @abstractmethod
    async def moved(self) -> dict[str, Moved]: ...

    @abstractmethod
    async def close(self) -> None: ...


@asynccontextmanager
async def open_rows(server: Server) -> AsyncIterator[Rows]:
    rows: Rows
    if "--database" in server.command:
        rows = await _Postgres.open(server.command[server.command.index("--database") + 1])
    else:
        rows = _Sqlite(str(server.data_dir / "flux.db"))
    try:
        yield rows
    finally:
        await rows.close()


def _compared(before: Sequence[Row], after: Sequence[Row]) -> Moved:
    then, now = {repr(row): row for row in before}, {repr(row): row for row in after}
    return Moved([then[key] for key in then if key not in now], [now[key] for key in now if key not in then])


class _Sqlite(Rows):
    _TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"

    def __init__(self, path: str) -> None:
        self._then, self._now = (
            apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY),
            apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY),
        )
        for connection in (self._then, self._now):
            connection.set_busy_timeout(10_000)
        self._tables = [str(row[0]) for row in self._now.execute(self._TABLES)]
        self._version = 0

    async def hold(self) -> None:
        if self._then.in_transaction:
            self._then.execute("COMMIT")
        self._version = self._written()
        self._then.execute("BEGIN; SELECT 1 FROM sqlite_schema").fetchall()

    async def moved(self) -> dict[str, Moved]:
        if self._written() == self._version:
            return {}
        tables = {each: (self._all(self._then, each), self._all(self._now, each)) for each in self._tables}
        return {each: _compared(*both) for each, both in tables.items() if both[0] != both[1]}

    async def close(self) -> None:
        self._then.close()
        self._now.close()

    def _written(self) -> int:
        return int(self._now.execute("PRAGMA data_version").fetchall()[0][0])

    @staticmethod
    def _all(connection: apsw.Connection, table: str) -> list[Row]:
        cursor = connection.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [each[1] for each in connection.execute(f"PRAGMA table_info({table})")]
        return [dict(zip(names, row, strict=False)) for row in rows]


class _Postgres(Rows):
    def __init__(self, then: asyncpg.Connection[Any], now: asyncpg.Connection[Any]) -> None:
        self._then, self._now = then, now
        self._digests = ""
        self._written = ""

    @classmethod
    async def open(cls, url: str) -> _Postgres:
        rows = cls(await asyncpg.connect(url), await asyncpg.connect(url))
        tables = await rows._now.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows._digests = " UNION ALL ".join(
            f"SELECT '{name}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} t"
            for (name,) in tables
        )
        return rows

    async def hold(self) -> None:
        if self._then.is_in_transaction():
            await self._then.execute("COMMIT")
        await self._then.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._written = await self._moment(self._then)

    async def moved(self) -> dict[str, Moved]:
        if await self._moment(self._now) == self._written:
            return {}
        before, after = await self._then.fetch(self._digests), await self._now.fetch(self._digests)
        tables = [then[0] for then, now in zip(before, after, strict=True) if then != now]
        return {
            each: _compared(await self._all(self._then, each), await self._all(self._now, each))
            for each in tables
        }

    async def close(self) -> None:
        await self._then.close()
        await self._now.close()

    @staticmethod
    async def _moment(connection: asyncpg.Connection[Any]) -> str:
        """The same as long as nobody on this PostgreSQL wrote."""
        return str(await connection.fetchval("SELECT pg_current_snapshot()::text"))

    @staticmethod
    async def _all(connection: asyncpg.Connection[Any], table: str) -> list[Row]:
        return [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]


async def write(server: Server, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """The statement for each of the rows, past the server and in one transaction: a thousand of something in a moment.
    Parameters are `$1`, `$2` …

    On SQLite the server may remember what this changes of what is there already, until it next writes itself (decision 0027)."""
    if "--database" in server.command:
        connection = await asyncpg.connect(server.command[server.command.index("--database") + 1])
        try:
            async with connection.transaction():
                await connection.executemany(sql, rows)
        finally:
            await connection.close()
        return
    with apsw.Connection(str(server.data_dir / "flux.db")) as file:
        file.set_busy_timeout(30_000)
        file.execute("PRAGMA foreign_keys = ON")
        file.executemany(sql.replace("$", "?"), rows)
    file.close()


@asynccontextmanager
async def held_back(server: Server, table: str) -> AsyncIterator[None]:
    """Until the block ends nobody writes to the table, so that whoever asks first has looked before anybody writes. Then
    the block waits until those who would write wait for it. SQLite has one writer, and this does nothing."""
    if "--database" not in server.command:
        yield
        return
    connection = await asyncpg.connect(server.command[server.command.index("--database") + 1])
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield
            await _everybody_waits(connection)
    finally:
        await connection.close()


async def _everybody_waits(connection: asyncpg.Connection[Any]) -> None:
    """Somebody waits for a lock and for a while nobody else came to. More patience would only make races sharper."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    before, same = 0, 0
    async with asyncio.timeout(60):
        while before == 0 or same < 5:
            waiting = int(await connection.fetchval(asked))
            before, same = waiting, same + 1 if waiting == before else 0
            await asyncio.sleep(0.03)
