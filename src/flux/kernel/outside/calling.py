"""One POST to an address that somebody else chose.

A name is resolved and judged for each connection, and the connection goes to the addresses just judged, so a second
DNS answer cannot differ. Proxy variables of the environment are not honoured, redirects are not followed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.outside.guard import Guard, NotAllowed


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


class Caller:
    """Every failure leaves as `PortFailure("upstream", mode, reason)`: `address_not_allowed`, `dns`, `connect`, `tls`,
    `timeout`, `protocol`."""

    def __init__(self, guard: Guard, ports: Ports, *, seconds: float) -> None:
        self.guard = guard
        self._ports = ports
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not read."""
        await self._ports.strike("upstream")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=VettedConnector(self.guard),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (NotAllowed, TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise failure_of(error) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


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
