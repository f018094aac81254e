"""The SQL of short codes."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Transaction

PUT = """
INSERT INTO community_codes (subject, purpose, user_id, code_hash, sent_at, expires_at)
VALUES (:subject, :purpose, :user_id, :code_hash, :now, :expires_at)
ON CONFLICT (subject, purpose) DO UPDATE SET user_id = excluded.user_id, code_hash = excluded.code_hash, tries = 0,
    sent_at = excluded.sent_at, expires_at = excluded.expires_at
WHERE community_codes.sent_at <= :cooled
"""
TRY = """
UPDATE community_codes SET tries = tries + 1
WHERE subject = :subject AND purpose = :purpose AND expires_at > :now AND tries < :most RETURNING code_hash
"""
DROP = "DELETE FROM community_codes WHERE subject = :subject AND purpose = :purpose"
SWEEP = "DELETE FROM community_codes WHERE expires_at < :now"


async def put(tx: Transaction, values: dict[str, Any]) -> bool:
    """False while the one before it is too fresh to be replaced."""
    return await tx.run(PUT, values) > 0


async def take_try(tx: Transaction, subject: str, purpose: str, now: int, most: int) -> bytes | None:
    """Count a try against the code; its hash, or None when there is none that may still be tried."""
    where = {"subject": subject, "purpose": purpose, "now": now, "most": most}
    found: bytes | None = await tx.value(TRY, where)
    return found


async def drop(tx: Transaction, subject: str, purpose: str) -> None:
    await tx.run(DROP, {"subject": subject, "purpose": purpose})


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
