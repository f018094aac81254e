"""The only SQL about kept answers."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction

Entry = tuple[bytes, bytes | None, bytes | None]
"""Fingerprint, head, body; the last two are None while the call is under way."""


async def find(db: Reader, api_id: str, payer: str, key: str, now: int) -> Entry | None:
    return await db.one(
        "SELECT fingerprint, head, body FROM paygate_idempotency WHERE api_id = :api_id AND payer = :payer"
        " AND idempotency_key = :key AND expires_at > :now",
        {"api_id": api_id, "payer": payer, "key": key, "now": now},
        lambda fingerprint, head, body: (fingerprint, head, body),
    )


async def open_entry(
    tx: Transaction,
    api_id: str,
    payer: str,
    key: str,
    fingerprint: bytes,
    call_id: str,
    expires_at: int,
    now: int,
) -> bool:
    """False when the key is in use: the unique key decides."""
    won = await tx.value(
        "INSERT INTO paygate_idempotency (api_id, payer, idempotency_key, fingerprint, call_id, expires_at)"
        " VALUES (:api_id, :payer, :key, :fingerprint, :call_id, :expires_at)"
        " ON CONFLICT (api_id, payer, idempotency_key) DO UPDATE SET fingerprint = :fingerprint,"
        " call_id = :call_id, head = NULL, body = NULL, expires_at = :expires_at"
        " WHERE paygate_idempotency.expires_at <= :now RETURNING call_id",
        {
            "api_id": api_id,
            "payer": payer,
            "key": key,
            "fingerprint": fingerprint,
            "call_id": call_id,
            "expires_at": expires_at,
            "now": now,
        },
    )
    return won is not None


async def keep(tx: Transaction, call_id: str, head: bytes, body: bytes) -> None:
    await tx.run(
        "UPDATE paygate_idempotency SET head = :head, body = :body WHERE call_id = :call_id",
        {"call_id": call_id, "head": head, "body": body},
    )


async def drop(tx: Transaction, call_id: str) -> None:
    await tx.run("DELETE FROM paygate_idempotency WHERE call_id = :call_id", {"call_id": call_id})


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run("DELETE FROM paygate_idempotency WHERE expires_at <= :now", {"now": now})
