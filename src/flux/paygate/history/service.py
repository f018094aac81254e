"""The verbs of calls."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Database, Transaction
from flux.paygate.faults import CALL_NOT_FOUND
from flux.paygate.history import repository
from flux.paygate.history.analytics import Sale
from flux.paygate.history.model import CallRow, Outcome
from flux.paygate.history.schemas import HistoryQuery


class History:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, tx: Transaction, row: CallRow) -> None:
        await repository.insert(tx, row)

    async def close(
        self, tx: Transaction, call_id: str, outcome: Outcome, payment_status: str, now: int
    ) -> None:
        await repository.close(tx, call_id, _values(outcome, payment_status, now))

    async def amend(
        self, tx: Transaction, call_id: str, outcome: Outcome, payment_status: str, now: int
    ) -> None:
        """A call that was given up ended after all."""
        await repository.amend(tx, call_id, _values(outcome, payment_status, now))

    async def finish(self, tx: Transaction, call_id: str, status: str, response_bytes: int, now: int) -> None:
        await repository.finish(tx, call_id, status, response_bytes, now)

    async def set_payment_status(self, tx: Transaction, call_id: str, payment_status: str) -> None:
        await repository.set_payment_status(tx, call_id, payment_status)

    async def set_transaction(self, tx: Transaction, call_id: str, tx_hash: str) -> None:
        await repository.set_transaction(tx, call_id, tx_hash)

    async def began(self, tx: Transaction, call_id: str, otherwise: int) -> int:
        """When the call was made."""
        row = await repository.get(tx, call_id)
        return row.created_at if row is not None else otherwise

    async def gave_back(self, tx: Transaction, call_id: str) -> bool:
        """Whether the call is closed, and its payment was given back."""
        row = await repository.get(tx, call_id)
        return row is not None and row.payment_status == "released"

    async def page(self, wallet: str, query: HistoryQuery) -> tuple[list[CallRow], int]:
        where: dict[str, Any] = {query.role: wallet}
        for name in ("api_id", "status", "since", "until"):
            value = getattr(query, name)
            if value is not None:
                where[name] = int(value) if isinstance(value, int) else value
        return await repository.search(self._db, where, query.limit, query.offset)

    async def one(self, call_id: str, wallet: str) -> CallRow:
        """For its consumer and its provider; for anyone else it does not exist."""
        row = await repository.get(self._db, call_id)
        if row is None or wallet not in (row.consumer, row.provider):
            raise CALL_NOT_FOUND(callId=call_id)
        return row

    async def stats(self, api_id: str, since: int) -> dict[str, Any]:
        """`{calls, uniqueConsumers, successRate (0..1, null without calls), p50LatencyMs}`."""
        calls, consumers, successes = await repository.stats(self._db, api_id, since)
        return {
            "calls": calls,
            "uniqueConsumers": consumers,
            "successRate": round(successes / calls, 4) if calls else None,
            "p50LatencyMs": await repository.median_latency(self._db, api_id, since, calls)
            if calls
            else None,
        }

    async def sales(self, **where: Any) -> list[Sale]:
        """Ended calls for numbers: by consumer, provider, api_id, since, until."""
        return await repository.sales(self._db, where)

    async def active_listings(self, since: int) -> list[str]:
        """Listings that were called lately."""
        return await repository.active_listings(self._db, since)


def _values(outcome: Outcome, payment_status: str, now: int) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "http_status": outcome.http_status,
        "error_code": outcome.error_code,
        "latency_ms": outcome.latency_ms,
        "response_bytes": outcome.response_bytes,
        "payment_status": payment_status,
        "completed_at": now,
    }
