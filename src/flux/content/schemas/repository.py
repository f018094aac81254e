"""SQL of schema versions and fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flux.content import repository as rows
from flux.content.pages import Rows, Window
from flux.content.schemas.rows import FieldRow, Version
from flux.kernel.store import Reader, Transaction

_VERSION = rows.columns(Version)
_FIELD = rows.columns(FieldRow)

# -- versions -------------------------------------------------------------------------------------------------


async def versions(reader: Reader, owner: str, at: Window) -> Rows:
    source = "content_versions WHERE owner = :owner"
    return await rows.listing(reader, _VERSION, source, "created_at DESC, key", {"owner": owner}, at, Version)


async def version(reader: Reader, owner: str, key: str) -> Version | None:
    sql = f"SELECT {_VERSION} FROM content_versions WHERE key = :key AND owner = :owner"
    return await reader.one(sql, {"key": key, "owner": owner}, Version)


async def version_anywhere(reader: Reader, environment: str, key: str) -> Version | None:
    sql = f"SELECT {_VERSION} FROM content_versions WHERE key = :key AND environment = :environment"
    return await reader.one(sql, {"key": key, "environment": environment}, Version)


async def latest(reader: Reader, owner: str) -> Version | None:
    """The newest draft, else the newest of all."""
    sql = (
        f"SELECT {_VERSION} FROM content_versions WHERE owner = :owner "
        "ORDER BY CASE WHEN status = 'draft' THEN 0 ELSE 1 END, created_at DESC, key LIMIT 1"
    )
    return await reader.one(sql, {"owner": owner}, Version)


async def published(reader: Reader, owner: str) -> Version | None:
    sql = f"SELECT {_VERSION} FROM content_versions WHERE owner = :owner AND status = 'published'"
    return await reader.one(sql, {"owner": owner}, Version)


async def published_of_all(reader: Reader, environment: str) -> list[Version]:
    """The published version of every folder and component."""
    sql = f"SELECT {_VERSION} FROM content_versions WHERE environment = :environment AND status = 'published'"
    return await reader.all(sql, {"environment": environment}, Version)


async def count(reader: Reader, owner: str) -> int:
    return int(
        await reader.value("SELECT count(*) FROM content_versions WHERE owner = :owner", {"owner": owner})
    )


async def count_in(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_versions WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def last_number(reader: Reader, owner: str) -> int:
    sql = "SELECT coalesce(max(number), 0) FROM content_versions WHERE owner = :owner"
    return int(await reader.value(sql, {"owner": owner}))


async def insert_version(tx: Transaction, row: Version) -> None:
    await rows.insert(tx, "content_versions", row)


async def update_version(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_versions", changes, "key = :key_", {"key_": key})


async def hold_draft(tx: Transaction, key: str) -> bool:
    """False when the version is no draft any more; else it stays one until the unit ends, unless that publishes it."""
    sql = "UPDATE content_versions SET number = number WHERE key = :key AND status = 'draft'"
    return await tx.run(sql, {"key": key}) == 1


async def archive(tx: Transaction, owner: str, now: int) -> None:
    sql = "UPDATE content_versions SET status = 'archived', archived_at = :now WHERE owner = :owner AND status = 'published'"
    await tx.run(sql, {"owner": owner, "now": now})


async def delete_version(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_versions WHERE key = :key", {"key": key})


async def removable(reader: Reader, owner: str, keep: int) -> list[str]:
    """Archived versions beyond the newest `keep` ones that no revision was written under."""
    sql = (
        "SELECT v.key FROM content_versions v WHERE v.owner = :owner AND v.status = 'archived' "
        "AND NOT EXISTS (SELECT 1 FROM content_revisions r WHERE r.schema_version = v.key) "
        "AND v.key NOT IN (SELECT n.key FROM content_versions n WHERE n.owner = :owner ORDER BY n.created_at DESC, n.key LIMIT :keep)"
    )
    return await reader.all(sql, {"owner": owner, "keep": keep}, str)


# -- fields ---------------------------------------------------------------------------------------------------


async def fields(reader: Reader, version_key: str) -> list[FieldRow]:
    sql = f"SELECT {_FIELD} FROM content_fields WHERE version = :version ORDER BY position"
    return await reader.all(sql, {"version": version_key}, FieldRow)


async def field(reader: Reader, version_key: str, path: str) -> FieldRow | None:
    sql = f"SELECT {_FIELD} FROM content_fields WHERE version = :version AND path = :path"
    return await reader.one(sql, {"version": version_key, "path": path}, FieldRow)


async def insert_field(tx: Transaction, row: FieldRow) -> None:
    """Raises `UniqueViolation` for a taken path."""
    await rows.insert(tx, "content_fields", row)


async def update_field(tx: Transaction, version_key: str, path: str, changes: dict[str, Any]) -> None:
    where = "version = :version_ AND path = :path_"
    await rows.update(tx, "content_fields", changes, where, {"version_": version_key, "path_": path})


async def delete_fields(tx: Transaction, version_key: str, paths: Sequence[str]) -> None:
    sql = "DELETE FROM content_fields WHERE version = :version AND path IN :paths"
    await tx.run(sql, {"version": version_key, "paths": list(paths)})


async def embedding(reader: Reader, component: str) -> list[Version]:
    """Published versions with a field that embeds the component."""
    sql = (
        f"SELECT DISTINCT {rows.columns(Version, 'v')} FROM content_versions v "
        "JOIN content_fields f ON f.version = v.key WHERE f.component = :component AND v.status = 'published'"
    )
    return await reader.all(sql, {"component": component}, Version)
