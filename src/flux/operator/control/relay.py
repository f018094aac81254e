"""What one worker process is told, all of them do.

Each topic is a subject of the bus with a message type. `tell` sends to the other workers; the teller applies for
itself. A worker that starts later asks (`operator.hello`) and the others repeat what still holds, so messages must
be harmless when they come twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from flux.kernel.bus.port import Bus, Subscription
from flux.kernel.store import random_key
from flux.kernel.watch import watch_bus

log = logging.getLogger("flux.operator")
T = TypeVar("T")
HELLO = "operator.hello"
_ECHO_SECONDS = 1.0


class _Note(Struct, Generic[T]):
    origin: str
    say: T


class Relay:
    """One a process. `alone` (a bus that reaches no other process) keeps it silent."""

    def __init__(self, bus: Bus, *, alone: bool = False) -> None:
        self.origin = random_key(16)
        self._bus = bus
        self._alone = alone
        self._listeners: dict[str, Callable[[bytes], None]] = {}
        self._repeaters: list[tuple[str, Callable[[], Iterable[Any]]]] = []
        self._subscriptions: list[Subscription] = []
        self._echo = watch_bus(bus)

    def topic(
        self,
        subject: str,
        kind: type[T],
        apply: Callable[[T], None],
        still: Callable[[], Iterable[T]] = lambda: (),
    ) -> None:
        """Before `start`. `apply` does what another worker was told; `still` is what a newcomer has to hear."""
        decoder = msgspec.json.Decoder(_Note[kind])  # type: ignore[valid-type]

        def heard(payload: bytes) -> None:
            note = decoder.decode(payload)
            if note.origin != self.origin:
                apply(note.say)

        self._listeners[subject] = heard
        self._repeaters.append((subject, still))

    def tell(self, subject: str, message: Any) -> None:
        if not self._alone:
            self._bus.publish(subject, msgspec.json.encode(_Note(self.origin, message)))

    async def carried(self) -> None:
        """Returns when what was told has left this process, or after a second."""
        if self._alone:
            return
        try:
            async with asyncio.timeout(_ECHO_SECONDS):
                await self._echo()
        except TimeoutError:
            log.warning("the bus does not bring back what was published")

    async def start(self) -> None:
        if self._alone:
            return
        for subject in (*self._listeners, HELLO):
            self._subscriptions.append(self._bus.subscribe(subject, self._heard))
        self.tell(HELLO, None)

    async def stop(self) -> None:
        while self._subscriptions:
            self._subscriptions.pop().cancel()

    def _heard(self, subject: str, payload: bytes) -> None:
        try:
            if subject == HELLO:
                self._welcome(payload)
            else:
                self._listeners[subject](payload)
        except (msgspec.MsgspecError, ValueError, KeyError):
            log.warning("a message on %s could not be applied", subject, exc_info=True)

    def _welcome(self, payload: bytes) -> None:
        if msgspec.json.decode(payload, type=_Note[Any]).origin == self.origin:
            return
        for subject, still in self._repeaters:
            for message in still():
                self.tell(subject, message)
