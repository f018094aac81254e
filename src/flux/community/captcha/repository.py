"""The SQL of solved challenges."""

from __future__ import annotations

from flux.kernel.store import Transaction

SPEND = """
INSERT INTO community_solved_captchas (solution_hash, expires_at) VALUES (:hash, :expires_at)
ON CONFLICT (solution_hash) DO NOTHING
"""
SWEEP = "DELETE FROM community_solved_captchas WHERE expires_at < :now"


async def spend(tx: Transaction, solution_hash: bytes, expires_at: int) -> bool:
    """False when it was used before."""
    return await tx.run(SPEND, {"hash": solution_hash, "expires_at": expires_at}) > 0


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
