"""HTTP/1.1 below ASGI: uvicorn's protocol with limits on how much and how slowly a client may send its head.

Whatever never becomes a request (not HTTP, endless headers, a head that dribbles in) is answered in the envelope
of the plane its target names, and the connection is closed.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flux.kernel.wire.troubles import Kind, WireTrouble


class HeadLimits:
    """Bytes and seconds a request head may take."""

    header_bytes: int = 32_768
    url_bytes: int = 8_192
    seconds: float = 10.0


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    limits = HeadLimits
    _head_bytes = 0
    _in_head = True
    _spoken = False
    _head_timer: asyncio.TimerHandle | None = None
    _closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.url = b""
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        self._spoken = True
        # An upper bound: the piece in which a head begins may also end the body before it.
        self._head_bytes = self._head_bytes + len(data) if self._in_head else len(data)
        super().data_received(data)
        if self._in_head and not self._closed:
            if self._head_bytes > self.limits.header_bytes + self.limits.url_bytes:
                self._refuse(
                    self._excess() or WireTrouble(Kind.HEADERS_TOO_LARGE, limit=self.limits.header_bytes)
                )
            elif self._head_timer is None:
                self._arm()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._disarm()
        # A small head is within every limit; only a large one is measured.
        if self._head_bytes > self.limits.url_bytes and (trouble := self._excess()) is not None:
            # The head is whole: answer as a request, in order, and keep nothing of what was too much.
            self.scope["flux.refused"] = trouble  # type: ignore[typeddict-unknown-key]
            self.url = self.url[: self.limits.url_bytes] or b"/"
            del self.headers[100:]
        try:
            super().on_headers_complete()
        except (UnicodeDecodeError, ValueError):
            self._refuse(WireTrouble(Kind.BAD_REQUEST))

    def _excess(self) -> WireTrouble | None:
        if len(self.url) > self.limits.url_bytes:
            return WireTrouble(Kind.URL_TOO_LONG, limit=self.limits.url_bytes)
        if sum(len(name) + len(value) + 4 for name, value in self.headers or ()) > self.limits.header_bytes:
            return WireTrouble(Kind.HEADERS_TOO_LARGE, limit=self.limits.header_bytes)
        return None

    def send_400_response(self, msg: str) -> None:
        self._refuse(WireTrouble(Kind.BAD_REQUEST))

    def _refuse(self, trouble: WireTrouble) -> None:
        if self._closed:
            return
        self._closed = True
        self._disarm()
        client = self.client[0] if self.client else ""
        application: Any = self.app
        self.transport.write(application.refuse_raw(self.url or b"/", client, trouble))
        self.transport.close()

    def _arm(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._closed or not self._in_head:
            return
        if not self._spoken:
            # Nothing was said at all: there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(WireTrouble(Kind.BODY_TOO_SLOW, limit=self.limits.seconds))
