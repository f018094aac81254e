"""SQL of organisations, projects and environments."""

from __future__ import annotations

from typing import Any

from flux.content.organisations.rows import Environment, Organization, Project
from flux.content.pages import Rows, Window
from flux.content.repository import columns, insert, listing, update
from flux.kernel.store import Reader, Transaction

# -- organisations --------------------------------------------------------------------------------------------


async def organizations_of(reader: Reader, user_key: str) -> list[Organization]:
    sql = f"SELECT {columns(Organization)} FROM content_organizations WHERE owner = :owner ORDER BY created_at DESC, key"
    return await reader.all(sql, {"owner": user_key}, Organization)


async def organization(reader: Reader, user_key: str, key: str) -> Organization | None:
    sql = f"SELECT {columns(Organization)} FROM content_organizations WHERE key = :key AND owner = :owner"
    return await reader.one(sql, {"key": key, "owner": user_key}, Organization)


async def insert_organization(tx: Transaction, row: Organization) -> None:
    await insert(tx, "content_organizations", row)


async def update_organization(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await update(tx, "content_organizations", changes, "key = :key_", {"key_": key})


_INSIDE = "FROM content_environments e JOIN content_projects p ON p.key = e.project AND p.organization = :organization"
_COUNTS = {
    "projects": "SELECT count(*) FROM content_projects WHERE organization = :organization",
    "environments": f"SELECT count(*) {_INSIDE}",
    "folders": f"SELECT count(*) {_INSIDE} JOIN content_folders x ON x.environment = e.key",
    "resources": f"SELECT count(*) {_INSIDE} JOIN content_resources x ON x.environment = e.key",
    "components": f"SELECT count(*) {_INSIDE} JOIN content_components x ON x.environment = e.key",
}
_BYTES = {
    "data": f"SELECT CAST(coalesce(sum(v.size), 0) AS BIGINT) {_INSIDE} "
    "JOIN content_resources r ON r.environment = e.key JOIN content_revisions v ON v.resource = r.key",
    "vectors": f"SELECT CAST(coalesce(sum(r.vectors_size), 0) AS BIGINT) {_INSIDE} "
    "JOIN content_resources r ON r.environment = e.key",
}


async def count(reader: Reader, organization_key: str, entity: str) -> int:
    """How many `projects`, `environments` … the organisation has."""
    return int(await reader.value(_COUNTS[entity], {"organization": organization_key}))


async def usage(reader: Reader, organization_key: str) -> tuple[dict[str, int], dict[str, int]]:
    """Counts by entity, and the bytes of revisions (`data`) and embeddings (`vectors`)."""
    params = {"organization": organization_key}
    counts = {name: int(await reader.value(sql, params)) for name, sql in _COUNTS.items()}
    sizes = {name: int(await reader.value(sql, params)) for name, sql in _BYTES.items()}
    return counts, sizes


# -- projects -------------------------------------------------------------------------------------------------


async def projects(reader: Reader, organization_key: str, at: Window) -> Rows:
    source = "content_projects WHERE organization = :organization"
    return await listing(
        reader,
        columns(Project),
        source,
        "created_at DESC, key",
        {"organization": organization_key},
        at,
        Project,
    )


async def project(reader: Reader, organization_key: str, key: str) -> Project | None:
    sql = f"SELECT {columns(Project)} FROM content_projects WHERE key = :key AND organization = :organization"
    return await reader.one(sql, {"key": key, "organization": organization_key}, Project)


async def insert_project(tx: Transaction, row: Project) -> None:
    await insert(tx, "content_projects", row)


async def update_project(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await update(tx, "content_projects", changes, "key = :key_", {"key_": key})


async def delete_project(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_projects WHERE key = :key", {"key": key})


# -- environments ---------------------------------------------------------------------------------------------


async def environments(reader: Reader, project_key: str) -> list[Environment]:
    sql = f"SELECT {columns(Environment)} FROM content_environments WHERE project = :project ORDER BY created_at, key"
    return await reader.all(sql, {"project": project_key}, Environment)


async def environment(reader: Reader, key: str) -> Environment | None:
    sql = f"SELECT {columns(Environment)} FROM content_environments WHERE key = :key"
    return await reader.one(sql, {"key": key}, Environment)


async def environment_of(reader: Reader, user_key: str, key: str) -> Environment | None:
    """Only when the user owns the organisation it belongs to."""
    sql = (
        f"SELECT {columns(Environment, 'e')} FROM content_environments e JOIN content_projects p ON p.key = e.project "
        "JOIN content_organizations o ON o.key = p.organization WHERE e.key = :key AND o.owner = :owner"
    )
    return await reader.one(sql, {"key": key, "owner": user_key}, Environment)


async def only_environment(reader: Reader) -> str | None:
    """The key of the only environment there is, when there is exactly one."""
    keys = await reader.all("SELECT key FROM content_environments LIMIT 2", {}, str)
    return keys[0] if len(keys) == 1 else None


async def first_environment(reader: Reader) -> str | None:
    sql = "SELECT key FROM content_environments ORDER BY created_at, key LIMIT 1"
    found = await reader.value(sql, {})
    return None if found is None else str(found)


async def insert_environment(tx: Transaction, row: Environment) -> None:
    await insert(tx, "content_environments", row)


async def update_environment(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await update(tx, "content_environments", changes, "key = :key_", {"key_": key})


async def delete_environment(tx: Transaction, key: str) -> None:
    """With everything that hangs on it."""
    await tx.run("DELETE FROM content_environments WHERE key = :key", {"key": key})
