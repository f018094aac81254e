"""What a way out of the house is, and the one that leads nowhere."""

from __future__ import annotations

from typing import Protocol

from flux.kernel.post.repository import QueuedLetter


class Undeliverable(Exception):
    """This letter will never be accepted, so it is not tried again. The text is a short machine word."""


class Carrier(Protocol):
    async def carry(self, letter: QueuedLetter) -> None:
        """Hand the letter to the other side. Returns once that side has taken it.

        Raises `PortFailure` when it may be tried again and `Undeliverable` when it may not. Neither carries what
        the other side said, which may quote the letter, and letters hold secrets.
        """


class OutboxOnly:
    """The embedded default: the letter stays in the table and counts as sent."""

    async def carry(self, letter: QueuedLetter) -> None:
        return
