"""WebSocket frames below ASGI: uvicorn's protocol with limits on what a peer may make this process keep or do.

A message that is too long, or in too many pieces, ends the connection before it is whole. Pings are answered while the
peer reads the answers, the latest one when it reads again, and only so many a minute.
"""

from __future__ import annotations

import logging
from typing import Any

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from flux.kernel.wire.socketprotocol import SocketProtocol
from flux.kernel.wire.sockets import TOO_LARGE

CLOSE_SECONDS = 5.0
QUIET_SECONDS = 0.5
"""A peer that is sent away and goes on sending is not looked at any more, for so long at most, and left when it is quiet:
closing with bytes unread would reset the connection, and the close frame with it."""
MOST_PIECES = 1024
"""Frames of one message; empty ones add nothing to its length."""
WINDOW_SECONDS = 60.0


class SocketLimits:
    """Bytes of a message, and pings and pongs of a minute."""

    message_bytes: int = 65_536
    pings: int = 600


class _Frames(ServerProtocol):
    """`too_large` is the code with which a message beyond the limit is refused."""

    too_large: int = CloseCode.MESSAGE_TOO_BIG

    def fail(self, code: int, reason: str = "") -> None:
        super().fail(self.too_large if code == CloseCode.MESSAGE_TOO_BIG else code, reason)


class LimitedSocket(SocketProtocol):
    """One connection."""

    limits = SocketLimits
    _deaf_until = 0.0
    """Set once the peer is sent away."""
    _pong: bytes = b""
    _pings = 0
    _window_ends = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Frames(max_size=self.limits.message_bytes, logger=logging.getLogger("uvicorn.error"))

    def data_received(self, data: bytes) -> None:
        if self._deaf_until:
            self._leave_soon()
            return
        if self.handshake_initiated:
            self.conn.too_large = self.scope.get(TOO_LARGE, CloseCode.MESSAGE_TOO_BIG)  # type: ignore[attr-defined]
        super().data_received(data)

    def handle_parser_exception(self) -> None:
        """What came is no frame or too much: say so, and be deaf to the rest."""
        said = self.conn.close_sent
        assert said is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": said.code, "reason": said.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.frames = []
        self._deaf_until = self.loop.time() + CLOSE_SECONDS
        self._leave_soon()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _leave_soon(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        rest = min(QUIET_SECONDS, max(0.0, self._deaf_until - self.loop.time()))
        self.close_timer = self.loop.call_later(rest, self.transport.close)

    def _refuse(self, code: int, reason: str) -> None:
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    # -- messages ---------------------------------------------------------------------------------------------

    def handle_events(self) -> None:
        for event in self.conn.events_received():
            if self._deaf_until:
                return
            if isinstance(event, Request):
                self.handle_connect(event)
            elif isinstance(event, Frame):
                self._handle_frame(event)

    def _handle_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT:
                self.handle_text(frame)
            case Opcode.BINARY:
                self.handle_bytes(frame)
            case Opcode.CONT:
                self.handle_cont(frame)
            case Opcode.PING:
                self.handle_ping()
            case Opcode.PONG:
                self.handle_pong(frame)
            case Opcode.CLOSE:
                self.handle_close(frame)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_PIECES:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, "too many pieces")
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._refuse(CloseCode.INVALID_DATA, "text is UTF-8")
                return
        super().send_receive_event_to_app()

    # -- pings ------------------------------------------------------------------------------------------------

    def _is_too_much(self) -> bool:
        now = self.loop.time()
        if now >= self._window_ends:
            self._window_ends, self._pings = now + WINDOW_SECONDS, 0
        self._pings += 1
        return self._pings > self.limits.pings

    def handle_ping(self) -> None:
        answers = self.conn.data_to_send()
        if self._is_too_much():
            self._refuse(CloseCode.POLICY_VIOLATION, "too many pings")
        elif self.writable.is_set():
            self.transport.write(b"".join(answers))
        elif answers:
            self._pong = answers[-1]

    def handle_pong(self, event: Frame) -> None:
        if self._is_too_much():
            self._refuse(CloseCode.POLICY_VIOLATION, "too many pings")
        else:
            super().handle_pong(event)

    def resume_writing(self) -> None:
        super().resume_writing()
        answer, self._pong = self._pong, b""
        if answer and not self.close_sent:
            self.transport.write(answer)
