"""What must happen later: a durable queue and schedule in the store.

A job is a kind, a JSON payload and a time. It runs at least once: handlers must be idempotent. A failing job is
retried with exponential backoff; one that keeps failing stays in the table, dead and visible.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from flux.kernel.store.port import Transaction

Handler = Callable[[dict[str, Any]], Awaitable[None]]


class Jobs(Protocol):
    async def enqueue(
        self,
        tx: Transaction,
        kind: str,
        payload: dict[str, Any],
        *,
        run_at_ms: int | None = None,
        key: str | None = None,
    ) -> None:
        """Queue in the caller's unit of work. A second waiting job of the same kind and `key` is not added;
        its time moves to the earlier of both."""

    async def cancel(self, tx: Transaction, kind: str, key: str) -> None:
        """Remove the waiting job of that kind and key, if any."""

    def handle(self, kind: str, handler: Handler) -> None:
        """Who runs jobs of this kind. Before `start`."""

    def every(self, kind: str, seconds: float, handler: Handler) -> None:
        """A schedule: `handler({})` about every `seconds`, once over all processes."""

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Finish what runs, take nothing new."""
