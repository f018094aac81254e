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
    @property
    def shared(self) -> bool:
        """Whether other processes speak on it."""

    def publish(self, subject: str, payload: bytes) -> None:
        """Hand the event over; never blocks, never raises for a slow listener."""

    def subscribe(self, subject: str, listener: Listener) -> Subscription:
        """`subject` may end in `.*` (one more token) or `.>` (one or more)."""

    def on_loss(self, listener: Callable[[], None]) -> None:
        """`listener` is called whenever events for this process may have been lost: what followed them is in doubt."""

    async def settle(self) -> None:
        """Return once everything published and subscribed so far counts: whatever is published anywhere after this is
        heard here. Raises OSError or TimeoutError when the other processes cannot be reached."""

    async def close(self) -> None: ...
