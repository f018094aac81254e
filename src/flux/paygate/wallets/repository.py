"""The only SQL about nonces and sessions."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction


async def add_nonce(tx: Transaction, nonce: str, expires_at: int) -> None:
    await tx.run(
        "INSERT INTO paygate_nonces (nonce, expires_at) VALUES (:nonce, :expires_at)",
        {"nonce": nonce, "expires_at": expires_at},
    )


async def burn_nonce(tx: Transaction, nonce: str) -> int | None:
    """When it would have expired; None when there was none. It is gone either way."""
    expires_at: int | None = await tx.value(
        "DELETE FROM paygate_nonces WHERE nonce = :nonce RETURNING expires_at", {"nonce": nonce}
    )
    return expires_at


async def add_session(tx: Transaction, token_hash: bytes, address: str, now: int) -> None:
    await tx.run(
        "INSERT INTO paygate_sessions (token_hash, address, created_at, seen_at)"
        " VALUES (:token_hash, :address, :now, :now)",
        {"token_hash": token_hash, "address": address, "now": now},
    )


async def session(db: Reader, token_hash: bytes) -> tuple[str, int, int] | None:
    """(address, created_at, seen_at)."""
    return await db.one(
        "SELECT address, created_at, seen_at FROM paygate_sessions WHERE token_hash = :token_hash",
        {"token_hash": token_hash},
        lambda address, created_at, seen_at: (address, created_at, seen_at),
    )


async def touch(tx: Transaction, token_hash: bytes, now: int) -> None:
    await tx.run(
        "UPDATE paygate_sessions SET seen_at = :now WHERE token_hash = :token_hash AND seen_at < :now",
        {"token_hash": token_hash, "now": now},
    )


async def end_session(tx: Transaction, token_hash: bytes) -> None:
    await tx.run("DELETE FROM paygate_sessions WHERE token_hash = :token_hash", {"token_hash": token_hash})


async def sweep(tx: Transaction, now: int, seen_before: int) -> None:
    await tx.run("DELETE FROM paygate_nonces WHERE expires_at < :now", {"now": now})
    await tx.run("DELETE FROM paygate_sessions WHERE seen_at < :seen_before", {"seen_before": seen_before})
