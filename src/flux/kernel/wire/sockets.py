"""A WebSocket as a handler sees it, over ASGI."""

from __future__ import annotations

from flux.kernel.wire.call import Receive, Scope, Send
from flux.kernel.wire.socketprotocol import BINARY, TEXT, SocketProtocol

TOO_LARGE = "flux.too_large"
"""In the scope: the close code of the place for a message that is too large."""


class SocketClosed(Exception):
    """The peer went away; `code` is its close code (1006 when the connection just dropped)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"socket closed with {code}")
        self.code = code


class Socket:
    """`accept` first. One task reads, one task writes; `close` ends both directions."""

    __slots__ = ("_protocol", "_receive", "_scope", "_send", "closed")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        owner = getattr(send, "__self__", None)
        self._protocol: SocketProtocol | None = owner if isinstance(owner, SocketProtocol) else None
        self.closed = False

    async def accept(self, subprotocol: str | None = None, *, too_large: int = 1009) -> None:
        """`too_large` is the close code for messages beyond what the server takes at all (websocket.py). Raises `SocketClosed` when the peer is gone already."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.closed = True
            raise SocketClosed(1006)
        try:
            await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        except OSError:
            self.closed = True
            raise SocketClosed(1006) from None
        self._scope["flux.accepted"] = True
        self._scope[TOO_LARGE] = too_large

    async def receive(self) -> bytes | str:
        """The next message. Raises `SocketClosed`."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.closed = True
            raise SocketClosed(int(message.get("code") or 1006))
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    def send_now(self, message: str | bytes) -> bool:
        """Whether it was written, which it is while the peer reads; otherwise `send_text` or `send_bytes` is to be awaited."""
        if self._protocol is None:
            return False
        if isinstance(message, str):
            return self._protocol.write_now(TEXT, message.encode())
        return self._protocol.write_now(BINARY, message)

    async def send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})

    async def close(self, code: int, reason: str = "") -> None:
        """Idempotent; a peer that is already gone is not an error."""
        if self.closed:
            return
        self.closed = True
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (RuntimeError, OSError):
            return
