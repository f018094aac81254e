"""The beginning of what stands at an address that somebody else chose: a page, an image.

Every connection is vetted (vetting.py), so a redirect leads no further than a link would.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.outside.calling import Outgoing
from flux.kernel.outside.guard import Guard

if TYPE_CHECKING:
    from aiohttp import ClientResponse

REDIRECTS = 3
PLAIN = {"Accept-Encoding": "identity"}
"""Asked for, and not always given."""
_BLOCK = 16_384
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where it was found in the end, `content_type` in lower case without parameters; `whole` tells whether
    `body` is all of it."""

    url: str
    content_type: str
    charset: str
    body: bytes
    whole: bool


class Fetcher:
    """Every failure leaves as `PortFailure("upstream", mode, reason)`: those of `Caller`, and `status`."""

    def __init__(self, guard: Guard, ports: Ports, *, seconds: float) -> None:
        self.guard = guard
        self._ports = ports
        self._outgoing = Outgoing(guard, seconds)

    async def get(self, url: str, headers: Mapping[str, str], *, most: int) -> Fetched:
        """At most `most` bytes of it, unpacked."""
        await self._ports.strike("upstream")
        session = await self._outgoing.opened()
        from flux.kernel.outside.vetting import FAILURES, failure_of

        headers = {**headers, **PLAIN}
        try:
            for _ in range(REDIRECTS + 1):
                async with session.get(url, headers=headers, allow_redirects=False) as answer:
                    if answer.status not in (301, 302, 303, 307, 308):
                        return await _read(answer, most)
                    target = urljoin(url, answer.headers.get("Location", ""))
                    if target == url or not target.startswith(("http://", "https://")):
                        break
                    url = target
        except FAILURES as error:
            raise failure_of(error) from error
        raise PortFailure("upstream", Mode.GARBAGE, "protocol")

    async def close(self) -> None:
        await self._outgoing.close()


async def _read(answer: ClientResponse, most: int) -> Fetched:
    if answer.status != 200:
        raise PortFailure("upstream", Mode.ERROR, "status")
    packed = _unpacker(answer.headers.get("Content-Encoding", "").strip().lower())
    body = bytearray()
    async for block in answer.content.iter_chunked(_BLOCK):
        body += block if packed is None else _unpacked(packed, block, most - len(body))
        if len(body) >= most:
            break
    charset = answer.charset or "utf-8"
    return Fetched(
        str(answer.url), answer.content_type.lower(), charset, bytes(body[:most]), len(body) < most
    )


def _unpacker(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(_GZIP_OR_ZLIB)
    raise PortFailure("upstream", Mode.GARBAGE, "protocol")


def _unpacked(packed: zlib._Decompress, block: bytes, most: int) -> bytes:
    """At most so many bytes: what is left over is not wanted."""
    try:
        return packed.decompress(block, most)
    except zlib.error as error:
        raise PortFailure("upstream", Mode.GARBAGE, "protocol") from error
