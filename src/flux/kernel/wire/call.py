"""One request as a handler sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from flux.kernel.wire.bodies import stream_body, within
from flux.kernel.wire.exchange import Exchange
from flux.kernel.wire.troubles import Kind, WireTrouble

if TYPE_CHECKING:
    from flux.kernel.wire.places import Place
    from flux.kernel.wire.routes import Route

T = TypeVar("T")
_MOST_FIELDS = 500
_CODED = re.compile(rb"[%+\x80-\xff]")
"""Bytes of a query string that stand for others."""
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Call:
    """A request on its way to a handler.

    `exchange` is the server's own state of it; None under a bare ASGI caller. `path` is relative to the plane's mount, percent-encoded as sent, without a trailing slash (`slashed` tells
    whether there was one). `principal` is what the plane's gate found out about the caller. `reply_headers` go on
    whatever answer leaves, success or fault. `path_params` are its texts, `values` what the route makes of them. `state` is the plane's own scratch place for this request.
    """

    __slots__ = (
        "_body", "_query", "_receive", "_started", "client_ip", "exchange", "first_headers", "method", "path", "path_params", "plane",
        "principal", "reply_headers", "request_id", "route", "scope", "slashed", "state", "values",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        place: Place,
        request_id: str,
        headers: dict[bytes, bytes],
        client_ip: str,
    ) -> None:
        self.scope = scope
        self.first_headers = headers
        self.plane = place.plane
        self.method: str = scope["method"]
        self.path = place.path
        self.slashed = place.slashed
        self.request_id = request_id
        self.client_ip = client_ip
        self.route: Route | None = None
        self.path_params: Mapping[str, str] = {}
        self.values: Mapping[str, Any] = {}
        self.principal: Any = None
        self.reply_headers: dict[str, str] = {}
        self.state: dict[str, Any] = {}
        self._receive = receive
        owner = getattr(receive, "__self__", None)
        self.exchange: Exchange | None = owner if type(owner) is Exchange else None
        self._started = False
        self._query: list[tuple[str, str]] | None = None
        self._body: bytes | None = None

    @property
    def started(self) -> bool:
        """Whether the status line is out."""
        return self._started if self.exchange is None else self.exchange.response_started

    @started.setter
    def started(self, out: bool) -> None:
        self._started = out

    def use(self, kind: type[T]) -> T:
        """The plane's one instance of a service."""
        service: T = self.plane.services[kind]
        return service

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name, trimmed; None when absent."""
        value = self.first_headers.get(name.encode("latin-1"))
        return None if value is None else value.decode("latin-1").strip(" \t")

    def header_values(self, name: str) -> list[str]:
        """Every header of that (lower-case) name, in order, trimmed."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1").strip(" \t") for key, value in self.scope["headers"] if key == wanted]

    def cookie(self, name: str) -> str | None:
        for line in self.header_values("cookie"):
            for pair in line.split(";"):
                key, _, value = pair.strip().partition("=")
                if key == name:
                    return value
        return None

    @property
    def query_string(self) -> str:
        """As sent, percent-encoded."""
        text: str = self.scope["query_string"].decode("latin-1")
        return text

    @property
    def query(self) -> list[tuple[str, str]]:
        """Decoded name/value pairs in order. Raises `WireTrouble` on bad UTF-8 or a NUL."""
        if self._query is None:
            raw = self.scope["query_string"]
            if not raw:
                self._query = []
            elif _CODED.search(raw) is None and raw.count(b"&") < _MOST_FIELDS:
                pairs = raw.decode("ascii").split("&")
                self._query = [pair.partition("=")[::2] for pair in pairs if pair]
            else:
                try:
                    self._query = parse_qsl(
                        raw.decode("utf-8"),
                        keep_blank_values=True,
                        errors="strict",
                        max_num_fields=_MOST_FIELDS,
                    )
                except UnicodeDecodeError:
                    raise WireTrouble(Kind.BAD_UTF8) from None
                except ValueError:
                    raise WireTrouble(Kind.URL_TOO_LONG, limit=_MOST_FIELDS) from None
                if b"%00" in raw:
                    raise WireTrouble(Kind.NUL_CHARACTER)
        return self._query

    def query_value(self, name: str) -> str | None:
        """The last value of that name; None when absent."""
        found = None
        for key, value in self.query:
            if key == name:
                found = value
        return found

    async def body(self, limit: int | None = None) -> bytes:
        """The whole body, read once, at most `limit` bytes (default: the route's, else the plane's)."""
        body = self.body_now(limit)
        if body is None:
            pieces = self.body_stream(self._bound(limit))
            body = self._body = b"".join([piece async for piece in pieces])
        return body

    def body_now(self, limit: int | None = None) -> bytes | None:
        """`body` when it has come already, as it nearly always has; None when it must be awaited."""
        if self._body is None and self.exchange is not None:
            body = self.exchange.take_body()
            if body is not None:
                self._body = within(body, self._bound(limit))
        return self._body

    def _bound(self, limit: int | None) -> int:
        route, limits = self.route, self.plane.limits
        if limit or route is None:
            return limit or limits.body_bytes
        return route.body_limit or limits.body_bytes_by_tag.get(route.tag, limits.body_bytes)

    def body_stream(self, limit: int) -> AsyncIterator[bytes]:
        """The body in chunks as they arrive, refusing more than `limit` bytes; instead of `body`, not after it."""
        return stream_body(self._receive, self.first_headers, limit, self.plane.limits.body_seconds)

    def receive(self) -> Awaitable[MutableMapping[str, Any]]:
        """The next ASGI message, for the wire itself."""
        return self._receive()

    async def gone(self) -> None:
        """Returns when the client has disconnected."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
