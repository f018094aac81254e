"""Look, open, keep, drop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.faults import INVALID_PARAMETER, PAYMENT_IDENTIFIER_CONFLICT
from flux.paygate.payment.rules import Terms, insufficient
from flux.paygate.replays import repository
from flux.paygate.replays.model import IDENTIFIED, Head, Kept, Remembered

KEPT_MS = 86_400_000
KEPT_BYTES = 1_048_576
IN_USE = "payment_in_use"


class Replays:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def find(self, api_id: str, payers: Iterable[str], asked: Remembered, terms: Terms) -> Kept | None:
        """The answer to give again. Raises INVALID_PARAMETER for another request under the key, and
        INSUFFICIENT_PAYMENT while the first is under way."""
        for payer in payers:
            found = await repository.find(self._db, api_id, payer, asked.key, self._clock.now_ms())
            if found is None:
                continue
            fingerprint, head, body = found
            if fingerprint != asked.fingerprint:
                raise other_request(asked)
            if head is None:
                raise insufficient(terms, IN_USE)
            return Kept(msgspec.json.decode(head, type=Head), body or b"")
        return None

    async def open(
        self, tx: Transaction, api_id: str, payer: str, asked: Remembered, call_id: str, terms: Terms
    ) -> None:
        """In the unit that reserves the payment. Raises when another call holds the key."""
        now = self._clock.now_ms()
        opened = await repository.open_entry(
            tx, api_id, payer, asked.key, asked.fingerprint, call_id, now + KEPT_MS, now
        )
        if not opened:
            found = await repository.find(tx, api_id, payer, asked.key, now)
            if found is not None and found[0] != asked.fingerprint:
                raise other_request(asked)
            raise insufficient(terms, IN_USE)

    async def close(self, tx: Transaction, call_id: str, kept: Kept | None) -> None:
        """In the unit that settles the payment: keep the answer, or free the key."""
        if kept is not None and len(kept.body) <= KEPT_BYTES:
            await repository.keep(tx, call_id, msgspec.json.encode(kept.head), kept.body)
        else:
            await repository.drop(tx, call_id)

    async def sweep(self, _: dict[str, Any]) -> None:
        """The schedule's. Idempotent."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await repository.sweep(tx, now)

        await self._db.transact(work)


def other_request(asked: Remembered) -> Exception:
    if asked.key.startswith(IDENTIFIED):
        return PAYMENT_IDENTIFIER_CONFLICT(identifier=asked.key.removeprefix(IDENTIFIED))
    detail = {"in": "header", "expected": "a key of its own for each request", "received": asked.key[:100]}
    return INVALID_PARAMETER(param="Idempotency-Key", detail=detail)
