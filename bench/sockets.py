"""A WebSocket client that costs next to nothing: what the benches that hold thousands of sessions are made of."""

from __future__ import annotations

import asyncio
import json
import resource
from typing import Any, cast

PROPERTIES = {"os": "linux", "browser": "bench", "device": "bench"}
TEXT = 1


class SocketClient(asyncio.Protocol):
    """Connects as soon as it is made a protocol of a connection. Frames from a server are not masked, and come whole.

    `longest` is how much of a message `heard` is given: a client that only looks at the beginning copies no more.
    """

    longest = 1 << 30

    def __init__(self, path: str) -> None:
        self._path = path
        self._buffer = bytearray()
        self._open = False
        self.transport: asyncio.Transport | None = None

    async def connect(self, port: int) -> None:
        """Once more, after the last connection is gone."""
        self._buffer.clear()
        self._open = False
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)

    def opened(self) -> None:
        """The handshake is done."""

    def heard(self, message: bytes) -> None:
        """A text message, or its beginning."""

    def say(self, op: int, data: Any) -> None:
        assert self.transport is not None
        self.transport.write(masked(json.dumps({"op": op, "d": data}).encode()))

    def identify(self, token: str) -> None:
        self.say(2, {"token": token, "properties": PROPERTIES})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            del buffer[: end + 4]
            self._open = True
            self.opened()
        while len(buffer) >= 2:
            size, head = buffer[1] & 127, 2
            if size == 126:
                size, head = int.from_bytes(buffer[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(buffer[2:10], "big"), 10
            if len(buffer) < head + size:
                return
            if buffer[0] & 15 == TEXT:
                self.heard(bytes(buffer[head : head + min(size, self.longest)]))
            del buffer[: head + size]


def masked(body: bytes) -> bytes:
    """A client's text frame under a mask of zeros."""
    size = (
        bytes([0x80 | len(body)]) if len(body) < 126 else bytes([0x80 | 126]) + len(body).to_bytes(2, "big")
    )
    return b"\x81" + size + b"\0\0\0\0" + body


def raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
