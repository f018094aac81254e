"""SQL of resources and revisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flux.content import repository as rows
from flux.content.pages import Rows, Window
from flux.content.resources.rows import Resource, Revision
from flux.kernel.store import Reader, Transaction

_RESOURCE = rows.columns(Resource)
_REVISION = rows.columns(Revision)

# -- resources ------------------------------------------------------------------------------------------------


async def listing(
    reader: Reader,
    folder: str,
    at: Window,
    equal: dict[str, str],
    status: str | None,
    bounds: dict[str, tuple[str, int]],
) -> Rows:
    """`equal` are columns with the value wanted, `bounds` conditions on `created_at`."""
    conditions = ["folder = :folder_", *(f"{name} = :{name}" for name in equal)]
    params: dict[str, Any] = {"folder_": folder, **equal}
    for name, (operator, value) in bounds.items():
        conditions.append(f"created_at {operator} :{name}")
        params[name] = value
    if status is not None:
        conditions.append(f"current_revision IS {'NOT NULL' if status == 'published' else 'NULL'}")
    source = f"content_resources WHERE {' AND '.join(conditions)}"
    return await rows.listing(reader, _RESOURCE, source, "created_at DESC, key", params, at, Resource)


async def one(reader: Reader, folder: str, key: str) -> Resource | None:
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE key = :key AND folder = :folder"
    return await reader.one(sql, {"key": key, "folder": folder}, Resource)


async def all_in(reader: Reader, folder: str) -> list[Resource]:
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE folder = :folder ORDER BY created_at, key"
    return await reader.all(sql, {"folder": folder}, Resource)


async def by_external_id(reader: Reader, folder: str, external_id: str) -> Resource | None:
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE folder = :folder AND external_id = :external_id"
    return await reader.one(sql, {"folder": folder, "external_id": external_id}, Resource)


async def owned_by(reader: Reader, folders: Sequence[str], owner: str) -> list[Resource]:
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE resource_owner = :owner AND folder IN :folders"
    return await reader.all(sql, {"owner": owner, "folders": list(folders)}, Resource)


async def portable(reader: Reader, folder: str, after: str, limit: int) -> list[Resource]:
    """By key, behind `after`."""
    sql = (
        f"SELECT {_RESOURCE} FROM content_resources WHERE folder = :folder AND key > :after "
        "ORDER BY key LIMIT :limit"
    )
    return await reader.all(sql, {"folder": folder, "after": after, "limit": limit}, Resource)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_resources WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def by_keys(reader: Reader, folder: str, keys: Sequence[str]) -> list[Resource]:
    if not keys:
        return []
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE key IN :keys AND folder = :folder"
    return await reader.all(sql, {"keys": list(keys), "folder": folder}, Resource)


async def by_external_ids(reader: Reader, folder: str, external_ids: Sequence[str]) -> list[Resource]:
    if not external_ids:
        return []
    sql = f"SELECT {_RESOURCE} FROM content_resources WHERE folder = :folder AND external_id IN :ids"
    return await reader.all(sql, {"folder": folder, "ids": list(external_ids)}, Resource)


async def insert_all(tx: Transaction, found: Sequence[Resource]) -> None:
    """Raises `UniqueViolation` for a taken key or external id."""
    await rows.insert_all(tx, "content_resources", found)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    """Raises `UniqueViolation` for a taken external id."""
    await rows.update(tx, "content_resources", changes, "key = :key_", {"key_": key})


async def claim(tx: Transaction, key: str, now: int) -> None:
    """Units that publish or unpublish the same resource wait for each other here."""
    await tx.run("UPDATE content_resources SET updated_at = :now WHERE key = :key", {"key": key, "now": now})


async def hold(tx: Transaction, key: str) -> None:
    """Units that look at the resource's revisions before they change one wait for each other here; nothing changes."""
    await tx.run("UPDATE content_resources SET last_number = last_number WHERE key = :key", {"key": key})


async def next_number(tx: Transaction, key: str, now: int) -> int:
    """The number of the next revision; units that ask for the same resource wait for each other here."""
    sql = (
        "UPDATE content_resources SET last_number = last_number + 1, updated_at = :now "
        "WHERE key = :key RETURNING last_number"
    )
    return int(await tx.value(sql, {"key": key, "now": now}))


async def delete(tx: Transaction, key: str) -> None:
    """Its revisions go with it by foreign key."""
    await tx.run("DELETE FROM content_resources WHERE key = :key", {"key": key})


# -- revisions ------------------------------------------------------------------------------------------------


async def revisions(reader: Reader, resource: str, at: Window) -> Rows:
    source = "content_revisions WHERE resource = :resource"
    return await rows.listing(reader, _REVISION, source, "number DESC", {"resource": resource}, at, Revision)


async def revision(reader: Reader, resource: str, key: str) -> Revision | None:
    sql = f"SELECT {_REVISION} FROM content_revisions WHERE key = :key AND resource = :resource"
    return await reader.one(sql, {"key": key, "resource": resource}, Revision)


async def published_of(reader: Reader, resources: Sequence[str]) -> list[Revision]:
    """The published revisions of resources, at most one each."""
    if not resources:
        return []
    sql = f"SELECT {_REVISION} FROM content_revisions WHERE resource IN :resources AND status = 'published'"
    return await reader.all(sql, {"resources": list(resources)}, Revision)


async def newest_of(reader: Reader, resources: Sequence[str]) -> list[Revision]:
    """The newest revision of each resource that has one; the last one that was made may have been deleted."""
    if not resources:
        return []
    sql = (
        f"SELECT {rows.columns(Revision, 'v')} FROM content_revisions v WHERE v.resource IN :resources "
        "AND v.number = (SELECT max(n.number) FROM content_revisions n WHERE n.resource = v.resource)"
    )
    return await reader.all(sql, {"resources": list(resources)}, Revision)


async def latest_revision(reader: Reader, resource: str) -> Revision | None:
    sql = f"SELECT {_REVISION} FROM content_revisions WHERE resource = :resource ORDER BY number DESC LIMIT 1"
    return await reader.one(sql, {"resource": resource}, Revision)


async def insert_revisions(tx: Transaction, found: Sequence[Revision]) -> None:
    await rows.insert_all(tx, "content_revisions", found)


async def update_revision(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_revisions", changes, "key = :key_", {"key_": key})


async def unpublish(tx: Transaction, resource: str, now: int) -> None:
    sql = (
        "UPDATE content_revisions SET status = 'unpublished', unpublished_at = :now "
        "WHERE resource = :resource AND status = 'published'"
    )
    await tx.run(sql, {"resource": resource, "now": now})


async def delete_revision(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_revisions WHERE key = :key", {"key": key})


async def prune(tx: Transaction, resource: str, keep: int) -> None:
    """Only the newest `keep` revisions stay, and the published one."""
    sql = (
        "DELETE FROM content_revisions WHERE resource = :resource AND status <> 'published' "
        "AND number <= (SELECT last_number FROM content_resources WHERE key = :resource) - :keep"
    )
    await tx.run(sql, {"resource": resource, "keep": keep})
