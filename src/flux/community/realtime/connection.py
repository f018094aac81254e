"""A socket that is written to straight from the event that made the payload.

An idle connection has no writing task. `write` runs the socket's send coroutine by hand: as long as the peer reads,
it finishes at once. When it would wait, the connection is blocked; it goes on by itself when the peer reads again and
tells its owner, who kept what could not be written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from flux.community.realtime.compression import Encoder

CLOSE_SECONDS = 5.0
MOST_CONTROL = 64


class Line(Protocol):
    """What of a socket a connection needs: one of this process (kernel/wire/sockets.py), or of another (borrowing.py)."""

    async def receive(self) -> bytes | str: ...

    def send_now(self, message: str | bytes) -> bool: ...

    def send_text(self, text: str) -> Coroutine[Any, Any, None]: ...

    def send_bytes(self, data: bytes) -> Coroutine[Any, Any, None]: ...

    async def close(self, code: int, reason: str = "") -> None: ...


class Connection:
    __slots__ = (
        "_closer", "_control", "_encode", "_sending", "_socket", "_task", "blocked", "closing", "heard_at",
        "on_writable", "prodded",
    )  # fmt: skip

    def __init__(self, socket: Line, encode: Encoder | None, now: float) -> None:
        self._socket = socket
        self._encode = encode
        self._task = asyncio.current_task()
        self._sending: Coroutine[Any, Any, None] | None = None
        self._closer: asyncio.Task[None] | None = None
        self._control: deque[str] | None = None
        self.blocked = False
        self.closing = False
        self.heard_at = now
        """When the last heartbeat came."""
        self.prodded = False
        self.on_writable: Callable[[], None] | None = None

    def write(self, text: str) -> None:
        """Only while not `blocked`. What a lost peer never gets is the session's to keep."""
        if self.closing:
            return
        message = text if self._encode is None else self._encode(text)
        if self._socket.send_now(message):
            return
        if isinstance(message, str):
            sending = self._socket.send_text(message)
        else:
            sending = self._socket.send_bytes(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except (OSError, RuntimeError):
            self.closing = True
            return
        self.blocked = True
        self._sending = sending
        waits_for.add_done_callback(self._go_on)

    def write_control(self, text: str) -> None:
        """A payload outside the numbered events: now, or as soon as the peer reads again."""
        if not self.blocked:
            self.write(text)
            return
        self._control = self._control or deque(maxlen=MOST_CONTROL)
        self._control.append(text)

    def _go_on(self, ready: asyncio.Future[Any]) -> None:
        sending, self._sending = self._sending, None
        if sending is None:
            return
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self.blocked = False
        except (OSError, RuntimeError, asyncio.CancelledError):
            self.closing = True
            return
        else:
            self._sending = sending
            waits_for.add_done_callback(self._go_on)
            return
        while self._control and not self.blocked:
            self.write(self._control.popleft())
        if not self.blocked and self.on_writable is not None:
            self.on_writable()

    def close(self, code: int, reason: str = "") -> asyncio.Task[None]:
        """Say goodbye with `code`; a peer that does not read is cut off after a while. Nothing more is written."""
        self.closing = True
        if self._closer is None:
            self._closer = asyncio.get_running_loop().create_task(self._close(code, reason))
        return self._closer

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code, reason)
        except TimeoutError:
            if self._task is not None:
                self._task.cancel()

    @property
    def dismissed(self) -> bool:
        """Whether it was us who said goodbye. `closing` it is also when the peer left while something was written."""
        return self._closer is not None

    async def closed(self) -> None:
        """Wait until the goodbye, if there is one, has been said."""
        if self._closer is not None:
            await asyncio.wait({self._closer})

    def release(self) -> None:
        """The handler is gone: nothing runs on."""
        self.closing = True
        self.on_writable = None
        if self._sending is not None:
            self._sending.close()
            self._sending = None
