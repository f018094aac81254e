"""What a server's database holds, as a digest a table: equal before and after means that nothing was changed.

    before = await fingerprint(server)
    ...
    assert await fingerprint(server) == before

Read past the server, from the database file or over a connection of its own. Jobs and the server's own housekeeping
(schedules, leases) are left out: they move by themselves.
"""

from __future__ import annotations

import hashlib

import apsw
import asyncpg

from tests.harness.server import Server

_PREFIX = "content_"


async def fingerprint(server: Server) -> dict[str, str]:
    """The content tables of a server; names to digests of all their rows."""
    if "--database" in server.command:
        return await _postgres(server.command[server.command.index("--database") + 1])
    return _sqlite(str(server.data_dir / "flux.db"))


def _sqlite(path: str) -> dict[str, str]:
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ? || '%' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        tables = [str(row[0]) for row in connection.execute(names, (_PREFIX,))]
        return {
            table: _digest(repr(row) for row in connection.execute(f"SELECT * FROM {table}"))
            for table in tables
        }
    finally:
        connection.close()


async def _postgres(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE $1 || '%'"
        tables = [str(row[0]) for row in await connection.fetch(names, _PREFIX)]
        return {
            table: _digest(row[0] for row in await connection.fetch(f"SELECT t::text FROM {table} t"))
            for table in tables
        }
    finally:
        await connection.close()


def _digest(rows: object) -> str:
    lines = sorted(rows)  # type: ignore[call-overload]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
