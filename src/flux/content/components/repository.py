"""SQL of components."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.components.rows import Component, ComponentWithVersion
from flux.content.pages import Rows, Window
from flux.kernel.store import Reader, Transaction

_WITH_VERSION = (
    rows.columns(Component, "c")
    + ", (SELECT v.key FROM content_versions v WHERE v.owner = c.key AND v.status = 'published')"
)


async def listing(reader: Reader, environment: str, at: Window, bounds: dict[str, tuple[str, int]]) -> Rows:
    """`bounds` are conditions on `created_at`: an operator and Unix ms each."""
    conditions = ["c.environment = :environment"]
    params: dict[str, Any] = {"environment": environment}
    for name, (operator, value) in bounds.items():
        conditions.append(f"c.created_at {operator} :{name}")
        params[name] = value
    source = f"content_components c WHERE {' AND '.join(conditions)}"
    order = "c.created_at DESC, c.key"
    return await rows.listing(reader, _WITH_VERSION, source, order, params, at, ComponentWithVersion)


async def one(reader: Reader, environment: str, key: str) -> ComponentWithVersion | None:
    sql = f"SELECT {_WITH_VERSION} FROM content_components c WHERE c.key = :key AND c.environment = :environment"
    return await reader.one(sql, {"key": key, "environment": environment}, ComponentWithVersion)


async def keys(reader: Reader, environment: str) -> list[str]:
    sql = "SELECT key FROM content_components WHERE environment = :environment"
    return await reader.all(sql, {"environment": environment}, str)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_components WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Component) -> None:
    await rows.insert(tx, "content_components", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_components", changes, "key = :key_", {"key_": key})


async def is_used(reader: Reader, key: str) -> bool:
    """By a field of any schema version or by a resource."""
    field = await reader.value("SELECT 1 FROM content_fields WHERE component = :key LIMIT 1", {"key": key})
    if field is not None:
        return True
    return (
        await reader.value("SELECT 1 FROM content_resources WHERE component = :key LIMIT 1", {"key": key})
        is not None
    )


async def delete(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_versions WHERE owner = :key", {"key": key})
    await tx.run("DELETE FROM content_components WHERE key = :key", {"key": key})
