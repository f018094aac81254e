"""From host names to addresses: the system's resolver, or DNS servers of the operator's choice."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import Sequence
from typing import Any, Protocol

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.identity import new_token
from flux.paygate.outside.guard import NotAllowed, literal

_A, _AAAA, _IN = 1, 28, 1
_ATTEMPTS = 2
_ANSWER_SECONDS = 2.0
_MAX_RECORDS = 64


class NoSuchName(Exception):
    """The name has no address, or nobody can say which."""


class Resolver(Protocol):
    async def addresses(self, host: str, port: int) -> list[str]:
        """At least one. Raises `NoSuchName`."""


class SystemResolver:
    async def addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        except (OSError, UnicodeError) as error:
            raise NoSuchName(str(error)) from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            raise NoSuchName(host)
        return addresses


class StubResolver:
    """Asks recursive servers over UDP, and over TCP where the answer does not fit. Nothing is cached: each new
    connection is vetted on an answer of its own."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = [_server(entry) for entry in servers]
        seed = int.from_bytes(new_token(8).encode()[:4], "big")
        self._ids = itertools.count(seed)

    async def addresses(self, host: str, port: int) -> list[str]:
        for server in self._servers:
            try:
                found = await asyncio.gather(self._ask(server, host, _AAAA), self._ask(server, host, _A))
            except (OSError, TimeoutError, ValueError, struct.error):
                continue
            if addresses := [address for answers in found for address in answers]:
                return addresses
            break
        raise NoSuchName(host)

    async def _ask(self, server: tuple[str, int], host: str, kind: int) -> list[str]:
        number = (next(self._ids) * 40_503) & 0xFFFF
        query = (
            struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + _labels(host) + struct.pack(">HH", kind, _IN)
        )
        for attempt in range(_ATTEMPTS):
            try:
                answer = await _by_udp(server, query)
                break
            except TimeoutError:
                if attempt + 1 == _ATTEMPTS:
                    raise
        if answer[2] & 0x02:
            answer = await _by_tcp(server, query)
        return _records(answer, number, kind)


class StrikingResolver:
    """The sandbox's faults at the port `dns`, in front of a real resolver."""

    def __init__(self, inner: Resolver, ports: Ports) -> None:
        self._inner = inner
        self._ports = ports

    async def addresses(self, host: str, port: int) -> list[str]:
        try:
            await self._ports.strike("dns")
        except PortFailure as failure:
            raise PortFailure("upstream", Mode.UNAVAILABLE, "dns") from failure
        return await self._inner.addresses(host, port)


def _server(entry: str) -> tuple[str, int]:
    """`address:port`, or an address alone. Raises ValueError."""
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        host, port = entry, "53"
    host = host.strip("[]")
    try:
        known = literal(host)
    except NotAllowed:
        known = None
    if known is None:
        raise ValueError(f"paygate.dns_servers: {entry!r} is not an address with a port")
    return host, int(port)


def _labels(host: str) -> bytes:
    parts = host.removesuffix(".").encode("ascii").split(b".")
    if any(not 0 < len(part) < 64 for part in parts):
        raise ValueError(host)
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\x00"


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, query: bytes) -> None:
        self._query = query
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        transport.sendto(self._query)

    def datagram_received(self, data: bytes, address: Any) -> None:
        # Connected: only the server itself can answer, and only this very question.
        if not self.answer.done() and len(data) >= 12 and data[:2] == self._query[:2]:
            self.answer.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def _by_udp(server: tuple[str, int], query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(query), remote_addr=server)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await protocol.answer
    finally:
        transport.close()


async def _by_tcp(server: tuple[str, int], query: bytes) -> bytes:
    async with asyncio.timeout(_ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(*server)
        try:
            writer.write(struct.pack(">H", len(query)) + query)
            [size] = struct.unpack(">H", await reader.readexactly(2))
            return await reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise OSError("the DNS server hung up") from error
        finally:
            writer.close()


def _records(answer: bytes, number: int, kind: int) -> list[str]:
    """The addresses of the answer section, CNAME chains included. Raises ValueError for what is no answer."""
    found, flags, questions, records = struct.unpack(">HHHH", answer[:8])
    if found != number or not flags & 0x8000 or questions != 1:
        raise ValueError("not an answer to the question")
    if flags & 0x0F:
        return []
    at = _skip_name(answer, 12) + 4
    addresses: list[str] = []
    for _ in range(min(records, _MAX_RECORDS)):
        at = _skip_name(answer, at)
        this, of_class, _, size = struct.unpack(">HHIH", answer[at : at + 10])
        data = answer[at + 10 : at + 10 + size]
        at += 10 + size
        if this == kind and of_class == _IN and len(data) == (4 if kind == _A else 16):
            family = socket.AF_INET if kind == _A else socket.AF_INET6
            addresses.append(socket.inet_ntop(family, data))
    return addresses


def _skip_name(data: bytes, at: int) -> int:
    while True:
        if at >= len(data):
            raise ValueError("a name beyond the end")
        size = data[at]
        if size >= 0xC0:
            return at + 2
        at += 1 + size
        if size == 0:
            return at
