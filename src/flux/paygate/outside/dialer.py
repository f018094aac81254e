"""Calling targets: the reachability probe, and opening the response of a relayed call.

Every failure leaves here as `PortFailure("upstream", mode, reason)`: `UNAVAILABLE` with dns, connect, tls or
address_not_allowed; `ERROR` with reset; `GARBAGE` with protocol or truncated; `TIMEOUT` with connect or first_byte.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import http_exceptions
from multidict import CIMultiDict
from yarl import URL

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.paygate.outside.connector import MAX_HEADER_BYTES, VettedConnector, before_sending
from flux.paygate.outside.guard import Guard, NotAllowed
from flux.settings.paygate import PaygateSettings

log = logging.getLogger("flux.paygate.outside")
_UNSET_HEADERS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it leaves: `url` byte for byte; `headers` in order, repeats allowed."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes | None
    first_byte_seconds: float


class Dialer:
    """One connection pool for all targets."""

    def __init__(self, guard: Guard, settings: PaygateSettings, ports: Ports) -> None:
        self.guard = guard
        self._settings = settings
        self._ports = ports
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=VettedConnector(self.guard, self._ports),
            timeout=aiohttp.ClientTimeout(
                total=None, connect=None, sock_connect=self._settings.connect_seconds, sock_read=None
            ),
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_UNSET_HEADERS,
            max_line_size=8_190,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

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
        assert self._session is not None
        try:
            async with self._session.request(
                method,
                URL(base, encoded=True),
                allow_redirects=False,
                headers={"User-Agent": "flux-paygate-probe", "Accept": "*/*"},
            ) as response:
                return response.status
        except Exception as error:
            raise classified(error, sent=True) from error

    async def open(
        self, request: Outgoing, on_sending: Callable[[], Awaitable[None]]
    ) -> aiohttp.ClientResponse:
        """The response with its head read; the caller reads the body and closes it. `on_sending` runs once a vetted
        connection stands, before the first byte. Raises `PortFailure`."""
        assert self._session is not None
        await self._ports.strike("upstream")
        sent = False
        token = None
        try:
            async with asyncio.timeout(self._settings.connect_seconds) as clock:

                async def sending() -> None:
                    nonlocal sent
                    if not sent:
                        await on_sending()
                        sent = True
                    clock.reschedule(asyncio.get_running_loop().time() + request.first_byte_seconds)

                token = before_sending.set(sending)
                return await self._session.request(
                    request.method,
                    URL(request.url, encoded=True),
                    headers=CIMultiDict(request.headers),
                    data=request.body,
                    allow_redirects=False,
                )
        except TimeoutError as error:
            raise PortFailure("upstream", Mode.TIMEOUT, "first_byte" if sent else "connect") from error
        except Exception as error:
            raise classified(error, sent=sent) from error
        finally:
            if token is not None:
                before_sending.reset(token)


def classified(error: Exception, *, sent: bool) -> Exception:
    """What a failure of aiohttp means. Failures that are not the target's pass unchanged."""
    if isinstance(error, PortFailure):
        return error
    if isinstance(error, NotAllowed):
        log.warning("a target was refused: %s", error)
        return PortFailure("upstream", Mode.UNAVAILABLE, "address_not_allowed")
    for kinds, mode, reason in _MEANINGS:
        if isinstance(error, kinds):
            return PortFailure("upstream", mode, reason)
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return PortFailure(
            "upstream", Mode.ERROR if sent else Mode.UNAVAILABLE, "reset" if sent else "connect"
        )
    return error


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Mode, str], ...] = (
    ((aiohttp.ClientConnectorDNSError,), Mode.UNAVAILABLE, "dns"),
    ((aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError), Mode.UNAVAILABLE, "tls"),
    ((aiohttp.ConnectionTimeoutError,), Mode.TIMEOUT, "connect"),
    ((aiohttp.ServerTimeoutError,), Mode.TIMEOUT, "first_byte"),
    ((aiohttp.ClientConnectorError,), Mode.UNAVAILABLE, "connect"),
    ((aiohttp.ClientPayloadError,), Mode.GARBAGE, "truncated"),
    ((aiohttp.ClientResponseError, http_exceptions.HttpProcessingError), Mode.GARBAGE, "protocol"),
)
