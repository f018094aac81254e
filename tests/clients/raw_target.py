"""A target that does to its connection what a test says, and a consumer that speaks bytes: for what lies below HTTP clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.harness.server import Server

DEADLINE = 30.0


@dataclass
class Asked:
    """One request as it reached the target, byte for byte, on its `number`-th connection."""

    head: bytes
    body: bytes
    connection: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def lines(self) -> list[bytes]:
        return self.head.split(b"\r\n")

    def values(self, name: bytes) -> list[bytes]:
        found = (line.partition(b":") for line in self.lines[1:])
        return [value.strip() for key, _, value in found if key.lower() == name]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hung_up(self) -> None:
        """Returns when the gateway has ended the connection."""
        async with asyncio.timeout(DEADLINE):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                pass


Act = Callable[[Asked], Awaitable[object]]


async def plain(asked: Asked) -> None:
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")


@dataclass
class RawTarget:
    """Acts by `act`; the connection is kept until the act closes it. HEADs of the reachability probe are not shown."""

    port: int = 0
    act: Act = plain
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    failures: list[BaseException] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        number = self.connections
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
                one = Asked(head, b"", number, reader, writer)
                length = int((one.values(b"content-length") or [b"0"])[0])
                one.body = await reader.readexactly(length)
                if not one.values(b"x-call-id"):
                    await plain(one)
                    writer.close()
                    break
                self.asked.append(one)
                await self.act(one)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:
            self.failures.append(error)
        finally:
            self._writers.discard(writer)
            writer.close()

    def stop(self) -> None:
        for writer in list(self._writers):
            writer.close()


@asynccontextmanager
async def raw_target() -> AsyncIterator[RawTarget]:
    made = RawTarget()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=2**20)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.stop()


@dataclass
class Wire:
    """A consumer's connection to the gateway."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readexactly(count)

    async def chunk(self) -> bytes:
        """The next piece of a chunked body; nothing at its end."""
        async with asyncio.timeout(DEADLINE):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2]

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read()

    async def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of an answer with a length."""
        head = await self.head()
        at = head.lower().find(b"\r\ncontent-length: ")
        length = int(head[at + 18 :].split(b"\r\n")[0]) if at >= 0 else 0
        return int(head[9:12]), head, await self.exactly(length)

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def wire(server: Server) -> AsyncIterator[Wire]:
    port = int(server.origin.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not await true():
            await asyncio.sleep(0.02)
