"""aiohttp connections that only ever reach vetted addresses.

A name is resolved and judged for each new connection, and the connection goes to the addresses just judged, so a
second DNS answer cannot differ. Proxy variables of the environment are not honoured, redirects are not followed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.paygate.outside.guard import Guard, NotAllowed

KEEP_ALIVE_SECONDS = 15.0
MAX_HEADER_BYTES = 65_536

before_sending: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("before_sending", default=None)
"""What happens when a connection stands and the first byte has not left yet. May run twice for one request, when a
kept-alive connection turns out to be dead."""


class VettingResolver(AbstractResolver):
    def __init__(self, guard: Guard, ports: Ports) -> None:
        self._guard = guard
        self._ports = ports
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        try:
            await self._ports.strike("dns")
        except PortFailure as failure:
            raise PortFailure("upstream", Mode.UNAVAILABLE, "dns") from failure
        found = await self._inner.resolve(host, port, family)
        self._guard.check_all(host, port, [entry["host"] for entry in found])
        return found

    async def close(self) -> None:
        await self._inner.close()


class VettedConnector(aiohttp.TCPConnector):
    """Vets hosts that are addresses too, which aiohttp does not resolve, and tells when sending begins."""

    def __init__(self, guard: Guard, ports: Ports) -> None:
        super().__init__(
            resolver=VettingResolver(guard, ports),
            use_dns_cache=False,
            limit=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        self._guard = guard

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        host, port = req.url.raw_host or "", req.url.port or 0
        self._guard.check_host(host, port)
        connection = await super().connect(req, traces, timeout)
        try:
            self._check_peer(connection, host, port)
            hook = before_sending.get()
            if hook is not None:
                await hook()
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_peer(self, connection: Connection, host: str, port: int) -> None:
        """The last word: where the socket really ended up."""
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        if not peer:
            raise NotAllowed("the connection is already gone")
        self._guard.check_address(host, port, ipaddress.ip_address(peer[0].partition("%")[0]))
