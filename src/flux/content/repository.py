"""What the repositories of this plane share: rows are structs, and a struct names its columns in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from flux.content.pages import Rows, Window
from flux.kernel.store import Reader, Transaction

HAS_NEAR = (
    "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND table_name = 'content_vectors' AND column_name = 'near'"
)
"""Whether a PostgreSQL keeps vectors as pgvector measures them, beside the packed ones."""


def columns(row: type[Struct], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + name for name in row.__struct_fields__)


async def insert(tx: Transaction, table: str, row: Struct) -> None:
    """Raises `UniqueViolation`."""
    names = row.__struct_fields__
    await tx.run(_inserting(table, names), {name: getattr(row, name) for name in names})


async def insert_all(tx: Transaction, table: str, found: Sequence[Struct]) -> None:
    """Rows of one struct. Raises `UniqueViolation`."""
    if found:
        names = found[0].__struct_fields__
        await tx.run_many(_inserting(table, names), [astuple(row) for row in found])


@cache
def _inserting(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"


async def update(
    tx: Transaction, table: str, changes: dict[str, Any], where: str, params: dict[str, Any]
) -> int:
    """Set the columns of `changes`. The parameters of `where` must not have their names. Rows changed."""
    if not changes:
        return 0
    assignments = ", ".join(f"{name} = :{name}" for name in changes)
    return await tx.run(f"UPDATE {table} SET {assignments} WHERE {where}", {**changes, **params})


async def listing(
    reader: Reader,
    what: str,
    source: str,
    order: str,
    params: dict[str, Any],
    at: Window,
    into: Callable[..., Any],
) -> Rows:
    """One page of `SELECT what FROM source ORDER BY order`, and the count of all."""
    count = int(await reader.value(f"SELECT count(*) FROM {source}", params))
    if at.offset >= count:
        return Rows(count, [])
    sql = f"SELECT {what} FROM {source} ORDER BY {order} LIMIT :limit_ OFFSET :offset_"
    rows = await reader.all(sql, {**params, "limit_": at.limit, "offset_": at.offset}, into)
    return Rows(count, rows)
