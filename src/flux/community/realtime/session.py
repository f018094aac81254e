"""One identified client: its numbered events, and what of them it has not acknowledged.

The buffer is queue and memory at once. `sent` is the number up to which events were handed to the connection; what
lies between it and `number` waits for a slow reader. A session without a connection only remembers.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from flux.community.realtime.connection import Connection
from flux.community.realtime.protocol import UNKNOWN_ERROR, Frame, resumed
from flux.community.realtime.sieve import Sieve
from flux.community.users.records import UserRow
from flux.settings.community import Realtime


class Session:
    __slots__ = (
        "_buffer",
        "_buffered_bytes",
        "_held",
        "_late_bytes",
        "_late_events",
        "_limits",
        "_replay",
        "afk",
        "alive",
        "auth_hash",
        "bot",
        "connection",
        "custom",
        "detached_at",
        "guilds",
        "id",
        "mobile",
        "number",
        "sent",
        "sieve",
        "status",
        "token_hash",
        "told_to_return",
        "user_id",
    )  # fmt: skip

    def __init__(
        self, session_id: str, user: UserRow, token_hash: bytes, auth_hash: bytes | None, limits: Realtime
    ) -> None:
        self.id = session_id
        self.user_id = user.id
        self.bot = bool(user.bot)
        self.token_hash = token_hash
        self.auth_hash = auth_hash
        self.connection: Connection | None = None
        self.detached_at = 0.0
        self.alive = True
        self.told_to_return = False
        self.status = "online"
        self.custom = b""
        """The custom status as JSON; empty for none."""
        self.mobile = False
        self.afk = False
        self.sieve: Sieve | None = None
        """What the client does not want, or not one by one."""
        self.guilds: set[int] = set()
        self.number = 0
        self.sent = 0
        self._limits = limits
        self._held: list[Frame] | None = None
        self._buffer: deque[Frame] = deque()
        self._buffered_bytes = 0
        self._late_events = 0
        self._late_bytes = 0
        self._replay: int | None = None
        """The number at which a replay ends."""

    # -- events -----------------------------------------------------------------------------------------------

    def push(self, frame: Frame) -> None:
        """The next event: numbered, remembered, and written if the client reads."""
        if self._held is not None:
            self._held.append(frame)
            return
        if self.sieve is not None and not self.sieve.passes(frame):
            return
        self.number += 1
        self._buffer.append(frame)
        self._buffered_bytes += frame.size
        limits, connection = self._limits, self.connection
        if self._buffered_bytes > limits.buffer_bytes or len(self._buffer) > limits.buffer_events:
            self._make_room()
        if connection is None or connection.closing:
            return
        if connection.blocked:
            self._wait(connection, frame)
            return
        self.sent = self.number
        connection.write(frame.text(self.number))

    def _wait(self, connection: Connection, frame: Frame) -> None:
        """The peer does not read. When too much has come meanwhile it is cut off; it may come back and resume."""
        self._late_events += 1
        self._late_bytes += frame.size
        limits = self._limits
        forgotten = self.sent + 1 < self.first
        if forgotten or self._late_events > limits.queue_events or self._late_bytes > limits.queue_bytes:
            self.told_to_return = True
            connection.close(UNKNOWN_ERROR, "too slow")

    def pump(self) -> None:
        """The peer reads again: write what waited, as far as it goes."""
        connection = self.connection
        if connection is None:
            return
        waiting = list(islice(self._buffer, len(self._buffer) - (self.number - self.sent), None))
        for frame in waiting:
            self._end_replay(connection)
            if connection.blocked or connection.closing:
                return
            self.sent += 1
            connection.write(frame.text(self.sent))
        self._end_replay(connection)
        if not connection.blocked:
            self._late_events = self._late_bytes = 0

    def _end_replay(self, connection: Connection) -> None:
        """Everything missed was written again: say so, before anything newer."""
        if self._replay is not None and self.sent >= self._replay and not connection.blocked:
            self._replay = None
            connection.write(resumed(self.sent))

    def hold(self) -> bool:
        """Keep events back while something is prepared that must come first. False when they are held already."""
        if self._held is not None:
            return False
        self._held = []
        return True

    def welcome(self, ready: Frame) -> None:
        """Send READY, the event number one. It is not remembered: who did not get it cannot name the session."""
        self.number = self.sent = 1
        if self.connection is not None:
            self.connection.write_control(ready.text(1))

    def release(self, *first: Frame) -> None:
        """Send `first`, then what was held back."""
        held, self._held = self._held or [], None
        for frame in (*first, *held):
            self.push(frame)

    # -- memory -----------------------------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """The oldest number still remembered."""
        return self.number - len(self._buffer) + 1

    def acknowledge(self, number: int) -> None:
        while self._buffer and self.first <= number:
            self._forget_oldest()

    def _make_room(self) -> None:
        """The newest always stays."""
        limits, buffer = self._limits, self._buffer
        while len(buffer) > 1 and (
            self._buffered_bytes > limits.buffer_bytes or len(buffer) > limits.buffer_events
        ):
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        self._buffered_bytes -= self._buffer.popleft().size

    def can_resume_after(self, number: int) -> bool:
        return self.alive and number >= self.first - 1

    # -- connections ------------------------------------------------------------------------------------------

    def attach(self, connection: Connection, after: int | None = None) -> None:
        """`connection` is the client's now; with `after`, everything later than that number is written again, then
        RESUMED."""
        self.connection = connection
        self.told_to_return = False
        self._late_events = self._late_bytes = 0
        connection.on_writable = self.pump
        if after is not None:
            self.acknowledge(after)
            self.sent = after
            self._replay = self.number
            self.pump()

    def detach(self, now: float) -> None:
        self.connection = None
        self.detached_at = now
