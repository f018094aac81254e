"""One request and its answer on one connection: uvicorn's cycle, with short ways for what nearly every request does.

A body that came whole is taken without waiting, and an answer that is whole leaves in one write. Everything else
(streams, slow bodies, a bare ASGI caller) goes through `receive` and `send` as ASGI has them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from flux.kernel.wire.protocol import LimitedProtocol

log = logging.getLogger("flux.wire")
LARGE = 65_536
"""Bodies beyond this are not copied behind their head."""
_CLOSE = b"connection: close\r\n"


class Arrival:
    """An `asyncio.Event` that is made only where somebody waits: most requests are whole before their handler runs."""

    _here = False
    _event: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._here

    def set(self) -> None:
        self._here = True
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        self._here = False
        if self._event is not None:
            self._event.clear()

    async def wait(self) -> None:
        if not self._here:
            if self._event is None:
                self._event = asyncio.Event()
            await self._event.wait()


class Exchange(RequestResponseCycle):
    """`more_body` while the request is still coming, `response_started`, `response_complete`; `disconnected` when the
    client has gone; `keep_alive` whether the connection outlives the answer."""

    # What is so for nearly every exchange stands on the class: a request then writes only what differs.
    access_log = False
    disconnected = False
    more_body = True
    response_started = False
    response_complete = False
    chunked_encoding: bool | None = None
    expected_content_length = 0
    body: bytes = b""  # type: ignore[assignment]

    def __init__(self, protocol: LimitedProtocol, scope: Any, *, keep_alive: bool) -> None:
        self.scope = scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.default_headers = protocol.server_state.default_headers
        self.message_event = Arrival()  # type: ignore[assignment]
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = protocol.expect_100_continue
        self.on_response = protocol.on_response_complete

    def ended(self, failure: BaseException | None) -> None:
        """The application has returned, or failed. What it left unanswered is answered here, or broken off."""
        self.on_response = _nothing
        if failure is not None:
            log.error("the application failed", exc_info=failure)
        if self.response_complete or self.disconnected:
            return
        if not self.response_started and not self.transport.is_closing():
            self.keep_alive = False
            self.answer(500, b"content-type: text/plain\r\ncontent-length: 21\r\n", b"Internal Server Error")
        self.transport.close()

    def take_body(self) -> bytes | None:
        """The body, when all of it has come and none was taken yet; None when it has to be waited for."""
        if self.more_body or self.disconnected or not self.message_event.is_set():
            return None
        self.message_event.clear()
        body, self.body = self.body, b""
        return body

    async def receive(self) -> Any:
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        if not self.disconnected and not self.response_complete:
            self.flow.resume_reading()
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = self.body, b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        """A whole answer. `head`: complete header lines, `content-length` among them where the answer has one. The
        caller has waited for the connection to take more (`flow.drain`)."""
        if self.disconnected:
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        if not self.keep_alive:
            head += _CLOSE
        if self.scope["method"] == "HEAD":
            body = b""
        whole = b"%b%b%b\r\n" % (STATUS_LINE[status], _defaults(self.default_headers), head)
        if len(body) < LARGE:
            self.transport.write(whole + body)
        else:
            self.transport.write(whole)
            self.transport.write(body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _nothing() -> None:
    return None


class _Lines:
    """The server's own headers as bytes. uvicorn makes a new list each second, for the date in it."""

    seen: list[tuple[bytes, bytes]] = []
    lines = b""


def _defaults(headers: list[tuple[bytes, bytes]]) -> bytes:
    if headers is not _Lines.seen:
        _Lines.lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
        _Lines.seen = headers
    return _Lines.lines
