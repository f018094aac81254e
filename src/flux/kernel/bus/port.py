"""What just happened, told to whoever listens in any process.

An event is a subject (dotted, `community.guild.123`) and bytes, heard at most once, in publishing order per publisher and
subject. What a unit of work did is told by `tell`: nobody hears of what did not happen, and where others could hear it, it
is told even when the process ends between the commit and the publish (untold.py), late then. `publish` is for what no unit
stands behind, and may be lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from flux.kernel.store.port import Transaction

Listener = Callable[[str, bytes], None]
"""Called in the loop with (subject, payload). Must not block; queue what takes time."""

Reviser = Callable[[str, bytes], Awaitable[bytes | None]]
"""Given the subject and payload of an event that is told late: what is to be told now, or None for nothing."""


class Subscription(Protocol):
    def cancel(self) -> None: ...


class Bus(Protocol):
    @property
    def shared(self) -> bool:
        """Whether other processes speak on it."""

    def publish(self, subject: str, payload: bytes) -> None:
        """Hand the event over; never blocks, never raises for a slow listener."""

    def tell(self, tx: Transaction, subject: str, payload: bytes) -> None:
        """Publish once the unit of work is durable, in the order of the calls."""

    def on_retold(self, prefix: str, reviser: Reviser) -> None:
        """Ask `reviser` before an event whose subject starts so is told late. When it raises, the event is tried again."""

    def subscribe(self, subject: str, listener: Listener) -> Subscription:
        """`subject` may end in `.*` (one more token) or `.>` (one or more)."""

    def on_loss(self, listener: Callable[[], None]) -> None:
        """`listener` is called whenever events for this process may have been lost: what followed them is in doubt."""

    async def start(self) -> None:
        """Begin to look for what other processes did not come to tell."""

    async def settle(self) -> None:
        """Return once everything published and subscribed so far counts: whatever is published anywhere after this is
        heard here. Raises OSError or TimeoutError when the other processes cannot be reached."""

    async def close(self) -> None: ...
