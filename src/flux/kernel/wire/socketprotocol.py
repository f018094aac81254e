"""The WebSocket side of a connection: uvicorn's protocol, which keeps less of each peer and has a short way out.

Thousands of peers are silent most of the time, and one event goes to all of them at once.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

from flux.kernel.wire.exchange import Arrival

TEXT = 0x81
BINARY = 0x82


class Inbox:
    """What `asyncio.Queue` is to the one task that reads, without its four deques (2.5 KiB)."""

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._waiter: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        return not self._items

    def put_nowait(self, item: Any) -> None:
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Any:
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        self._waiter = None
        return self._items.pop(0)


class SocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.queue = Inbox()  # type: ignore[assignment]
        self.writable = Arrival()  # type: ignore[assignment]
        self.writable.set()

    def write_now(self, kind: int, payload: bytes) -> bool:
        """One whole message, `TEXT` or `BINARY`. False where nothing was written: the peer does not read, or it is not the
        time for messages, and `send` waits or tells why."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.disconnected
            or self.close_sent
            or self.conn.extensions
            or self.conn.state is not OPEN
        ):
            return False
        size = len(payload)
        if size < 126:
            head = bytes((kind, size))
        elif size < 65_536:
            head = bytes((kind, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((kind, 127)) + size.to_bytes(8, "big")
        self.transport.write(head + payload)
        return True
