"""SQL of locales."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.locales.rows import Locale
from flux.kernel.store import Reader, Transaction

_COLUMNS = rows.columns(Locale)


async def listing(reader: Reader, environment: str) -> list[Locale]:
    sql = f"SELECT {_COLUMNS} FROM content_locales WHERE environment = :environment ORDER BY created_at, code"
    return await reader.all(sql, {"environment": environment}, Locale)


async def one(reader: Reader, environment: str, code: str) -> Locale | None:
    sql = f"SELECT {_COLUMNS} FROM content_locales WHERE environment = :environment AND code = :code"
    return await reader.one(sql, {"environment": environment, "code": code}, Locale)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_locales WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Locale) -> None:
    await rows.insert(tx, "content_locales", row)


async def update(tx: Transaction, environment: str, code: str, changes: dict[str, Any]) -> None:
    where = "environment = :environment_ AND code = :code_"
    await rows.update(tx, "content_locales", changes, where, {"environment_": environment, "code_": code})


async def clear_default(tx: Transaction, environment: str) -> None:
    sql = "UPDATE content_locales SET is_default = 0 WHERE environment = :environment AND is_default = 1"
    await tx.run(sql, {"environment": environment})


async def delete(tx: Transaction, environment: str, code: str) -> None:
    sql = "DELETE FROM content_locales WHERE environment = :environment AND code = :code"
    await tx.run(sql, {"environment": environment, "code": code})
