"""A small HTTP receiver for webhooks: it remembers what it is sent and answers what it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """`statuses` are the answers to come, one a request; 200 when they are used up, silence for 0."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.origin = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Receiver:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append(Received({":target": head[0], **headers}, body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status:
            extra = f"Location: {self.origin}/elsewhere\r\n" if 300 <= status < 400 else ""
            writer.write(
                f"HTTP/1.1 {status} X\r\n{extra}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode()
            )
            await writer.drain()
        else:
            await asyncio.sleep(3)
        writer.close()

    async def until(self, wanted: Callable[[list[Received]], bool], seconds: float = 30) -> list[Received]:
        """What was received, once it is enough."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not wanted(self.received):
            assert asyncio.get_running_loop().time() < deadline, self.received
            await asyncio.sleep(0.02)
        return self.received
