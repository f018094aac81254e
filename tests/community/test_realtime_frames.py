"""Below the gateway's payloads: frames, pings, floods, and connections that never say who they are. Over a raw socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.community.actors import new_address, person, stranger
from tests.community.gateway import PROPERTIES, Closed, GatewayClient
from tests.harness.server import Server, serve

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HELLO = b'"op":10'


class Raw:
    """A connection on which every frame is made by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, server: Server, address: str = "", buffer: int = 1 << 16) -> Raw:
        where = urlsplit(server.origin)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=buffer)
        head = (
            f"GET /community/gateway?v=1 HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nX-Forwarded-For: {address or new_address()}\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in answer, answer
        return cls(reader, writer)

    def send(self, opcode: int, body: bytes = b"", *, last: bool = True) -> None:
        self.writer.write(framed(opcode, body, last=last))

    async def receive(self) -> tuple[int, bytes]:
        """Raises EOFError, ConnectionError, TimeoutError."""
        async with asyncio.timeout(30):
            first, second = await self.reader.readexactly(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            return first & 15, await self.reader.readexactly(size)

    async def ends_with(self) -> int:
        """The close code; what comes before it is skipped."""
        while True:
            opcode, body = await self.receive()
            if opcode == CLOSE:
                return int.from_bytes(body[:2], "big")

    def close(self) -> None:
        self.writer.transport.abort()


def framed(opcode: int, body: bytes = b"", *, last: bool = True) -> bytes:
    size = len(body)
    if size < 126:
        head = bytes([0x80 | size])
    elif size < 65_536:
        head = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return bytes([(0x80 if last else 0) | opcode]) + head + b"\0\0\0\0" + body


@pytest.fixture
async def raw(server: Server) -> AsyncIterator[Raw]:
    connection = await Raw.open(server)
    yield connection
    connection.close()


@pytest.mark.parametrize("size", [4097, 65_536, 65_537, 3_000_000])
async def test_a_payload_of_any_size_beyond_the_limit_is_closed_with_4002(raw: Raw, size: int) -> None:
    """Also one that is still being sent when the close frame comes."""
    raw.send(TEXT, b"x" * size)
    await raw.writer.drain()
    assert await raw.ends_with() == 4002


async def test_pieces_are_one_payload(raw: Raw) -> None:
    for piece in (b'{"op"', b"", b":1,", b'"d":null'):
        raw.send(TEXT if b"op" in piece else 0, piece, last=False)
    raw.send(PING, b"between")
    raw.send(0, b"}")
    seen = [await raw.receive() for _ in range(3)]
    assert sorted(opcode for opcode, _ in seen) == [TEXT, TEXT, PONG]
    assert (TEXT, b'{"op":11}') in seen


@pytest.mark.parametrize("piece", [b"", b"x" * 1000])
async def test_a_payload_that_never_ends_is_closed_with_4002(raw: Raw, piece: bytes) -> None:
    raw.send(TEXT, b"{", last=False)
    raw.writer.write(framed(0, piece, last=False) * 2000)
    assert await raw.ends_with() == 4002


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([framed(TEXT, b"\xff\xfe")], 1007),
        ([framed(TEXT, b"\xc3", last=False), framed(0, b"(")], 1007),
        ([b"\x81\x02{}"], 1002),
        ([b"\xc1" + framed(TEXT, b"{}")[1:]], 1002),
        ([framed(3)], 1002),
        ([framed(0, b"x")], 1002),
        ([framed(TEXT, b"{", last=False), framed(TEXT, b"}")], 1002),
        ([framed(PING, b"x" * 126)], 1002),
        ([framed(CLOSE, b"\0\1")], 1002),
        ([framed(CLOSE, b"\3")], 1002),
        ([framed(CLOSE, b"\x03\xe8\xff")], 1007),
        ([framed(CLOSE, b"\x03\xe8")], 1000),
    ],
)
async def test_what_is_no_frame(raw: Raw, frames: list[bytes], code: int) -> None:
    for frame in frames:
        raw.writer.write(frame)
    assert await raw.ends_with() == code


