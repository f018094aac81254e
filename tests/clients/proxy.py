"""A TCP proxy whose connections a test can cut, to see what a client does when its network fails."""

from __future__ import annotations

import asyncio
from types import TracebackType


class CuttingProxy:
    """Listens on a port of its own; `target` may be set later. `cut` drops every connection without a word."""

    def __init__(self) -> None:
        self.target: tuple[str, int] = ("127.0.0.1", 0)
        self.accepted = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> CuttingProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def ports(self) -> list[int]:
        """Of the connections at the target."""
        found = [writer.get_extra_info("peername") for writer in self._writers]
        return [
            writer.get_extra_info("sockname")[1]
            for writer, peer in zip(self._writers, found, strict=True)
            if peer == self.target
        ]

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            ahead, behind = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, behind}
        await asyncio.gather(_pump(reader, behind), _pump(ahead, writer))
        self._writers -= {writer, behind}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
