"""Sending messages: one signed POST an attempt, growing pauses between attempts, and the end of it written down."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from flux.content.webhooks import repository, rules
from flux.content.webhooks.rows import Delivery, Webhook
from flux.content.webhooks.service import PURPOSE, SEND
from flux.kernel.faults import PortFailure
from flux.kernel.house import House
from flux.kernel.jobs import Jobs
from flux.kernel.outside.calling import Caller
from flux.kernel.outside.guard import Guard
from flux.kernel.store import Transaction

log = logging.getLogger("flux.content.webhooks")
PRUNE = "content.webhooks.prune"
PRUNE_SECONDS = 3600.0
_DAY_MS = 86_400_000


class Sending:
    def __init__(self, house: House, guard: Guard) -> None:
        self._db = house.db
        self._clock = house.clock
        self._jobs = house.jobs
        self._vault = house.vault
        self._settings = house.settings.content.webhooks
        self._caller = Caller(guard, house.ports, seconds=self._settings.timeout)

    def register(self, jobs: Jobs) -> None:
        async def send(payload: dict[str, Any]) -> None:
            await self.attempt(payload["delivery"])

        async def prune(_: dict[str, Any]) -> None:
            await self.prune()

        jobs.handle(SEND, send)
        jobs.every(PRUNE, PRUNE_SECONDS, prune)

    async def attempt(self, key: str) -> None:
        """Try to deliver one message. What its receiver does wrong is noted, never raised."""
        delivery = await repository.delivery(self._db, key)
        hook = await repository.recipient(self._db, key)
        if delivery is None or hook is None or delivery.status != "pending":
            return
        began = asyncio.get_running_loop().time()
        status: int | None = None
        error: str | None = "disabled"
        if hook.is_enabled:
            status, error = await self._posted(hook, delivery)
        took = int((asyncio.get_running_loop().time() - began) * 1000)
        await self._settle(delivery, status, error, took, final=not hook.is_enabled)

    async def _posted(self, hook: Webhook, delivery: Delivery) -> tuple[int | None, str | None]:
        """The status and what was wrong; nothing was, when the receiver took it."""
        secret = self._vault.open(PURPOSE, hook.secret).decode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "flux-webhook",
            "X-Flux-Event": delivery.event,
            "X-Flux-Delivery": delivery.key,
            "X-Flux-Attempt": str(delivery.attempts + 1),
            "X-Flux-Signature": rules.signature(secret, self._clock.now_ms() // 1000, delivery.payload),
        }
        try:
            status = await self._caller.post(hook.url, delivery.payload, headers)
        except PortFailure as failure:
            return None, failure.reason or failure.mode.value
        return status, None if 200 <= status < 300 else "http_status"

    async def _settle(
        self, delivery: Delivery, status: int | None, error: str | None, took: int, *, final: bool
    ) -> None:
        settings, attempts, now = self._settings, delivery.attempts + 1, self._clock.now_ms()
        over = error is None or final or status == rules.GONE or attempts >= settings.max_attempts
        pause = rules.pause_ms(attempts, settings.backoff_seconds, settings.backoff_max_seconds)
        changes: dict[str, Any] = {
            "attempts": attempts,
            "last_status": status,
            "last_error": error,
            "duration_ms": took,
            "status": "delivered" if error is None else "failed" if over else "pending",
            "next_attempt_at": None if over else now + pause,
            "finished_at": now if over else None,
        }

        async def work(tx: Transaction) -> None:
            if await repository.settle(tx, delivery.key, delivery.attempts, changes) and not over:
                await self._jobs.enqueue(tx, SEND, {"delivery": delivery.key}, run_at_ms=now + pause)

        await self._db.transact(work)
        if over and error is not None:
            log.warning("webhook message %s was given up: %s", delivery.key, error)

    async def prune(self) -> None:
        """Forget messages that were finished long ago."""
        before = self._clock.now_ms() - self._settings.history_days * _DAY_MS

        async def work(tx: Transaction) -> None:
            await repository.forget(tx, before)

        await self._db.transact(work)

    async def close(self) -> None:
        await self._caller.close()
