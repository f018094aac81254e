"""Calling targets: the reachability probe, and opening the response of a relayed call.

Every failure leaves here as `PortFailure("upstream", mode, reason)`: `UNAVAILABLE` with dns, connect, tls or
address_not_allowed; `ERROR` with reset; `GARBAGE` with protocol or truncated; `TIMEOUT` with connect, first_byte or
total.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable

import msgspec

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.paygate.outside.connection import Connection, Response
from flux.paygate.outside.guard import Guard, NotAllowed
from flux.paygate.outside.pool import Origin, Pool, origin_of
from flux.paygate.outside.resolving import (
    NoSuchName,
    Resolver,
    StrikingResolver,
    StubResolver,
    SystemResolver,
)
from flux.settings.paygate import PaygateSettings

log = logging.getLogger("flux.paygate.outside")
_PROBE_HEADERS = [("User-Agent", "flux-paygate-probe"), ("Accept", "*/*")]
_WITH_BODY = ("POST", "PUT", "PATCH")


class Outgoing(msgspec.Struct, frozen=True):
    """A request as it leaves: `base` is the listing's target, `target` path and query as sent, base path included;
    `headers` in order, repeats allowed."""

    method: str
    base: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    first_byte_seconds: float


class Dialer:
    """One connection pool for all targets."""

    def __init__(self, guard: Guard, settings: PaygateSettings, ports: Ports) -> None:
        self.guard = guard
        self._settings = settings
        self._ports = ports
        servers = settings.dns_servers
        inner: Resolver = StubResolver(servers) if servers else SystemResolver()
        self._pool = Pool(guard, StrikingResolver(inner, ports))

    async def close(self) -> None:
        """Kept connections end."""
        self._pool.close()

    async def probe(self, base: str) -> None:
        """Any well-formed HTTP answer will do. Raises `PortFailure`."""
        await self._ports.strike("upstream")
        try:
            async with asyncio.timeout(self._settings.probe_seconds):
                status = await self._probe_once("HEAD", base)
                if status in (405, 501):
                    await self._probe_once("GET", base)
        except TimeoutError:
            raise PortFailure("upstream", Mode.TIMEOUT, "timeout") from None

    async def _probe_once(self, method: str, base: str) -> int:
        origin = origin_of(base)
        seconds = self._settings.probe_seconds
        request = Outgoing(method, base, origin.path or "/", _PROBE_HEADERS, None, seconds)
        connection = await self._fresh(origin)
        response = connection.request(head_of(request), None, without_body=method == "HEAD")
        try:
            await response.head(seconds)
            return response.status
        finally:
            connection.close()

    # -- relayed calls ----------------------------------------------------------------------------------------

    def ready(self, base: str) -> Connection | None:
        """A connection that stands already, for `open`; give it back by `spare` when it is not used after all. None
        while a fault is armed, so that the whole way is gone."""
        if self._ports.armed("upstream") or self._ports.armed("dns"):
            return None
        return self._pool.take(origin_of(base))

    def spare(self, connection: Connection) -> None:
        connection.finished(reusable=True)

    async def open(
        self,
        request: Outgoing,
        connection: Connection | None,
        on_sending: Callable[[], Awaitable[None]] | None,
    ) -> Response:
        """The response with its head read; the caller reads the body and releases it. `on_sending` runs once a vetted
        connection stands, before the first byte. Raises `PortFailure`."""
        if self._ports.enabled:
            await self._ports.strike("upstream")
        if connection is None or not connection.alive:
            connection = await self._dialled(origin_of(request.base))
        if on_sending is not None:
            try:
                await on_sending()
            except BaseException:
                self.spare(connection)
                raise
            if not connection.alive:
                connection = await self._dialled(origin_of(request.base))
        without_body = request.method == "HEAD"
        response = connection.request(head_of(request), request.body, without_body=without_body)
        try:
            await response.head(request.first_byte_seconds)
        except BaseException:
            connection.close()
            raise
        return response

    async def _dialled(self, origin: Origin) -> Connection:
        return self._pool.take(origin) or await self._fresh(origin)

    async def _fresh(self, origin: Origin) -> Connection:
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                return await self._pool.dial(origin)
        except Exception as error:
            raise classified(error) from error


def head_of(request: Outgoing) -> bytes:
    """The request line and headers. Raises ValueError when a value would end its line."""
    lines = [f"{request.method} {request.target} HTTP/1.1", f"Host: {origin_of(request.base).authority}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}")
    elif request.method in _WITH_BODY:
        lines.append("Content-Length: 0")
    head = "\r\n".join(lines).encode("latin-1", "replace")
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\x00" in head:
        raise ValueError("a header value with a line break")
    return head + b"\r\n\r\n"


def classified(error: Exception) -> Exception:
    """What a failure to connect means. Failures that are not the target's pass unchanged."""
    if isinstance(error, NotAllowed):
        log.warning("a target was refused: %s", error)
        return PortFailure("upstream", Mode.UNAVAILABLE, "address_not_allowed")
    if isinstance(error, NoSuchName):
        return PortFailure("upstream", Mode.UNAVAILABLE, "dns")
    if isinstance(error, ssl.SSLError):
        return PortFailure("upstream", Mode.UNAVAILABLE, "tls")
    if isinstance(error, TimeoutError):
        return PortFailure("upstream", Mode.TIMEOUT, "connect")
    if isinstance(error, OSError):
        return PortFailure("upstream", Mode.UNAVAILABLE, "connect")
    return error
