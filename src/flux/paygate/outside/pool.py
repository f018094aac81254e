"""Connections to targets: each made to an address that was just vetted, kept alive for a few seconds, never shared.

A name is resolved and judged for each new connection, and the connection goes to the addresses just judged, so a
second DNS answer cannot differ. Proxy variables of the environment mean nothing here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from collections import deque
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlsplit

from flux.paygate.outside.connection import Connection
from flux.paygate.outside.guard import Guard, NotAllowed
from flux.paygate.outside.resolving import Resolver

KEEP_ALIVE_SECONDS = 4.0
"""Shorter than what common servers keep: a request that meets a closing connection is lost."""
IDLE_EACH = 64
SWEEP_SECONDS = 2.0
_TIMEOUT = re.compile(r"timeout\s*=\s*(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Origin:
    """`host` without brackets; `authority` for the Host header; `path` in front of every request's own."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @property
    def key(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(maxsize=4096)
def origin_of(base: str) -> Origin:
    """Of a listing's target in its one spelling."""
    parts = urlsplit(base)
    default = 443 if parts.scheme == "https" else 80
    return Origin(parts.scheme, parts.hostname or "", parts.port or default, parts.netloc, parts.path)


@cache
def _tls() -> ssl.SSLContext:
    """Made for the first target that needs one: reading the system's certificates takes a tenth of a second."""
    return ssl.create_default_context()


class Pool:
    def __init__(self, guard: Guard, resolver: Resolver) -> None:
        self._guard = guard
        self._resolver = resolver
        self._idle: dict[tuple[str, str, int], deque[Connection]] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """A kept-alive connection that may be used at once."""
        waiting = self._idle.get(origin.key)
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        while waiting:
            connection = waiting.pop()
            if connection.alive and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    def put(self, connection: Connection) -> None:
        """Nobody uses it any more."""
        waiting = self._idle.setdefault(connection.origin.key, deque())
        if self._closed or len(waiting) >= IDLE_EACH:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        waiting.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)

    async def dial(self, origin: Origin) -> Connection:
        """A new one, to a vetted address. Raises `NotAllowed`, `NoSuchName`, `OSError` and `ssl.SSLError`."""
        host, port = origin.host, origin.port
        address = self._guard.check_host(host, port)
        addresses = [str(address)] if address is not None else await self._resolver.addresses(host, port)
        self._guard.check_all(host, port, addresses)
        failure: OSError | None = None
        for one in addresses:
            try:
                connection = await self._connect(origin, one)
            except OSError as error:
                failure = error
                continue
            self._check_peer(connection)
            return connection
        assert failure is not None
        raise failure

    async def _connect(self, origin: Origin, address: str) -> Connection:
        secure = origin.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(origin, self.put),
            address,
            origin.port,
            ssl=_tls() if secure else None,
            server_hostname=origin.host if secure else None,
        )
        return connection

    def _check_peer(self, connection: Connection) -> None:
        """The last word: where the socket really ended up."""
        try:
            if not connection.peer:
                raise NotAllowed("the connection is already gone")
            peer = ipaddress.ip_address(connection.peer.partition("%")[0])
            self._guard.check_address(connection.origin.host, connection.origin.port, peer)
        except NotAllowed:
            connection.close()
            raise

    def _sweep(self) -> None:
        self._sweeper = None
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEEP_ALIVE_SECONDS
        for key, waiting in list(self._idle.items()):
            while waiting and (not waiting[0].alive or waiting[0].idle_since < oldest):
                waiting.popleft().close()
            if not waiting:
                del self._idle[key]
        if self._idle and not self._closed:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)

    def close(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for waiting in self._idle.values():
            for connection in waiting:
                connection.close()
        self._idle.clear()
