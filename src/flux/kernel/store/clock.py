"""Time, injected. Nothing else in the house asks the operating system what time it is.

`SystemClock` is the real one. `SandboxClock` starts real and can be advanced: every expiry read from `now_ms`
and every timer set through `sleep` or `call_later` moves with it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now_ms(self) -> int:
        """Unix milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never run backwards (they do run ahead when a sandbox clock is advanced)."""

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...


def iso(ms: int) -> str:
    """`2026-02-19T19:34:23.123Z` from Unix milliseconds."""
    seconds, rest = divmod(ms, 1000)
    when = datetime.fromtimestamp(seconds, UTC)
    return f"{when.isoformat()[:19]}.{rest:03d}Z"


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)


class _SandboxTimer:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class SandboxClock:
    """A real clock with an offset; advancing it fires what became due, in order."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._timers: list[tuple[float, int, _SandboxTimer]] = []
        self._order = itertools.count()
        self._wake: asyncio.TimerHandle | None = None

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + round(self._ahead * 1000)

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        timer = self.call_later(seconds, finish)
        try:
            await done
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _SandboxTimer(callback)
        heapq.heappush(self._timers, (self.monotonic() + max(0.0, seconds), next(self._order), timer))
        self._rearm()
        return timer

    def advance(self, seconds: float) -> None:
        """Move every plane's time forward."""
        self._ahead += seconds
        self._rearm()

    def _rearm(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if self._timers:
            delay = max(0.0, self._timers[0][0] - self.monotonic())
            self._wake = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self._wake = None
        while self._timers and self._timers[0][0] <= self.monotonic():
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.callback()
        self._rearm()
