"""Windows and bans that several processes share.

Counting each request in the database would cost more than most requests do. So a process counts by itself and adds what
it counted to the common figure a few times a second, reading it back: what passes beyond a limit is at most what the
other processes let through meanwhile. Where a limit is a promise to a provider, `take` asks the database at once.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any

from flux.kernel.bus.port import Bus
from flux.kernel.quota import Rate, Verdict
from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.access import repository

log = logging.getLogger("flux.paygate.access")
BANNED = "paygate.banned"
FLUSH_SECONDS = 0.2
CAPACITY = 50_000
NO_LIMIT = 2**62


class SharedWindows:
    """`count` like the kernel's `Quota`, over all processes; `take` exactly."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._known: dict[str, tuple[int, int]] = {}
        """When each window ends (Unix ms), and how much of it is used as far as this process knows."""
        self._counted: dict[str, int] = {}
        """What was counted here and is not in the common figure yet."""
        self._new_bans: dict[str, int] = {}
        self.bans: dict[str, int] = {}
        """Who is banned until when (Unix ms), in any process."""
        self._behind = False
        self._flushing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._bus.subscribe(BANNED, lambda _, payload: self._hear(payload))
        self._bus.on_loss(self._read_again)
        await self._read()
        self._flushing = asyncio.ensure_future(self._keep_flushing())

    async def _read(self) -> None:
        self.bans.update(await repository.bans(self._db, self._clock.now_ms()))

    def _read_again(self) -> None:
        """With the next flush: what others decided while the bus was away was not heard here."""
        self._behind = True

    async def stop(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()

    def count(self, key: str, rate: Rate, cost: int = 1) -> Verdict:
        now = self._clock.now_ms()
        ends, used = self._known.get(key, (0, 0))
        if ends <= now:
            ends, used = now + round(rate.seconds * 1000), 0
        if used + cost > rate.limit:
            return _verdict(rate, 0, ends, now, allowed=False)
        if cost:
            if len(self._known) >= CAPACITY:
                self._known = {one: kept for one, kept in self._known.items() if kept[0] > now}
            self._known[key] = (ends, used + cost)
            self._counted[key] = self._counted.get(key, 0) + cost
        return _verdict(rate, rate.limit - used - cost, ends, now, allowed=True)

    async def take(self, key: str, rate: Rate) -> Verdict:
        """One more, decided by the database."""
        now = self._clock.now_ms()
        ends_at = now + round(rate.seconds * 1000)

        async def work(tx: Transaction) -> tuple[int, int]:
            used = await repository.count_in(tx, key, 1, rate.limit, ends_at, now)
            return used if used is not None else (rate.limit + 1, await repository.window_end(tx, key))

        used, ends = await self._db.transact(work)
        return _verdict(rate, max(0, rate.limit - used), ends, now, allowed=used <= rate.limit)

    def ban(self, key: str, until: int) -> None:
        self._new_bans[key] = until
        self._note(key, until)

    def _note(self, key: str, until: int) -> None:
        if len(self.bans) >= CAPACITY:
            now = self._clock.now_ms()
            for one in [one for one, ends in self.bans.items() if ends <= now]:
                del self.bans[one]
        self.bans[key] = until

    async def sweep(self, _: dict[str, Any]) -> None:
        """The schedule's. Idempotent."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await repository.sweep(tx, now)

        await self._db.transact(work)

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                if self._behind:
                    await self._read()
                    self._behind = False
                if self._counted or self._new_bans:
                    await self._flush()
            except Exception:
                log.exception("windows were not shared; trying again")

    async def _flush(self) -> None:
        now = self._clock.now_ms()
        counted, self._counted = self._counted, {}
        bans, self._new_bans = self._new_bans, {}
        known = {key: self._known.get(key, (now, 0))[0] for key in counted}

        async def work(tx: Transaction) -> dict[str, tuple[int, int]]:
            totals: dict[str, tuple[int, int]] = {}
            # In one order everywhere, so that no two processes wait for each other.
            for key in sorted(counted):
                found = await repository.count_in(tx, key, counted[key], NO_LIMIT, known[key], now)
                if found is not None:
                    totals[key] = (found[1], found[0])
            for key, until in bans.items():
                await repository.ban(tx, key, until)
                self._bus.tell(tx, BANNED, f"{until} {key}".encode())
            return totals

        try:
            totals = await self._db.transact(work)
        except BaseException:
            # What was counted is forgotten, as its windows soon are; who was banned is told of the next time.
            self._new_bans = bans | self._new_bans
            raise
        for key, (ends, used) in totals.items():
            self._known[key] = (ends, used + self._counted.get(key, 0))

    def _hear(self, payload: bytes) -> None:
        until, _, key = payload.decode().partition(" ")
        self._note(key, int(until))


def _verdict(rate: Rate, remaining: int, ends: int, now: int, *, allowed: bool) -> Verdict:
    seconds = max(0.0, (ends - now) / 1000)
    return Verdict(
        allowed, rate.limit, remaining, seconds, 0.0 if allowed else seconds, math.ceil(ends / 1000)
    )
