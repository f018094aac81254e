"""A real DNS server on loopback whose answers a test decides, query by query.

async with dns_server() as dns:
    dns.zone["rebind.test"] = [["127.0.0.2"], ["127.0.0.1"]]   # the first pair of queries, then every later one
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

A, AAAA, CNAME = 1, 28, 5


class DnsServer(asyncio.DatagramProtocol):
    """`zone`: for each name the answers to give in turn, the last one for ever. A CNAME leads to `alias.of.<name>`."""

    def __init__(self) -> None:
        self.zone: dict[str, list[list[str]]] = {}
        self.aliased: set[str] = set()
        """Names whose addresses are told behind a CNAME."""
        self.truncated: set[str] = set()
        """Names whose answers do not fit, and nobody listens on TCP."""
        self.asked: Counter[tuple[str, int]] = Counter()
        self.port = 0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: Any) -> None:
        name, end = _name(data, 12)
        [kind] = struct.unpack(">H", data[end : end + 2])
        question = data[12 : end + 4]
        turns = self.zone.get(name)
        turn = self.asked[name, kind]
        self.asked[name, kind] += 1
        addresses = turns[min(turn, len(turns) - 1)] if turns else []
        records = [record for one in addresses if (record := _record(one, kind)) is not None]
        if name in self.aliased:
            alias = b"\x05alias\xc0\x0c"
            records.insert(0, b"\xc0\x0c" + struct.pack(">HHIH", CNAME, 1, 0, len(alias)) + alias)
        flags = 0x8180 | (0x0200 if name in self.truncated else 0) | (0 if turns else 3)
        head = data[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
        self._transport.sendto(head + question + b"".join(records), address)


def _record(text: str, kind: int) -> bytes | None:
    address = ipaddress.ip_address(text)
    if (address.version == 4) != (kind == A):
        return None
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(address.packed)) + address.packed


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while size := data[at]:
        labels.append(data[at + 1 : at + 1 + size].decode("ascii").lower())
        at += 1 + size
    return ".".join(labels), at + 1


@asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(DnsServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
