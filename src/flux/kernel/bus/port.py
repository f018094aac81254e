"""What just happened, told to whoever listens in any process.

An event is a subject (dotted, `community.guild.123`) and bytes. Delivery is at most once, in publishing order
per publisher and subject; what must not be lost is in the store, and a job or a resume finds it there. Publish
only from `tx.after_commit`, so that nobody hears of what did not happen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Listener = Callable[[str, bytes], None]
"""Called in the loop with (subject, payload). Must not block; queue what takes time."""


class Subscription(Protocol):
    def cancel(self) -> None: ...


class Bus(Protocol):
    def publish(self, subject: str, payload: bytes) -> None:
        """Hand the event over; never blocks, never raises for a slow listener."""

    def subscribe(self, subject: str, listener: Listener) -> Subscription:
        """`subject` may end in `.*` (one more token) or `.>` (one or more)."""

    async def close(self) -> None: ...
