"""SQL of folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flux.content import repository as rows
from flux.content.folders.rows import Folder
from flux.kernel.store import Reader, Transaction

_COLUMNS = rows.columns(Folder)


async def all_of(reader: Reader, environment: str) -> list[Folder]:
    sql = f"SELECT {_COLUMNS} FROM content_folders WHERE environment = :environment"
    return await reader.all(sql, {"environment": environment}, Folder)


async def by_key(reader: Reader, environment: str, key: str) -> Folder | None:
    sql = f"SELECT {_COLUMNS} FROM content_folders WHERE key = :key AND environment = :environment"
    return await reader.one(sql, {"key": key, "environment": environment}, Folder)


async def by_path(reader: Reader, environment: str, path: str) -> Folder | None:
    sql = f"SELECT {_COLUMNS} FROM content_folders WHERE path = :path AND environment = :environment"
    return await reader.one(sql, {"path": path, "environment": environment}, Folder)


async def by_alias(reader: Reader, environment: str, alias: str) -> list[Folder]:
    sql = (
        f"SELECT {_COLUMNS} FROM content_folders WHERE alias = :alias AND environment = :environment LIMIT 2"
    )
    return await reader.all(sql, {"alias": alias, "environment": environment}, Folder)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_folders WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Folder) -> None:
    """Raises `UniqueViolation` for a taken alias."""
    await rows.insert(tx, "content_folders", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    """Raises `UniqueViolation` for a taken alias."""
    await rows.update(tx, "content_folders", changes, "key = :key_", {"key_": key})


async def delete(tx: Transaction, keys: Sequence[str]) -> None:
    """Their resources, revisions and connections go with them by foreign key; schema versions here."""
    await tx.run("DELETE FROM content_versions WHERE owner IN :keys", {"keys": list(keys)})
    await tx.run("DELETE FROM content_folders WHERE key IN :keys", {"keys": list(keys)})