async def test_what_clients_send_wrongly_writes_no_traces_into_the_log(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        for frame in (framed(TEXT, b"\xff"), b"\x81\x02{}", framed(TEXT, b"x" * 100_000)):
            connection = await Raw.open(server)
            connection.writer.write(frame)
            await connection.ends_with()
            connection.close()
        assert "Traceback" not in server.log()


async def test_pings_are_answered_and_counted(raw: Raw) -> None:
    raw.send(PING, b"here?")
    while (answer := await raw.receive())[0] != PONG:
        pass
    assert answer[1] == b"here?"
    raw.writer.write(framed(PING, b"x" * 125) * 10_000)
    assert await raw.ends_with() == 1008


async def test_pongs_that_nobody_asked_for_are_counted_too(raw: Raw) -> None:
    raw.writer.write(framed(PONG) * 10_000)
    assert await raw.ends_with() == 1008


async def test_a_peer_that_does_not_read_its_pongs_is_owed_one(tmp_path: Path) -> None:
    settings = {"server.socket_pings_per_minute": 10_000_000}
    async with serve(tmp_path, settings=settings) as server:
        connection = await Raw.open(server, buffer=1024)
        connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
        before = resident(server)
        for _ in range(100):
            connection.writer.write(framed(PING, b"x" * 125) * 3000)
            await connection.writer.drain()
        connection.send(PING, b"last")
        await connection.writer.drain()
        grown = resident(server) - before
        connection.writer.transport.resume_reading()  # type: ignore[attr-defined]
        answered = 0
        while True:
            opcode, body = await connection.receive()
            answered += opcode == PONG
            if body == b"last":
                break
        connection.close()
        # 300,000 answers of 127 bytes are 38 MB; what the kernel's own buffers took is answered as well.
        assert answered < 200_000
        assert grown < 20_000


def resident(server: Server) -> int:
    """KiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0])


# -- connections that never say who they are ------------------------------------------------------------------


async def test_nobody_may_stay_a_stranger(tmp_path: Path) -> None:
    """Heartbeats alone keep no connection; a refused resume leaves one a stranger, a session does not."""
    async with serve(tmp_path) as server:
        owner = await person(server)
        async with GatewayClient(stranger(server)) as idle, GatewayClient(owner) as client:
            await client.identify()
            await idle.send(6, {"token": "x", "session_id": "y", "seq": 0})
            assert await idle.receive() == {"op": 9, "d": False}
            for _ in range(2):
                await server.sandbox.clock(29)
                await idle.heartbeat()
                await client.heartbeat()
            await server.sandbox.clock(5)
            assert await idle.closed_with() == 4003
            await client.heartbeat()


async def test_strangers_are_counted(tmp_path: Path) -> None:
    settings = {"community.realtime.max_strangers": 20, "community.rate_limits.enabled": False}
    async with serve(tmp_path, settings=settings) as server:
        owner = await person(server)
        crowd = [await Raw.open(server) for _ in range(20)]
        for each in crowd:
            assert HELLO in (await each.receive())[1]
        late = await Raw.open(server)
        assert await late.ends_with() == 4000
        crowd[0].close()
        async with asyncio.timeout(30):
            while True:
                client = GatewayClient(owner)
                await client.connect(hello=False)
                try:
                    await client.identify()
                except Exception:
                    await client.close()
                    continue
                break
        # Who has a session takes up no place among them.
        late = await Raw.open(server)
        assert HELLO in (await late.receive())[1]
        for each in (*crowd, late):
            each.close()
        await client.close()


async def test_connects_are_counted_by_address(server: Server) -> None:
    address = new_address()
    open_ones = []
    with pytest.raises(AssertionError, match=" 429 "):
        for _ in range(200):
            open_ones.append(await Raw.open(server, address))
    assert 10 < len(open_ones) < 200
    for each in open_ones:
        each.close()


async def test_a_reader_that_keeps_still_at_the_end_is_left(raw: Raw) -> None:
    """Whoever neither answers the goodbye nor hangs up is hung up on."""
    raw.send(TEXT, json.dumps({"op": 2, "d": {"token": "x", "properties": PROPERTIES}}).encode())
    assert await raw.ends_with() == 4004
    async with asyncio.timeout(30):
        assert await raw.reader.read() == b""


async def test_sessions_are_counted_and_the_silent_are_prodded_once(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"community.realtime.max_sessions": 2}) as server:
        people = [await person(server) for _ in range(3)]
        async with GatewayClient(people[0]) as first, GatewayClient(people[1]) as second:
            await first.identify()
            await second.identify()
            third = GatewayClient(people[2])
            await third.connect()
            await third.send(2, {"token": third.token, "properties": PROPERTIES})
            assert await third.closed_with() == 4000
            await first.close()
            async with asyncio.timeout(30):
                while True:
                    await third.connect()
                    try:
                        await third.identify()
                    except Closed:
                        await asyncio.sleep(0.05)
                        continue
                    break
            for seconds in (38, 3, 3):
                await server.sandbox.clock(seconds)
            # What is answered now comes after whatever these seconds brought.
            await second.send(8, {"guild_id": "1"})
            while (await second.receive())["op"] != 12:
                pass
            assert len([each for each in second.seen if each["op"] == 1]) == 1
            await third.close()
