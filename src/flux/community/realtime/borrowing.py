"""The socket of a client whose session is here and whose connection another process has: what is written goes there in
letters, and what the client says comes in them.

To a `Connection` it is a socket like any other: it blocks while the other process has not told that the client took what
was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flux.community.realtime.letters import LOST, PIECE, Answer, Closed, Note, Said
from flux.kernel.wire import SocketClosed
from flux.kernel.wire.socketprotocol import Inbox


class BorrowedSocket:
    """`link` is the lender's number for it. `window` characters may be on their way. `over` is called once it has ended."""

    __slots__ = ("_inbox", "_link", "_over", "_send", "_taken", "_under_way", "_window", "closed")

    def __init__(
        self, link: int, window: int, send: Callable[[Note, int], None], over: Callable[[int], object]
    ) -> None:
        self._link = link
        self._window = window
        self._send = send
        self._over = over
        self._inbox = Inbox()
        """Payloads, then the code of the end."""
        self._under_way = 0
        self._taken: asyncio.Future[None] | None = None
        self.closed = False

    # -- what came of the request -----------------------------------------------------------------------------

    def accept(self) -> None:
        self._send(Answer(self._link, resumed=True), 0)

    def refuse(self, code: int = 0, reason: str = "") -> None:
        """0: the session cannot be resumed."""
        if not self.closed:
            self._send(Answer(self._link, resumed=False, code=code, reason=reason), 0)
            self.ended(LOST)

    # -- a socket ---------------------------------------------------------------------------------------------

    async def receive(self) -> bytes:
        """Raises `SocketClosed`."""
        item: bytes | int = await self._inbox.get()
        if isinstance(item, int):
            raise SocketClosed(item)
        return item

    def send_now(self, message: str | bytes) -> bool:
        if self.closed or self._under_way >= self._window or isinstance(message, bytes):
            return False
        self._say(message)
        return True

    async def send_text(self, text: str) -> None:
        """Raises OSError when the connection is gone."""
        while not self.closed and self._under_way >= self._window:
            self._taken = asyncio.get_running_loop().create_future()
            await self._taken
        if self.closed:
            raise ConnectionResetError
        self._say(text)

    async def send_bytes(self, data: bytes) -> None:
        """Nobody's to call: what is said here is text, and compression is the lender's."""
        raise TypeError("a borrowed socket takes text")

    async def close(self, code: int, reason: str = "") -> None:
        if not self.closed:
            self._send(Closed(self._link, code, reason), 0)
            self.ended(LOST)

    def _say(self, text: str) -> None:
        size = len(text)
        self._under_way += size
        if size <= PIECE:
            self._send(Said(self._link, text), size)
            return
        for start in range(0, size, PIECE):
            piece = text[start : start + PIECE]
            self._send(Said(self._link, piece, more=start + PIECE < size), len(piece))

    # -- from the lender --------------------------------------------------------------------------------------

    def heard(self, payload: bytes) -> None:
        self._inbox.put_nowait(payload)

    def taken(self, size: int) -> None:
        self._under_way -= size
        if self._under_way < self._window:
            self._wake()

    def ended(self, code: int) -> None:
        """Nothing comes any more, and nothing can be written."""
        if self.closed:
            return
        self.closed = True
        self._inbox.put_nowait(code)
        self._wake()
        self._over(self._link)

    def _wake(self) -> None:
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)
