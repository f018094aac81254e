"""The SQL of proven phone numbers."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Transaction


class TokenRow(Struct, frozen=True):
    phone: str
    expires_at: int


ADD = """
INSERT INTO community_phone_tokens (token_hash, user_id, phone, expires_at) VALUES (:hash, :user_id, :phone, :expires_at)
"""
USE = """
DELETE FROM community_phone_tokens WHERE token_hash = :hash AND user_id = :user_id RETURNING phone, expires_at
"""
SWEEP = "DELETE FROM community_phone_tokens WHERE expires_at < :now"


async def add(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD, values)


async def use(tx: Transaction, token_hash: bytes, user_id: int) -> TokenRow | None:
    """Each token works once."""
    return await tx.one(USE, {"hash": token_hash, "user_id": user_id}, TokenRow)


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
