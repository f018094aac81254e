"""SQL of Flux APIs and connections."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.apis.rows import Api, Connection
from flux.content.pages import Rows, Window
from flux.kernel.store import Reader, Transaction

_API = rows.columns(Api)
_CONNECTION = rows.columns(Connection)


async def listing(reader: Reader, environment: str, at: Window) -> Rows:
    source = "content_apis WHERE environment = :environment"
    return await rows.listing(
        reader, _API, source, "created_at DESC, key", {"environment": environment}, at, Api
    )


async def all_of(reader: Reader, environment: str) -> list[Api]:
    sql = f"SELECT {_API} FROM content_apis WHERE environment = :environment"
    return await reader.all(sql, {"environment": environment}, Api)


async def one(reader: Reader, environment: str, key: str) -> Api | None:
    sql = f"SELECT {_API} FROM content_apis WHERE key = :key AND environment = :environment"
    return await reader.one(sql, {"key": key, "environment": environment}, Api)


async def by_prefix(reader: Reader, environment: str, prefix: str) -> Api | None:
    sql = f"SELECT {_API} FROM content_apis WHERE prefix = :prefix AND environment = :environment"
    return await reader.one(sql, {"prefix": prefix, "environment": environment}, Api)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_apis WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Api) -> None:
    """Raises `UniqueViolation` for a taken prefix."""
    await rows.insert(tx, "content_apis", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    """Raises `UniqueViolation` for a taken prefix."""
    await rows.update(tx, "content_apis", changes, "key = :key_", {"key_": key})


async def delete(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_apis WHERE key = :key", {"key": key})


# -- connections ----------------------------------------------------------------------------------------------


async def connections(reader: Reader, api: str, at: Window) -> Rows:
    source = "content_connections WHERE api = :api"
    return await rows.listing(
        reader, _CONNECTION, source, "created_at DESC, id", {"api": api}, at, Connection
    )


async def connections_of(reader: Reader, environment: str) -> list[Connection]:
    sql = (
        f"SELECT {rows.columns(Connection, 'c')} FROM content_connections c "
        "JOIN content_apis a ON a.key = c.api WHERE a.environment = :environment ORDER BY c.created_at, c.id"
    )
    return await reader.all(sql, {"environment": environment}, Connection)


async def connection(reader: Reader, api: str, folder: str) -> Connection | None:
    sql = f"SELECT {_CONNECTION} FROM content_connections WHERE api = :api AND folder = :folder"
    return await reader.one(sql, {"api": api, "folder": folder}, Connection)


async def insert_connection(tx: Transaction, row: Connection) -> None:
    """Raises `UniqueViolation` for a folder that is connected already."""
    await rows.insert(tx, "content_connections", row)


async def update_connection(tx: Transaction, id_: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_connections", changes, "id = :id_", {"id_": id_})


async def delete_connection(tx: Transaction, id_: str) -> None:
    await tx.run("DELETE FROM content_connections WHERE id = :id", {"id": id_})
