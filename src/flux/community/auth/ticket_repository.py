"""The SQL of login tickets."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Reader, Transaction

ADD = "INSERT INTO community_mfa_tickets (ticket_hash, user_id, expires_at) VALUES (:hash, :user_id, :expires_at)"
TRY = """
UPDATE community_mfa_tickets SET tries = tries + 1
WHERE ticket_hash = :hash AND expires_at > :now AND tries < :most RETURNING user_id
"""
HOLDER = "SELECT user_id FROM community_mfa_tickets WHERE ticket_hash = :hash AND expires_at > :now"
DROP = "DELETE FROM community_mfa_tickets WHERE ticket_hash = :hash"
FORGET = "DELETE FROM community_mfa_tickets WHERE user_id = :user_id"
SWEEP = "DELETE FROM community_mfa_tickets WHERE expires_at < :now"


async def add(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD, values)


async def take_try(tx: Transaction, ticket_hash: bytes, now: int, most: int) -> int | None:
    """Count a try; whose ticket it is, or None when it cannot be tried (any more)."""
    found: int | None = await tx.value(TRY, {"hash": ticket_hash, "now": now, "most": most})
    return found


async def holder(reader: Reader, ticket_hash: bytes, now: int) -> int | None:
    found: int | None = await reader.value(HOLDER, {"hash": ticket_hash, "now": now})
    return found


async def drop(tx: Transaction, ticket_hash: bytes) -> None:
    await tx.run(DROP, {"hash": ticket_hash})


async def forget(tx: Transaction, user_id: int) -> None:
    await tx.run(FORGET, {"user_id": user_id})


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
