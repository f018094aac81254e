"""SQL of roles, permissions and their objects."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.pages import Rows, Window
from flux.content.roles.rows import ObjectRow, PermissionRow, Role
from flux.kernel.store import Reader, Transaction

_COLUMNS = rows.columns(Role)


async def listing(reader: Reader, environment: str, side: str, at: Window) -> Rows:
    source = "content_roles WHERE environment = :environment AND side = :side"
    params = {"environment": environment, "side": side}
    return await rows.listing(reader, _COLUMNS, source, "created_at DESC, key", params, at, Role)


async def one(reader: Reader, environment: str, side: str, key: str) -> Role | None:
    sql = f"SELECT {_COLUMNS} FROM content_roles WHERE key = :key AND environment = :environment AND side = :side"
    return await reader.one(sql, {"key": key, "environment": environment, "side": side}, Role)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_roles WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Role) -> None:
    await rows.insert(tx, "content_roles", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_roles", changes, "key = :key_", {"key_": key})


async def delete(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_roles WHERE key = :key", {"key": key})


async def permissions(reader: Reader, role: str) -> list[PermissionRow]:
    sql = "SELECT content_type, actions, all_objects FROM content_permissions WHERE role = :role ORDER BY content_type"
    return await reader.all(sql, {"role": role}, PermissionRow)


async def put_permission(tx: Transaction, role: str, row: PermissionRow) -> None:
    await tx.run(
        "INSERT INTO content_permissions (role, content_type, actions, all_objects) "
        "VALUES (:role, :content_type, :actions, :all_objects) ON CONFLICT (role, content_type) "
        "DO UPDATE SET actions = excluded.actions, all_objects = excluded.all_objects",
        {
            "role": role,
            "content_type": row.content_type,
            "actions": row.actions,
            "all_objects": row.all_objects,
        },
    )


async def drop_permission(tx: Transaction, role: str, content_type: str) -> None:
    params = {"role": role, "content_type": content_type}
    await tx.run(
        "DELETE FROM content_permissions WHERE role = :role AND content_type = :content_type", params
    )
    await drop_objects(tx, role, content_type)


async def drop_permissions(tx: Transaction, role: str) -> None:
    await tx.run("DELETE FROM content_permissions WHERE role = :role", {"role": role})
    await tx.run("DELETE FROM content_permission_objects WHERE role = :role", {"role": role})


async def objects(reader: Reader, role: str) -> list[ObjectRow]:
    sql = "SELECT content_type, object_key FROM content_permission_objects WHERE role = :role ORDER BY content_type, object_key"
    return await reader.all(sql, {"role": role}, ObjectRow)


async def put_object(tx: Transaction, role: str, row: ObjectRow) -> None:
    await tx.run(
        "INSERT INTO content_permission_objects (role, content_type, object_key) "
        "VALUES (:role, :content_type, :object_key) ON CONFLICT DO NOTHING",
        {"role": role, "content_type": row.content_type, "object_key": row.object_key},
    )


async def drop_object(tx: Transaction, role: str, row: ObjectRow) -> None:
    await tx.run(
        "DELETE FROM content_permission_objects "
        "WHERE role = :role AND content_type = :content_type AND object_key = :object_key",
        {"role": role, "content_type": row.content_type, "object_key": row.object_key},
    )


async def drop_objects(tx: Transaction, role: str, content_type: str) -> None:
    await tx.run(
        "DELETE FROM content_permission_objects WHERE role = :role AND content_type = :content_type",
        {"role": role, "content_type": content_type},
    )
