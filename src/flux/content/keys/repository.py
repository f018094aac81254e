"""SQL of API keys."""

from __future__ import annotations

from typing import Any

from flux.content import repository as rows
from flux.content.keys.rows import Key
from flux.content.pages import Rows, Window
from flux.kernel.store import Reader, Transaction

_COLUMNS = rows.columns(Key)


async def listing(reader: Reader, environment: str, side: str, at: Window) -> Rows:
    source = "content_keys WHERE environment = :environment AND side = :side"
    params = {"environment": environment, "side": side}
    return await rows.listing(reader, _COLUMNS, source, "created_at DESC, key", params, at, Key)


async def one(reader: Reader, environment: str, side: str, key: str) -> Key | None:
    sql = f"SELECT {_COLUMNS} FROM content_keys WHERE key = :key AND environment = :environment AND side = :side"
    return await reader.one(sql, {"key": key, "environment": environment, "side": side}, Key)


async def by_public_key(reader: Reader, public_key: str) -> Key | None:
    sql = f"SELECT {_COLUMNS} FROM content_keys WHERE public_key = :public_key"
    return await reader.one(sql, {"public_key": public_key}, Key)


async def by_bearer(reader: Reader, bearer_hash: bytes) -> Key | None:
    sql = f"SELECT {_COLUMNS} FROM content_keys WHERE bearer_hash = :bearer_hash"
    return await reader.one(sql, {"bearer_hash": bearer_hash}, Key)


async def count(reader: Reader, environment: str) -> int:
    sql = "SELECT count(*) FROM content_keys WHERE environment = :environment"
    return int(await reader.value(sql, {"environment": environment}))


async def insert(tx: Transaction, row: Key) -> None:
    await rows.insert(tx, "content_keys", row)


async def update(tx: Transaction, key: str, changes: dict[str, Any]) -> None:
    await rows.update(tx, "content_keys", changes, "key = :key_", {"key_": key})


async def delete(tx: Transaction, key: str) -> None:
    await tx.run("DELETE FROM content_keys WHERE key = :key", {"key": key})
