"""Connections that come together are taken together, however long a turn of the loop is."""

from __future__ import annotations

import asyncio
import socket

import uvloop

from flux.kernel.wire.listening import listen, widened

TOGETHER = 8


class Counting(asyncio.Protocol):
    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Counting.made += 1
        transport.close()


async def _turns() -> int:
    """Of the loop, until as many connections as came at once have been taken."""
    loop = asyncio.get_running_loop()
    listener = listen("127.0.0.1", 0)
    servers = [await loop.create_server(Counting, sock=one) for one in widened([listener])]
    clients = [socket.create_connection(listener.getsockname()[:2]) for _ in range(TOGETHER)]
    turns = 0
    while Counting.made < TOGETHER:
        assert turns < 1000
        await asyncio.sleep(0)
        turns += 1
    for one in (*servers, *clients):
        one.close()
    return turns


def test_a_burst_does_not_wait_for_a_turn_each() -> None:
    assert uvloop.run(_turns()) < TOGETHER
