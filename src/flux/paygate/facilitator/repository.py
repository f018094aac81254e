"""The only SQL about settlements that were sent."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.kernel.store import Reader, Transaction
from flux.paygate.facilitator.model import Sent

_COLUMNS = ", ".join(Sent.__struct_fields__)
_VALUES = ", ".join(f":{name}" for name in Sent.__struct_fields__)


def _sent(*values: Any) -> Sent:
    return Sent(**dict(zip(Sent.__struct_fields__, values, strict=True)))


async def take(tx: Transaction, sent: Sent) -> bool:
    """False when its nonce, or this try of it, is somebody else's."""
    changed = await tx.run(
        f"INSERT INTO paygate_sent ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING",
        msgspec.structs.asdict(sent),
    )
    return bool(changed)


async def drop(tx: Transaction, sent: Sent) -> None:
    await tx.run(
        "DELETE FROM paygate_sent WHERE chain_id = :chain_id AND sender = :sender AND nonce = :nonce AND tries = :tries",
        {"chain_id": sent.chain_id, "sender": sent.sender, "nonce": sent.nonce, "tries": sent.tries},
    )


async def tries(db: Reader, payment_key: str) -> list[tuple[int, str]]:
    """(nonce, hash), newest first."""
    return await db.all(
        "SELECT nonce, tx_hash FROM paygate_sent WHERE payment_key = :key ORDER BY sent_at DESC, nonce DESC, tries DESC",
        {"key": payment_key},
        lambda nonce, tx_hash: (int(nonce), tx_hash),
    )


async def waiting(db: Reader, chain_id: int, sender: str, nonce: int, limit: int) -> list[Sent]:
    """The newest try of each nonce from `nonce` on, in order."""
    return await db.all(
        f"SELECT {_COLUMNS} FROM paygate_sent s WHERE chain_id = :chain_id AND sender = :sender AND nonce >= :nonce"
        " AND tries = (SELECT max(o.tries) FROM paygate_sent o WHERE o.chain_id = s.chain_id"
        " AND o.sender = s.sender AND o.nonce = s.nonce) ORDER BY nonce LIMIT :limit",
        {"chain_id": chain_id, "sender": sender, "nonce": nonce, "limit": limit},
        _sent,
    )


async def newest(db: Reader, sender: str, since: int) -> list[tuple[int, int]]:
    """(chain, highest nonce) of where something was sent lately."""
    return await db.all(
        "SELECT chain_id, max(nonce) FROM paygate_sent WHERE sender = :sender AND sent_at >= :since GROUP BY chain_id",
        {"sender": sender, "since": since},
        lambda chain_id, nonce: (int(chain_id), int(nonce)),
    )


async def sweep(tx: Transaction, before: int) -> None:
    await tx.run("DELETE FROM paygate_sent WHERE sent_at < :before", {"before": before})
