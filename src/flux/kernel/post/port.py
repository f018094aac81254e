"""Mail and text messages. `send` only queues: a durable job delivers, with retries.

The embedded default is the outbox table, which the sandbox shows; real adapters are SMTP for mail and an HTTP
webhook or Twilio for texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from flux.kernel.store.port import Transaction

Channel = Literal["mail", "sms"]


@dataclass(frozen=True, slots=True)
class Letter:
    """`data` holds the template's parameters (token, code, url …), which the sandbox outbox shows."""

    channel: Channel
    to: str
    subject: str
    text: str
    data: Mapping[str, Any]


class Post(Protocol):
    async def send(self, tx: Transaction, letter: Letter) -> None:
        """Queue the letter in the caller's unit of work: sent if and only if it commits."""
