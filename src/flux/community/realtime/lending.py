"""A connection of this process whose session another one has: payloads go on to the client, and to that process what the
client says."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from flux.community.realtime.connection import Connection
from flux.community.realtime.letters import LOST, Answer, Gone, Heard, Note, Said, Taken
from flux.community.realtime.protocol import UNKNOWN_ERROR, Refused

TELL_PARTS = 4
"""The owner hears of what the client took whenever it comes to this part of what may be under way."""


class Lent:
    """`over` is called once it has ended."""

    __slots__ = (
        "_answer", "_connection", "_is_over", "_over", "_pieces", "_send", "_taken", "_tell_at", "_waiting", "link",
    )  # fmt: skip

    def __init__(
        self,
        link: int,
        connection: Connection,
        window: int,
        send: Callable[[Note, int], None],
        over: Callable[[int], object],
    ) -> None:
        self.link = link
        self._connection = connection
        self._tell_at = window // TELL_PARTS
        self._send = send
        self._over = over
        self._is_over = False
        self._answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._pieces: list[str] = []
        self._waiting: deque[str] = deque()
        """Bounded by what the owner may have under way."""
        self._taken = 0

    async def answer(self) -> bool:
        """Whether the session is the client's again. Raises `Refused`."""
        answer = await self._answer
        if answer is None:
            return False
        if answer.code:
            raise Refused(answer.code, answer.reason)
        return answer.resumed

    def is_answered(self) -> bool:
        return self._answer.done()

    # -- from the owner ---------------------------------------------------------------------------------------

    def answered(self, answer: Answer) -> None:
        if self._answer.done():
            return
        self._answer.set_result(answer)
        if answer.resumed:
            # Whether the client still lives is the owner's to watch: it hears the heartbeats.
            self._connection.heard_at = math.inf
            self._connection.on_writable = self._go_on
        else:
            self._end()

    def said(self, note: Said) -> None:
        if not self.is_answered():
            self.lost("letters were lost")
            return
        text = note.text
        if note.more:
            self._pieces.append(text)
            return
        if self._pieces:
            text = "".join((*self._pieces, text))
            self._pieces.clear()
        if self._connection.blocked:
            self._waiting.append(text)
        else:
            self._write(text)

    def _write(self, text: str) -> None:
        self._connection.write(text)
        self._taken += len(text)
        if self._taken >= self._tell_at:
            self._send(Taken(self.link, self._taken), 0)
            self._taken = 0

    def _go_on(self) -> None:
        while self._waiting and not self._connection.blocked:
            self._write(self._waiting.popleft())

    def closed(self, code: int, reason: str) -> None:
        self._connection.close(code, reason)
        self._end()

    def lost(self, reason: str) -> None:
        """The owner is gone, or what it said: the client comes back and finds out."""
        self.end(LOST)
        self._connection.close(UNKNOWN_ERROR, reason)

    # -- to the owner -----------------------------------------------------------------------------------------

    def hear(self, message: bytes | str) -> None:
        if not self._is_over:
            payload = message if isinstance(message, bytes) else message.encode("utf-8", "surrogatepass")
            self._send(Heard(self.link, payload), len(payload))

    def end(self, code: int) -> None:
        """The connection is over here."""
        if not self._is_over:
            self._send(Gone(self.link, code), 0)
            self._end()

    def _end(self) -> None:
        self._is_over = True
        if not self._answer.done():
            self._answer.set_result(None)
        self._waiting.clear()
        self._over(self.link)
