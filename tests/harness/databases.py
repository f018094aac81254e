"""Databases for tests: every test that asks for `database` runs twice, on SQLite and on PostgreSQL.

    @pytest.fixture(scope="session")
    def migration_sets():                      # in your room's conftest.py; the default is an empty database
        return [MigrationSet("community", Path("src/flux/community/migrations"))]

    async def test_something(database): ...    # an open, migrated, empty `Database`; closed for you
    async def test_restart(database_url): ...  # the URL of one, not open: `await open_url(database_url)`

Each test has the data to itself. The schema is made once a process and migration list: SQLite tests copy a file,
PostgreSQL tests share one server a process and take turns on a database that is emptied after use (made anew when the
test changed the schema, or when migrations insert rows). The server starts with the first test that needs it and
keeps nothing on disk (`fsync` off); `postgres_server` is that server, for tests that want databases of their own.

Registered as a plugin (`pytest_plugins = ["tests.harness.databases"]` in tests/conftest.py), or imported by a conftest.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from flux.kernel.store import (
    Database,
    EmbeddedPostgres,
    MigrationSet,
    PostgresDatabase,
    SqliteDatabase,
    migrate,
    open_database,
)
from flux.settings.store import StoreSettings

Sets = tuple[MigrationSet, ...]

_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "150",
    "shared_buffers": "32MB",
}
_NAMES = """
SELECT coalesce(string_agg(c.oid::text || c.relname, ',' ORDER BY c.oid), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_%'
"""
_EMPTY = """
DO $$
DECLARE
    place record;
    used boolean;
    full_ones text[] := '{}';
BEGIN
    FOR place IN SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name
                 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
                                  AND tablename <> 'flux_migrations' LOOP
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || place.name || ')' INTO used;
        IF used THEN full_ones := full_ones || place.name; END IF;
    END LOOP;
    IF array_length(full_ones, 1) > 0 THEN
        EXECUTE 'TRUNCATE ' || array_to_string(full_ones, ', ') || ' RESTART IDENTITY CASCADE';
    END IF;
END $$
"""
_TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'flux_migrations'
"""


class _Server:
    """The process's PostgreSQL and, for each list of migrations, a template and an emptied database ready for use."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="flux-test-pg-"))
        self.directory.chmod(0o755)
        self.embedded = EmbeddedPostgres.start(self.directory / "data", _FAST)
        self.numbers = itertools.count(1)
        self._templates: dict[Sets, str] = {}
        self._seeded: dict[Sets, bool] = {}
        self._shapes: dict[Sets, str] = {}
        self._ready: dict[Sets, list[str]] = {}

    def stop(self) -> None:
        self.embedded.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    async def admin(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.embedded.dsn())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def borrow(self, sets: Sets) -> str:
        """The name of a migrated, empty database."""
        if sets not in self._templates:
            await self._make_template(sets)
        if self._ready[sets]:
            return self._ready[sets].pop()
        name = f"test{next(self.numbers)}"
        await self.admin(f"CREATE DATABASE {name} TEMPLATE {self._templates[sets]} STRATEGY FILE_COPY")
        return name

    async def give_back(self, sets: Sets, name: str) -> None:
        if not self._seeded[sets] and await self._emptied(sets, name):
            self._ready[sets].append(name)
        else:
            await self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _make_template(self, sets: Sets) -> None:
        name = f"pattern{next(self.numbers)}"
        await self.admin(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        database = await PostgresDatabase.connect(self.embedded.dsn(name), pool_size=1)
        await migrate(database, sets)
        await database.close()
        connection = await asyncpg.connect(self.embedded.dsn(name))
        self._shapes[sets] = await connection.fetchval(_NAMES)
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        rows = [await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table})") for table in tables]
        self._seeded[sets] = any(rows)
        await connection.close()
        self._ready[sets] = []
        self._templates[sets] = name

    async def _emptied(self, sets: Sets, name: str) -> bool:
        try:
            connection = await asyncpg.connect(
                self.embedded.dsn(name), server_settings={"lock_timeout": "500"}, command_timeout=5
            )
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            if await connection.fetchval(_NAMES) != self._shapes[sets]:
                return False
            await connection.execute(_EMPTY)
            # A truncated table has a new file but keeps its oid, so the shape still holds.
            return True
        except (TimeoutError, asyncpg.PostgresError):
            return False
        finally:
            await connection.close()


_shared: _Server | None = None
_sqlite_templates: dict[Sets, Path] = {}


@pytest.fixture(scope="session")
def migration_sets() -> Sequence[MigrationSet]:
    """Override in your room: what the tests' databases hold. Migrations of several rooms go in order."""
    return ()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    yield _server().embedded
    _stop_server()


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Narrow it with `@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)`."""
    return str(request.param)


@pytest.fixture
async def database_url(
    request: pytest.FixtureRequest, dialect: str, migration_sets: Sequence[MigrationSet]
) -> AsyncIterator[str]:
    sets = tuple(migration_sets)
    if dialect == "sqlite":
        directory = Path(tempfile.mkdtemp(prefix="flux-test-", dir=_memory()))
        shutil.copyfile(await _sqlite_template(sets), directory / "flux.db")
        yield f"sqlite://{directory / 'flux.db'}"
        shutil.rmtree(directory, ignore_errors=True)
        return
    request.getfixturevalue("postgres_server")
    server = _server()
    name = await server.borrow(sets)
    yield server.embedded.dsn(name)
    await server.give_back(sets, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_url(database_url)
    yield opened
    await opened.close()


async def open_url(url: str, ports: Any = None, **settings: Any) -> SqliteDatabase | PostgresDatabase:
    """Open a test's database; `settings` are fields of `StoreSettings`."""
    return await open_database(StoreSettings(database=url, **settings), Path("unused"), ports)


@asynccontextmanager
async def fresh_postgres_url() -> AsyncIterator[str]:
    """An empty database for a server process that migrates it itself; dropped in the end."""
    server = _server()
    name = f"served{next(server.numbers)}"
    await server.admin(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    try:
        yield server.embedded.dsn(name)
    finally:
        await server.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _server() -> _Server:
    global _shared
    if _shared is None:
        _shared = _Server()
        atexit.register(_stop_server)
    return _shared


def _stop_server() -> None:
    global _shared
    if _shared is not None:
        _shared.stop()
        _shared = None


async def _sqlite_template(sets: Sets) -> Path:
    if sets not in _sqlite_templates:
        directory = Path(tempfile.mkdtemp(prefix="flux-test-template-", dir=_memory()))
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        database = SqliteDatabase(directory / "flux.db", readers=1)
        await migrate(database, sets)
        await database.close()
        _sqlite_templates[sets] = directory / "flux.db"
    return _sqlite_templates[sets]
