"""HTTP/1.1 below ASGI: uvicorn's protocol with limits on how much and how slowly a client may send its head.

Whatever never becomes a request (not HTTP, endless headers, a head that dribbles in) is answered in the envelope
of the plane its target names, after the answers that come before it, and the connection is closed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flux.kernel.wire.exchange import Exchange
from flux.kernel.wire.troubles import Kind, WireTrouble
from flux.kernel.wire.turns import Turns

LEFTOVER_SECONDS = 5.0
"""How long the rest of a body may still come after its answer, and anything at all after a refusal. Closing with bytes
unread would reset the connection, and the answer with it."""
MOST_PIPELINED = 128
SOCKET_LINE_BYTES = 8_100
SOCKET_HEADERS = 128
"""What the WebSocket library takes of a head."""


class HeadLimits:
    """Bytes and seconds a request head may take."""

    header_bytes: int = 32_768
    url_bytes: int = 8_192
    seconds: float = 10.0


class TooManyPipelined(Exception):
    """Raised to the parser, which stops there."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    `_head_bytes` never counts more than the unfinished head has, `_most_bytes` never less: pieces know nothing of
    requests, and one piece may hold the end of a body, whole requests and the beginning of the next.
    """

    limits = HeadLimits
    cycle: Exchange
    _head_bytes = 0
    _most_bytes = 0
    _in_head = True
    _beside = 0
    """Bytes since the last of a body that were none of it: chunk extensions and trailers have no bound of their own."""
    _moved = False
    _spoken = False
    _idle_since = 0.0
    _head_timer: asyncio.TimerHandle | None = None
    _leftover_timer: asyncio.TimerHandle | None = None
    _earlier: list[Any] | None = None
    """Requests before the latest one, where the client did not wait for answers."""
    _closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.url = b""
        self.headers = []
        self._scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": self.asgi_version, "spec_version": "2.3"}, "http_version": "1.1",
            "server": self.server, "client": self.client, "scheme": self.scheme, "root_path": self.root_path,
            "state": self.app_state,
        }  # fmt: skip
        """What every request of this connection has in common."""
        self._turns = Turns(self.app, self.loop, self.tasks)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._disarm()
        self._unset_keepalive_if_required()
        if self._leftover_timer is not None:
            self._leftover_timer.cancel()
        for cycle in self._earlier or ():
            _abandon(cycle)
        self._turns.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        self._spoken = True
        size = len(data)
        if self._in_head:
            self._head_bytes += size
            self._most_bytes += size
        else:
            cycle = self.cycle
            self._head_bytes = 0 if cycle is not None and cycle.more_body else size
            self._most_bytes = size
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(WireTrouble(Kind.BAD_REQUEST))
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        if self._closed:
            return
        if self._in_head:
            self._head_grew()
        elif self._moved or not self.cycle.more_body:
            self._moved = False
            self._beside = 0
        else:
            self._beside += size
            if self._beside > self.limits.header_bytes:
                self._refuse(WireTrouble(Kind.BAD_REQUEST))

    def _head_grew(self) -> None:
        if self._head_bytes > self.limits.header_bytes + self.limits.url_bytes:
            self._refuse(
                self._excess() or WireTrouble(Kind.HEADERS_TOO_LARGE, limit=self.limits.header_bytes)
            )
        elif self._head_timer is None:
            self._arm()

    def on_message_begin(self) -> None:
        self._in_head = True
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        scope = self._scope.copy()
        scope["headers"] = self.headers
        self.scope = scope  # type: ignore[assignment]

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            # A trailer: nobody who looked at the head has seen it, so it must not become one of its headers.
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if self._head_timer is not None:
            self._disarm()
        # A small head is within every limit; only a large one is measured.
        if self._most_bytes > self.limits.url_bytes and (trouble := self._excess()) is not None:
            # The head is whole: answer as a request, in order, and keep nothing of what was too much.
            self.scope["flux.refused"] = trouble  # type: ignore[typeddict-unknown-key]
            self.url = self.url[: self.limits.url_bytes] or b"/"
            del self.headers[100:]
        before = self.cycle
        waits = before is not None and not before.response_complete
        if waits:
            self._queue(before)
        self._begin(waits=waits)

    def _begin(self, *, waits: bool) -> None:
        """The head is whole: a request begins, or a WebSocket."""
        scope: Any = self.scope
        parser = self.parser
        scope["method"] = parser.get_method().decode("ascii")
        if (version := parser.get_http_version()) != "1.1":
            scope["http_version"] = version
        if parser.should_upgrade() and self._should_upgrade():
            return
        scope["raw_path"], scope["query_string"] = _target(self.url)
        path = scope["raw_path"].decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        cycle = self.cycle = Exchange(self, scope, keep_alive=version != "1.0" and parser.should_keep_alive())
        if waits:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._turns.take(cycle)

    def _queue(self, before: Any) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise TooManyPipelined
        if not self.pipeline:
            self._earlier = []
        assert self._earlier is not None
        self._earlier.append(before)

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        self._moved = True
        if (self.parser.should_upgrade() and self._should_upgrade()) or cycle.response_complete:
            return
        cycle.body = cycle.body + body if cycle.body else body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._leftover_timer is not None:
            self._leftover_timer.cancel()
            self._leftover_timer = None
            self.cycle.more_body = False

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, _ = self.pipeline.pop()
            self._turns.take(cycle)  # type: ignore[arg-type]
        else:
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._watch_idleness(self.timeout_keep_alive)
        cycle = self.cycle
        if cycle.more_body and cycle.response_complete:
            self._leave_after(LEFTOVER_SECONDS)

    def _watch_idleness(self, seconds: float) -> None:
        """One timer a connection, which looks again later: one for each request would cost more than the request."""
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        if self._closed or self.transport.is_closing():
            return
        rest = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._busy() or self._in_head:
            self._watch_idleness(self.timeout_keep_alive)
        elif rest > 0:
            self._watch_idleness(rest)
        else:
            self.transport.close()

    # -- WebSocket --------------------------------------------------------------------------------------------

    def _should_upgrade(self) -> bool:
        """Only a handshake that will succeed; any other is an ordinary request, refused in its plane's words."""
        return super()._should_upgrade() and not self._busy() and _is_handshake(self.scope, self.headers)

    def handle_websocket_upgrade(self) -> None:
        trouble: WireTrouble | None = self.scope.get("flux.refused")  # type: ignore[assignment]
        if len(self.url) > SOCKET_LINE_BYTES:
            trouble = WireTrouble(Kind.URL_TOO_LONG, limit=SOCKET_LINE_BYTES)
        elif len(self.headers) > SOCKET_HEADERS or any(
            len(name) + len(value) > SOCKET_LINE_BYTES for name, value in self.headers
        ):
            trouble = trouble or WireTrouble(Kind.HEADERS_TOO_LARGE, limit=SOCKET_LINE_BYTES)
        if trouble is not None:
            self._refuse(trouble)
            return
        self._closed = True  # for this protocol: the connection goes on as a WebSocket
        self._turns.leave()
        super().handle_websocket_upgrade()

    # -- refusing ---------------------------------------------------------------------------------------------

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _excess(self) -> WireTrouble | None:
        if len(self.url) > self.limits.url_bytes:
            return WireTrouble(Kind.URL_TOO_LONG, limit=self.limits.url_bytes)
        if sum(len(name) + len(value) + 4 for name, value in self.headers or ()) > self.limits.header_bytes:
            return WireTrouble(Kind.HEADERS_TOO_LARGE, limit=self.limits.header_bytes)
        return None

    def _refuse(self, trouble: WireTrouble) -> None:
        """Nothing more is read as HTTP. One answer a request: what runs already is answered by its handler."""
        if self._closed:
            return
        self._closed = True
        self._disarm()
        if self._busy() and self._left_to_the_handler():
            return
        application: Any = self.app
        self.transport.write(application.refuse_raw(self._refused_scope(), trouble))
        self.flow.resume_reading()
        with contextlib.suppress(OSError, RuntimeError):
            self.transport.write_eof()
        self._leave_after(LEFTOVER_SECONDS)

    def _left_to_the_handler(self) -> bool:
        """Whether the connection ends with an answer that is on its way."""
        if not self.cycle.more_body:
            self.cycle.keep_alive = False
            return True
        # The body of the latest request is broken: it will never be whole.
        if self.pipeline and self._earlier:
            self.pipeline.popleft()
            self.cycle = self._earlier[-1]
            self.cycle.keep_alive = False
            return True
        _abandon(self.cycle)
        if self.cycle.response_started:
            self.transport.close()
            return True
        return False

    def _refused_scope(self) -> dict[str, Any]:
        path = b"/"
        with contextlib.suppress(httptools.HttpParserError):
            path = httptools.parse_url(self.url[: self.limits.url_bytes]).path or path
        return {
            "type": "http", "method": "GET", "raw_path": path if path.startswith(b"/") else b"/", "query_string": b"",
            "headers": list((self.headers or [])[:100]), "client": self.client, "server": self.server,
        }  # fmt: skip

    # -- time -------------------------------------------------------------------------------------------------

    def _leave_after(self, seconds: float) -> None:
        if self._leftover_timer is None:
            self._leftover_timer = self.loop.call_later(seconds, self.transport.close)

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
        if self._busy():
            # We may not even be reading: its time begins when the answers before it are out.
            self._arm()
        elif not self._spoken:
            # Nothing was said at all: there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(WireTrouble(Kind.BODY_TOO_SLOW, limit=self.limits.seconds))


def _target(url: bytes) -> tuple[bytes, bytes]:
    """Path and query string, as sent."""
    if url[:1] == b"/" and url[:2] != b"//" and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    return parsed.path, parsed.query or b""


def _abandon(cycle: Any) -> None:
    """As if its client had gone: whoever reads hears of it, whatever is sent goes nowhere."""
    if not cycle.response_complete:
        cycle.disconnected = True
        cycle.message_event.set()


def _is_handshake(scope: Any, headers: list[tuple[bytes, bytes]]) -> bool:
    if scope["method"] != "GET" or scope["http_version"] != "1.1":
        return False
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    if len(keys) != 1 or versions != [b"13"]:
        return False
    try:
        return len(base64.b64decode(keys[0].strip(), validate=True)) == 16
    except binascii.Error:
        return False
