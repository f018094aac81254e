"""What the public sees of a listing's calls: the last 30 days."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.history.service import History
from flux.paygate.listings import repository

WINDOW_MS = 30 * 86_400_000
KEPT_SECONDS = 5.0
CAPACITY = 5_000
KIND = "paygate.stats"
SECONDS = 60.0
LATELY_MS = 1_200_000
"""Longer than any call lasts."""


class ListingStats:
    """Fresh for one listing; for the catalogue, written to the listings once a minute."""

    def __init__(self, db: Database, history: History, clock: Clock) -> None:
        self._db = db
        self._history = history
        self._clock = clock
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def of(self, api_id: str) -> dict[str, Any]:
        now = self._clock.monotonic()
        kept = self._kept.get(api_id)
        if kept is not None and kept[0] > now:
            return kept[1]
        stats = await self._history.stats(api_id, self._clock.now_ms() - WINDOW_MS)
        if len(self._kept) >= CAPACITY:
            self._kept.clear()
        if stats["calls"]:
            self._kept[api_id] = (now + KEPT_SECONDS, stats)
        return stats

    async def refresh(self, _: dict[str, Any]) -> None:
        """The schedule's. Idempotent."""
        since = self._clock.now_ms() - WINDOW_MS
        for api_id in await self._history.active_listings(self._clock.now_ms() - LATELY_MS):
            stats = await self._history.stats(api_id, since)

            async def work(tx: Transaction, api_id: str = api_id, stats: dict[str, Any] = stats) -> None:
                await repository.set_stats(tx, api_id, stats)

            await self._db.transact(work)
