"""Connections to addresses that somebody else chose, as aiohttp makes them.

A name is resolved and judged for each connection, and the connection goes to the addresses just judged, so a second
DNS answer cannot differ. aiohttp reads the system's certificates when it is imported, a fifth of a second of work, so
this module is imported by `opened`, when something is first called.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from flux.kernel.faults import Mode, PortFailure
from flux.kernel.outside.guard import Guard, NotAllowed

FAILURES = (NotAllowed, TimeoutError, aiohttp.ClientError, OSError, ValueError)
"""What a call can end with; `failure_of` tells what it means."""


class _Resolver(AbstractResolver):
    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        self._guard.check_all(host, port, [entry["host"] for entry in found])
        return found

    async def close(self) -> None:
        await self._inner.close()


class VettedConnector(aiohttp.TCPConnector):
    """Vets hosts that are addresses too, which aiohttp does not resolve, and where the socket really ended up."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(resolver=_Resolver(guard), use_dns_cache=False, force_close=True)
        self._guard = guard

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        host, port = req.url.raw_host or "", req.url.port or 0
        self._guard.check_host(host, port)
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        try:
            if not peer:
                raise NotAllowed("the connection is already gone")
            self._guard.check_address(host, port, ipaddress.ip_address(peer[0].partition("%")[0]))
        except NotAllowed:
            connection.close()
            raise
        return connection


def session(guard: Guard, seconds: float) -> aiohttp.ClientSession:
    """Bodies are left as they were sent."""
    return aiohttp.ClientSession(
        connector=VettedConnector(guard),
        timeout=aiohttp.ClientTimeout(total=seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


def failure_of(error: Exception) -> PortFailure:
    for kinds, mode, reason in _MEANINGS:
        if isinstance(error, kinds):
            return PortFailure("upstream", mode, reason)
    return PortFailure("upstream", Mode.UNAVAILABLE, "connect")


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Mode, str], ...] = (
    ((NotAllowed,), Mode.UNAVAILABLE, "address_not_allowed"),
    ((TimeoutError,), Mode.TIMEOUT, "timeout"),
    ((aiohttp.ClientConnectorDNSError,), Mode.UNAVAILABLE, "dns"),
    ((aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError), Mode.UNAVAILABLE, "tls"),
    ((aiohttp.ClientConnectorError,), Mode.UNAVAILABLE, "connect"),
    ((aiohttp.ClientResponseError, aiohttp.InvalidURL), Mode.GARBAGE, "protocol"),
)
