"""SQL of generations."""

from __future__ import annotations

from collections.abc import Sequence

from flux.kernel.store import Reader, Transaction


async def advance(tx: Transaction, scope: str) -> None:
    await tx.run(
        "INSERT INTO content_generations (scope, value) VALUES (:scope, 1) "
        "ON CONFLICT (scope) DO UPDATE SET value = content_generations.value + 1",
        {"scope": scope},
    )


async def read_one(reader: Reader, scope: str) -> int:
    """0 for a scope that never changed."""
    sql = "SELECT value FROM content_generations WHERE scope = :scope"
    return int(await reader.value(sql, {"scope": scope}) or 0)


async def read(reader: Reader, scopes: Sequence[str]) -> dict[str, int]:
    rows = await reader.all(
        "SELECT scope, value FROM content_generations WHERE scope IN :scopes", {"scopes": list(scopes)}, _pair
    )
    return dict(rows)


def _pair(scope: str, value: int) -> tuple[str, int]:
    return scope, value
