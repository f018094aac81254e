"""Rate limits: GCRA buckets (smooth) and fixed windows (countable), both O(1) and bounded in memory.

Counts live in this process: with several workers each enforces the limit for the callers it serves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice

from msgspec import Struct

from flux.kernel.store.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """`limit` requests each `seconds`."""

    limit: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate | None:
        """`"3/60s"`; `"0"` or `""` is None, no limit. Raises ValueError."""
        if text in ("", "0"):
            return None
        limit, _, seconds = text.partition("/")
        rate = cls(int(limit), float(seconds.removesuffix("s") or "1"))
        if rate.limit < 1 or not rate.seconds > 0:
            raise ValueError(f"not a rate: {text!r}")
        return rate


class Verdict(Struct, frozen=True):
    """`reset_after` seconds until the bucket is full again; `retry_after` seconds until one more fits (0 when allowed)."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
    retry_after: float
    reset_at: int
    """Unix seconds, rounded up."""


class Quota:
    """All buckets of a plane. At most `capacity` live keys: the ones that are full again go first, then the oldest tenth."""

    def __init__(self, clock: Clock, capacity: int = 100_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._full_at: dict[str, float] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str, rate: Rate, cost: int = 1) -> Verdict:
        """GCRA: a burst of `limit`, refilled evenly over `seconds`."""
        now = self._clock.monotonic()
        step = rate.seconds / rate.limit
        full_at = max(self._full_at.get(key, now), now)
        after = full_at + step * cost
        excess = after - now - rate.seconds
        if excess > 1e-9:
            return self._verdict(False, rate, 0, full_at - now, excess)
        if len(self._full_at) >= self._capacity and key not in self._full_at:
            self._evict(now)
        self._full_at[key] = after
        remaining = math.floor((rate.seconds - (after - now)) / step + 1e-9)
        return self._verdict(True, rate, remaining, after - now, 0.0)

    def count(self, key: str, rate: Rate, cost: int = 1) -> Verdict:
        """Fixed window: `limit` in each window of `seconds`, which opens with the first request."""
        now = self._clock.monotonic()
        ends, used = self._windows.get(key, (0.0, 0))
        if ends <= now:
            ends, used = now + rate.seconds, 0
        if used + cost > rate.limit:
            return self._verdict(False, rate, 0, ends - now, ends - now)
        if len(self._windows) >= self._capacity and key not in self._windows:
            self._evict(now)
        self._windows[key] = (ends, used + cost)
        return self._verdict(True, rate, rate.limit - used - cost, ends - now, 0.0)

    def forget(self, key: str) -> None:
        self._full_at.pop(key, None)
        self._windows.pop(key, None)

    def _verdict(self, allowed: bool, rate: Rate, remaining: int, reset: float, retry: float) -> Verdict:
        reset_at = math.ceil(self._clock.now_ms() / 1000 + reset)
        return Verdict(allowed, rate.limit, remaining, reset, retry, reset_at)

    def _evict(self, now: float) -> None:
        self._full_at = {key: full for key, full in self._full_at.items() if full > now}
        self._windows = {key: window for key, window in self._windows.items() if window[0] > now}
        # A tenth at once: going through all of them for each new key would cost more than what is limited here.
        most = self._capacity * 9 // 10
        for table in (self._full_at, self._windows):
            for key in list(islice(table, max(0, len(table) - most))):
                del table[key]
