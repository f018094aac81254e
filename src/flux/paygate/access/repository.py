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


async def count_in(
    tx: Transaction, key: str, cost: int, limit: int, ends_at: int, now: int
) -> tuple[int, int] | None:
    """How much of the window is used now, and when it ends; None when that would pass `limit`, and nothing is used."""
    return await tx.one(
        "INSERT INTO paygate_windows (window_key, ends_at, used) VALUES (:key, :ends_at, :cost)"
        " ON CONFLICT (window_key) DO UPDATE SET"
        " used = CASE WHEN paygate_windows.ends_at <= :now THEN :cost ELSE paygate_windows.used + :cost END,"
        " ends_at = CASE WHEN paygate_windows.ends_at <= :now THEN :ends_at ELSE paygate_windows.ends_at END"
        " WHERE paygate_windows.ends_at <= :now OR paygate_windows.used + :cost <= :limit RETURNING used, ends_at",
        {"key": key, "cost": cost, "limit": limit, "ends_at": ends_at, "now": now},
        lambda used, ends: (used, ends),
    )


async def window_end(tx: Transaction, key: str) -> int:
    return int(
        await tx.value("SELECT ends_at FROM paygate_windows WHERE window_key = :key", {"key": key}) or 0
    )


async def ban(tx: Transaction, banned: str, until: int) -> None:
    await tx.run(
        "INSERT INTO paygate_bans (banned, until) VALUES (:banned, :until)"
        " ON CONFLICT (banned) DO UPDATE SET until = :until",
        {"banned": banned, "until": until},
    )


async def bans(db: Reader, now: int) -> list[tuple[str, int]]:
    sql = "SELECT banned, until FROM paygate_bans WHERE until > :now"
    return await db.all(sql, {"now": now}, lambda banned, until: (banned, until))


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run("DELETE FROM paygate_windows WHERE ends_at <= :now", {"now": now})
    await tx.run("DELETE FROM paygate_bans WHERE until <= :now", {"now": now})
