"""The only SQL about suspended providers."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction


async def is_blocked(db: Reader, address: str) -> bool:
    sql = "SELECT 1 FROM paygate_blocked_providers WHERE address = :address"
    return await db.value(sql, {"address": address}) is not None


async def all_blocked(db: Reader) -> list[str]:
    return await db.all("SELECT address FROM paygate_blocked_providers ORDER BY address", {}, str)


async def block(tx: Transaction, address: str, now: int) -> None:
    await tx.run(
        "INSERT INTO paygate_blocked_providers (address, blocked_at) VALUES (:address, :now) ON CONFLICT DO NOTHING",
        {"address": address, "now": now},
    )


async def unblock(tx: Transaction, address: str) -> None:
    await tx.run("DELETE FROM paygate_blocked_providers WHERE address = :address", {"address": address})
