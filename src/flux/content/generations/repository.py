"""SQL of generations."""

from __future__ import annotations

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
