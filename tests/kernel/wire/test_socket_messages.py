"""Messages of a socket: the short way out writes what the long one does, and stands back where a message must wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import websockets
from tests.kernel.wire import small

from flux.kernel.faults import Ports
from flux.kernel.wire import Call, Routes, Socket, SocketClosed
from flux.kernel.wire.server import Application

PATIENCE = 30.0
SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)


@asynccontextmanager
async def serving(routes: Routes) -> AsyncIterator[str]:
    plane = small.build(routes=routes)
    async with small.serving(Application([plane, small.build_root()], ports=Ports())) as origin:
        yield f"{origin.replace('http', 'ws')}/small/socket"


async def test_messages_of_every_size_arrive_whole_and_in_order() -> None:
    routes = Routes()

    @routes.socket("/socket")
    async def talk(call: Call, socket: Socket) -> None:
        assert not socket.send_now("too early"), "before the handshake there are no messages"
        await socket.accept()
        while True:
            size = int(await socket.receive())
            for message in ("é" * size, b"\xff" * size):
                while not socket.send_now(message):
                    await asyncio.sleep(0.01)
            await socket.send_text("long way")

    async with serving(routes) as address, websockets.connect(address, max_size=None) as peer:
        for size in SIZES:
            await peer.send(str(size))
        for size in SIZES:
            assert await peer.recv() == "é" * size
            assert await peer.recv() == b"\xff" * size
            assert await peer.recv() == "long way"


async def test_what_a_slow_peer_does_not_read_is_not_written_now() -> None:
    routes, refused, end = Routes(), asyncio.Event(), asyncio.Event()

    @routes.socket("/socket")
    async def talk(call: Call, socket: Socket) -> None:
        await socket.accept()
        while socket.send_now("x" * 100_000):
            await asyncio.sleep(0)
        refused.set()
        await socket.send_text("last")
        assert socket.send_now("and again"), "the peer reads again"
        await socket.close(1000)
        assert not socket.send_now("after the goodbye")
        end.set()

    async with (
        asyncio.timeout(PATIENCE),
        serving(routes) as address,
        websockets.connect(address, max_size=None, max_queue=1) as peer,
    ):
        await refused.wait()
        last = ""
        with pytest.raises(websockets.ConnectionClosedOK):
            while True:
                before, last = last, str(await peer.recv())
        assert (before, last) == ("last", "and again")
        await end.wait()


async def test_many_messages_at_once_are_all_heard() -> None:
    routes, heard = Routes(), []

    @routes.socket("/socket")
    async def listen(call: Call, socket: Socket) -> None:
        await socket.accept()
        try:
            while True:
                heard.append(await socket.receive())
        except SocketClosed:
            heard.append("closed")

    async with asyncio.timeout(PATIENCE), serving(routes) as address:
        async with websockets.connect(address) as peer:
            for number in range(2000):
                await peer.send(str(number))
        while not heard or heard[-1] != "closed":
            await asyncio.sleep(0.02)
    assert heard == [*map(str, range(2000)), "closed"]
