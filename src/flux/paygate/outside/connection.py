"""One HTTP/1.1 connection to a target, parsed by httptools (llhttp): strict about what it reads, bounded in what it keeps.

A connection serves one request at a time. It never sends a request twice: whether a target that hung up has worked on a
request is nothing the gateway can know, and every request is paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools

from flux.kernel.faults import Mode, PortFailure

MAX_HEADER_BYTES = 65_536
BUFFERED_BYTES = 262_144
"""Beyond this the target is not read any further until the consumer has taken something."""
COPIED_BYTES = 65_536
"""A body beyond this is not copied behind its head."""
CONTINUE, SWITCHING = 100, 101
_BODILESS = (204, 304)


class Response:
    """An answer whose head is there; its body comes in pieces. `status` and `headers` (in order,
    repeats kept, names in lower case) as sent. Trailers are passed over."""

    __slots__ = (
        "_failure", "_on_end", "_parser", "_paused", "_pieces", "_size", "_waiter", "connection", "content_length",
        "dirty", "ended", "head_seen", "headers", "keep_alive", "moved", "status", "to_the_end", "without_body",
    )  # fmt: skip

    def __init__(self, connection: Connection, *, without_body: bool) -> None:
        self.connection = connection
        self.without_body = without_body
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.content_length: int | None = None
        self.to_the_end = False
        """The body ends where the connection does."""
        self.head_seen = False
        self.ended = False
        self.keep_alive = False
        self.dirty = False
        """More came than one answer."""
        self.moved = False
        """Some of the body came since this was last set to False."""
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._size = 0
        self._paused = False
        self._failure: PortFailure | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._on_end: Callable[[], None] | None = None

    def header(self, name: bytes) -> str:
        """The first of that lower-case name; empty when absent."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    async def piece(self, idle: float, until: float) -> bytes:
        """The next bytes, nothing at the end. `until` in the loop's time. Raises `PortFailure`."""
        if not self._pieces and not self.ended and self._failure is None:
            remaining = until - asyncio.get_running_loop().time()
            await self._wait(max(0.0, min(idle, remaining)), "total")
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            if self._paused:
                self._paused = False
                self.connection.resume()
            return data
        if self._failure is not None:
            raise self._failure
        return b""

    async def head(self, seconds: float) -> None:
        """Once the head is there. Raises `PortFailure`."""
        if not self.head_seen and self._failure is None:
            await self._wait(seconds, "first_byte")
        if self._failure is not None and not self.head_seen:
            raise self._failure

    def release(self) -> None:
        """Nobody reads any further: the connection serves again, or ends."""
        self.connection.finished(reusable=self.ended and self.keep_alive and not self.dirty)

    def fail(self, mode: Mode, reason: str) -> None:
        if not self.ended and self._failure is None:
            self._failure = PortFailure("upstream", mode, reason)
            self._wake()

    async def _wait(self, seconds: float, reason: str) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(seconds, self.fail, Mode.TIMEOUT, reason)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- what the connection hears ----------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.dirty = True
            self.fail(Mode.GARBAGE, "protocol")
        except httptools.HttpParserError:
            self.dirty = True
            self.fail(Mode.GARBAGE, "protocol")

    def lost(self, error: Exception | None) -> None:
        """The connection ended while this was under way."""
        if self.head_seen and self.to_the_end and error is None:
            self.ended = True
            self._wake()
        elif self.head_seen:
            self.fail(Mode.GARBAGE, "truncated")
        else:
            self.fail(Mode.ERROR, "reset")

    # -- what the parser tells --------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.ended:
            self.dirty = True

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind the body could say of the answer what its head was judged by.
        if not self.head_seen:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.ended:
            return
        status = self._parser.get_status_code()
        if CONTINUE <= status < 200 and status != SWITCHING:
            # An interim answer: the real one follows.
            self.headers.clear()
            return
        self.status = status
        self.head_seen = True
        chunked = False
        for name, value in self.headers:
            if name == b"content-length":
                self.content_length = int(value) if value.isdigit() else None
            elif name == b"transfer-encoding":
                chunked = b"chunked" in value.lower()
        bodiless = self.without_body or status in _BODILESS
        self.to_the_end = not bodiless and not chunked and self.content_length is None
        if chunked:
            self.content_length = None
        if self.without_body:
            # The parser cannot be told that a body is not coming, so the connection is not used again.
            self.ended = True
        self._wake()

    def on_body(self, data: bytes) -> None:
        if self.ended:
            self.dirty = True
            return
        self._pieces.append(data)
        self.moved = True
        self._size += len(data)
        if self._size > BUFFERED_BYTES and not self._paused:
            self._paused = True
            self.connection.pause()
        self._wake()

    def on_message_complete(self) -> None:
        if not self.head_seen or self.ended:
            return
        self.keep_alive = self._parser.should_keep_alive()
        self.ended = True
        self._wake()


class Connection(asyncio.Protocol):
    """`origin` is what the pool knows it by. `alive` until either side has ended it."""

    def __init__(self, origin: Any, on_free: Callable[[Connection], None]) -> None:
        self.origin = origin
        self.alive = False
        self.idle_since = 0.0
        self.peer = ""
        self._on_free = on_free
        self._transport: asyncio.Transport | None = None
        self._response: Response | None = None
        self._bytes_beside = 0
        """Of the head, or since the last piece of the body: chunk extensions and trailers have no bound of their own."""

    def request(self, head: bytes, body: bytes | None, *, without_body: bool) -> Response:
        """Send. `head` is the request's whole head, its empty line included."""
        assert self._transport is not None
        response = self._response = Response(self, without_body=without_body)
        self._bytes_beside = 0
        if body and len(body) > COPIED_BYTES:
            self._transport.write(head)
            self._transport.write(body)
        else:
            self._transport.write(head + body if body else head)
        return response

    def finished(self, *, reusable: bool) -> None:
        self._response = None
        if reusable and self.alive:
            self._on_free(self)
        else:
            self.close()

    def close(self) -> None:
        self.alive = False
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        if self._transport is not None and self.alive:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self.alive:
            self._transport.resume_reading()

    # -- asyncio ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.alive = True
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None or response.ended:
            # Nobody asked.
            if response is not None:
                response.dirty = True
            self.close()
            return
        response.feed(data)
        if response.moved or response.ended:
            response.moved = False
            self._bytes_beside = 0
            return
        self._bytes_beside += len(data)
        if self._bytes_beside > MAX_HEADER_BYTES:
            response.fail(Mode.GARBAGE, "protocol")

    def connection_lost(self, error: Exception | None) -> None:
        self.alive = False
        if self._response is not None:
            self._response.lost(error)
