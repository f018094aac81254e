"""The bus between processes: core NATS, at most once, in order per publisher and subject.

`publish` and `subscribe` only put a note into one outgoing queue; a task carries the notes to the server in the
order they were written. Own events come back through the server like everybody's, so each listener hears each
event once. There is one NATS subscription for each pattern in use, however many listeners it has.

An event of a unit of work has a name, which travels where NATS has the subject for a reply: nobody replies here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import nats.aio.client
import nats.aio.msg
import nats.aio.subscription
import nats.errors

from flux.kernel.bus.heard import Heard
from flux.kernel.bus.port import Listener, Reviser, Subscription
from flux.kernel.bus.subjects import Subjects, check_subject
from flux.kernel.bus.untold import Unit, Untold
from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store.port import Transaction
from flux.settings.bus import BusSettings

logger = logging.getLogger("flux.bus")

_BATCH = 256
_CLOSE_SECONDS = 2.0
_HANDOVER_SECONDS = 5.0
_Event = tuple[str, bytes, str]
"""Subject, payload and name ('' for one of no unit of work)."""


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Raises `TimeoutError`, and only then is it over: the client waits in ways that can lose a cancellation, and would
    go on trying for ever."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError
        task.result()
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.05)


class _Listening:
    """A listening that also tells the server when nobody is left."""

    __slots__ = ("_bus", "_inner", "_pattern")

    def __init__(self, bus: NatsBus, inner: Subscription, pattern: str) -> None:
        self._bus = bus
        self._inner = inner
        self._pattern = pattern

    def cancel(self) -> None:
        self._inner.cancel()
        self._bus.note_interest(self._pattern)


class NatsBus:
    """Make one with `await NatsBus.connect(settings, ports)`.

    The outgoing queue is bounded: while the server is slow or away the oldest events are kept and new ones are
    dropped (`dropped` counts; a log line at the start and the end of each such time). An armed `bus` fault strikes
    in the task that carries: ERROR, GARBAGE, UNAVAILABLE and TIMEOUT lose the event, DELAY holds it and what
    follows it, CRASH ends the process. The publisher notices nothing in any of them.
    """

    shared = True

    def __init__(self, settings: BusSettings, ports: Ports) -> None:
        self.dropped = 0
        self._on_loss: list[Callable[[], None]] = []
        self._settings = settings
        self._ports = ports
        self._client = nats.aio.client.Client()
        self._subjects = Subjects()
        self._remote: dict[str, nats.aio.subscription.Subscription] = {}
        # A bare string is a pattern whose interest may have changed; a future is done when it is its turn.
        self._outgoing: deque[_Event | str | asyncio.Future[None]] = deque()
        self.untold: Untold | None = None
        """Once it is set, what units of work tell is written down with them."""
        self._heard = Heard(settings.remembered_events)
        self._lost: set[str] = set()
        """Units of which events were not sent."""
        self._noted: set[str] = set()
        self._held_events = 0
        self._held_bytes = 0
        self._overflowing = False
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._connected = asyncio.Event()
        self._carrier: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def connect(cls, settings: BusSettings, ports: Ports) -> NatsBus:
        """Raises `PortFailure` when no server answers in time or it refuses us."""
        bus = cls(settings, ports)
        servers = [part.strip() for part in settings.url.split(",") if part.strip()]
        try:
            await _within(settings.connect_seconds, bus._open(servers))
        except (TimeoutError, OSError, nats.errors.Error) as error:
            await bus._client.close()
            hosts = ", ".join(urlsplit(server).hostname or "?" for server in servers)
            logger.error("NATS at %s cannot be reached: %s", hosts, type(error).__name__)
            raise PortFailure("bus", Mode.UNAVAILABLE, "connect") from error
        bus._connected.set()
        bus._carrier = asyncio.get_running_loop().create_task(bus._carry(), name="bus-carrier")
        return bus

    async def _open(self, servers: list[str]) -> None:
        await self._client.connect(
            servers,
            name="flux",
            max_reconnect_attempts=-1,
            reconnect_time_wait=self._settings.reconnect_wait_seconds,  # type: ignore[arg-type]
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
        )

    def tell(self, tx: Transaction, subject: str, payload: bytes) -> None:
        check_subject(subject)
        if self.untold is None:
            tx.after_commit(lambda: self.publish(subject, payload))
            return
        unit = tx.closing
        if not isinstance(unit, Unit):
            unit = self.untold.begin(tx)
        unit.add(subject, payload)

    def on_retold(self, prefix: str, reviser: Reviser) -> None:
        if self.untold is not None:
            self.untold.revise(prefix, reviser)

    def publish(self, subject: str, payload: bytes, name: str = "") -> None:
        check_subject(subject)
        if self._closed:
            return
        size = len(subject) + len(payload)
        if (
            self._held_events >= self._settings.buffer_events
            or self._held_bytes + size > self._settings.buffer_bytes
        ):
            self._overflow(name)
            return
        self._held_events += 1
        self._held_bytes += size
        self._add((subject, payload, name))

    def _overflow(self, name: str) -> None:
        self._lose(name)
        if not self._overflowing:
            self._overflowing = True
            logger.warning(
                "NATS does not keep up: %d events are held, new ones are dropped", self._held_events
            )

    def _lose(self, name: str) -> None:
        self.dropped += 1
        if name:
            self._lost.add(name.partition(".")[0])

    def subscribe(self, subject: str, listener: Listener) -> Subscription:
        listening = self._subjects.add(subject, listener)
        self.note_interest(subject)
        return _Listening(self, listening, subject)

    def note_interest(self, pattern: str) -> None:
        """Let the carrier compare what this process wants with what the server knows."""
        if pattern not in self._noted and not self._closed:
            self._noted.add(pattern)
            self._add(pattern)

    def _add(self, note: _Event | str | asyncio.Future[None]) -> None:
        self._outgoing.append(note)
        self._idle.clear()
        self._work.set()

    async def _carry(self) -> None:
        while True:
            await self._work.wait()
            await self._connected.wait()
            for _ in range(min(_BATCH, len(self._outgoing))):
                if not self._client.is_connected:
                    # The client notices before it tells us; its own small buffer would refuse what ours can hold.
                    self._connected.clear()
                    break
                await self._carry_one()
            if self._outgoing:
                await asyncio.sleep(0)
                continue
            self._work.clear()
            self._idle.set()
            if self._overflowing:
                self._overflowing = False
                logger.warning("NATS keeps up again; %d events dropped since start", self.dropped)

    async def _carry_one(self) -> None:
        note = self._outgoing.popleft()
        if isinstance(note, asyncio.Future):
            if not note.done():
                note.set_result(None)
            return
        try:
            if isinstance(note, str):
                self._noted.discard(note)
                await self._reconcile(note)
                return
            self._held_events -= 1
            self._held_bytes -= len(note[0]) + len(note[1])
            if self._ports.enabled:
                await self._ports.strike("bus")
            await self._client.publish(note[0], note[1], note[2])
        except (PortFailure, OSError, nats.errors.Error) as error:
            if isinstance(note, str):
                self.note_interest(note)
                logger.warning("interest in %s could not be told: %s", note, error)
            else:
                self._lose(note[2])
                logger.warning("event on %s lost: %s", note[0], error)

    async def _reconcile(self, pattern: str) -> None:
        wanted = pattern in self._subjects.topics
        remote = self._remote.get(pattern)
        if wanted and remote is None:
            self._remote[pattern] = await self._client.subscribe(
                pattern,
                cb=self._teller(pattern),
                pending_msgs_limit=self._settings.buffer_events,
                pending_bytes_limit=self._settings.buffer_bytes,
            )
        elif remote is not None and not wanted:
            del self._remote[pattern]
            await remote.unsubscribe()

    def _teller(self, pattern: str) -> Callable[[nats.aio.msg.Msg], Awaitable[None]]:
        topics, first = self._subjects.topics, self._heard.first

        async def tell(message: nats.aio.msg.Msg) -> None:
            if message.reply and not first(pattern, message.reply):
                return
            topic = topics.get(pattern)
            if topic is not None:
                topic.tell(message.subject, message.data)

        return tell

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            self.dropped += 1
            logger.warning("listeners of %s do not keep up; an event was dropped", error.subject)
            self._tell_loss()
        else:
            logger.debug("NATS: %s", error)

    async def _on_disconnect(self) -> None:
        self._connected.clear()
        if not self._closed:
            logger.warning("NATS is away; events are held")

    async def _on_reconnect(self) -> None:
        logger.info("NATS is back; %d events were held", self._held_events)
        self._connected.set()
        # Whatever the others said meanwhile was not kept for us.
        self._tell_loss()

    def on_loss(self, listener: Callable[[], None]) -> None:
        self._on_loss.append(listener)

    def _tell_loss(self) -> None:
        for listener in self._on_loss:
            listener()

    async def start(self) -> None:
        if self.untold is not None:
            await self.untold.start()

    async def settle(self) -> None:
        """Return once the server has taken everything published and subscribed so far."""
        await self._idle.wait()
        await self._flush()

    async def _flush(self) -> None:
        # The client's ping overtakes what waits in its own buffer; the second one comes behind all that the first overtook.
        await self._client.flush()
        await self._client.flush()

    async def passable(self) -> bool:
        """Whether what is published here gets to NATS, and soon."""
        if not self._client.is_connected:
            return False
        try:
            await self._pass()
        except TimeoutError:
            return False
        return True

    async def _pass(self) -> None:
        """Return once NATS has what was published so far and did not get lost. Raises TimeoutError."""
        turn = asyncio.get_running_loop().create_future()
        self._add(turn)
        try:
            async with asyncio.timeout(_HANDOVER_SECONDS):
                await turn
                await self._flush()
        except (OSError, nats.errors.Error) as problem:
            raise TimeoutError(str(problem)) from problem

    async def handed_over(self) -> set[str]:
        """Return once NATS has what was published so far: the units of which it does not have every event. Raises
        TimeoutError when it cannot be known; whatever was told until then is in doubt."""
        try:
            await self._pass()
        except TimeoutError:
            self._lost.clear()
            raise
        lost, self._lost = self._lost, set()
        return lost

    def forget_old(self) -> None:
        """Of the events heard, those that cannot be told again any more."""
        self._heard.age()

    async def close(self) -> None:
        """Send what is held if the server takes it within two seconds, then part."""
        if self._closed:
            return
        if self.untold is not None:
            await self.untold.close()
        self._closed = True
        try:
            await asyncio.wait_for(self.settle(), _CLOSE_SECONDS)
        except (TimeoutError, OSError, nats.errors.Error):
            logger.warning("%d events were not sent before the bus closed", self._held_events)
        if self._carrier is not None:
            self._carrier.cancel()
            await asyncio.wait({self._carrier})
        await self._client.close()
