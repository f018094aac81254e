"""The bus of a single process: a dictionary lookup and a call."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from flux.kernel.bus.port import Listener, Reviser, Subscription
from flux.kernel.bus.subjects import Subjects, check_subject
from flux.kernel.faults.ports import PortFailure, Ports
from flux.kernel.store.port import Transaction

logger = logging.getLogger("flux.bus")


class LocalBus:
    """Listeners run inside `publish`. What they publish in turn is handed round after the event at hand, so
    that every listener hears events in one order.

    An armed `bus` fault: the event does not reach its listeners at once but waits in a task that strikes the
    port. ERROR, GARBAGE, UNAVAILABLE and TIMEOUT lose the event (`dropped` counts, one log line), as a broken
    wire would; DELAY holds it and everything published after it, in order; CRASH ends the process. The publisher
    notices nothing in any of them.
    """

    shared = False

    def __init__(self, ports: Ports) -> None:
        self.dropped = 0
        self._ports = ports
        self._subjects = Subjects()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._telling = False
        self._faulty: asyncio.Task[None] | None = None
        self._closed = False

    def publish(self, subject: str, payload: bytes) -> None:
        check_subject(subject)
        if self._closed:
            return
        if self._telling or self._faulty is not None:
            self._waiting.append((subject, payload))
            return
        if self._ports.enabled and self._ports.armed("bus"):
            self._waiting.append((subject, payload))
            self._faulty = asyncio.get_running_loop().create_task(self._cross_faulty_port())
            return
        self._telling = True
        try:
            self._subjects.tell(subject, payload)
            if self._waiting:
                self._tell_waiting()
        finally:
            self._telling = False

    def _tell_waiting(self) -> None:
        while self._waiting:
            self._subjects.tell(*self._waiting.popleft())

    async def _cross_faulty_port(self) -> None:
        try:
            while self._waiting:
                try:
                    await self._ports.strike("bus")
                except PortFailure as failure:
                    subject, _ = self._waiting.popleft()
                    self.dropped += 1
                    logger.warning("event on %s lost: %s", subject, failure)
                    continue
                # The event stays in the queue while the port delays it, so nothing published since overtakes it.
                self._subjects.tell(*self._waiting.popleft())
        finally:
            self._faulty = None

    def tell(self, tx: Transaction, subject: str, payload: bytes) -> None:
        tx.after_commit(lambda: self.publish(subject, payload))

    def on_retold(self, prefix: str, reviser: Reviser) -> None:
        """Never asked: who could have heard it ended with this process."""

    def subscribe(self, subject: str, listener: Listener) -> Subscription:
        return self._subjects.add(subject, listener)

    def on_loss(self, listener: Callable[[], None]) -> None:
        """Never called: a process does not lose its own events, but for a fault that was asked for."""

    async def start(self) -> None:
        """There is nothing to begin with."""

    async def settle(self) -> None:
        """Return once everything published so far has reached its listeners or was lost."""
        if self._faulty is not None:
            await asyncio.wait({self._faulty})

    async def close(self) -> None:
        self._closed = True
        if self._faulty is not None:
            self._faulty.cancel()
            await asyncio.wait({self._faulty})
        self._waiting.clear()
