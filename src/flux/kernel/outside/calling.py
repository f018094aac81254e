"""One POST to an address that somebody else chose.

Every connection is vetted (vetting.py). Proxy variables of the environment are not honoured, redirects are not followed.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flux.kernel.faults import Ports
from flux.kernel.outside.guard import Guard

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Outgoing:
    """A session that is opened when first wanted."""

    def __init__(self, guard: Guard, seconds: float) -> None:
        self._guard = guard
        self._seconds = seconds
        self._session: ClientSession | None = None

    async def opened(self) -> ClientSession:
        if self._session is None:
            # In a thread: the loop does not stand still while certificates are read.
            await asyncio.to_thread(importlib.import_module, "flux.kernel.outside.vetting")
        if self._session is None:
            from flux.kernel.outside import vetting

            self._session = vetting.session(self._guard, self._seconds)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class Caller:
    """Every failure leaves as `PortFailure("upstream", mode, reason)`: `address_not_allowed`, `dns`, `connect`, `tls`,
    `timeout`, `protocol`."""

    def __init__(self, guard: Guard, ports: Ports, *, seconds: float) -> None:
        self.guard = guard
        self._ports = ports
        self._outgoing = Outgoing(guard, seconds)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not read."""
        await self._ports.strike("upstream")
        session = await self._outgoing.opened()
        from flux.kernel.outside.vetting import FAILURES, failure_of

        try:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except FAILURES as error:
            raise failure_of(error) from error

    async def close(self) -> None:
        await self._outgoing.close()
