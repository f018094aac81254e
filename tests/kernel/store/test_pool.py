"""Lending connections: none is lent twice, none is lost."""

from __future__ import annotations

import asyncio

import pytest

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.postgres_pool import ConnectionPool


class Connection:
    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    async def close(self, timeout: float) -> None:
        await asyncio.sleep(0)
        self.closed = True

    def terminate(self) -> None:
        self.closed = True


class Server:
    def __init__(self) -> None:
        self.made: list[Connection] = []
        self.refuses = False

    async def connect(self) -> Connection:
        await asyncio.sleep(0)
        if self.refuses:
            raise ConnectionRefusedError
        self.made.append(Connection())
        return self.made[-1]


@pytest.fixture
def server() -> Server:
    return Server()


async def test_it_opens_no_more_than_its_size_and_reuses(server: Server) -> None:
    pool = ConnectionPool(server.connect, 3, 1)
    lent: set[Connection] = set()

    async def one() -> None:
        connection = await pool.acquire()
        assert connection not in lent
        lent.add(connection)
        await asyncio.sleep(0)
        lent.discard(connection)
        pool.release(connection)

    await asyncio.gather(*(one() for _ in range(100)))
    assert len(server.made) == 3
    await pool.close(1)
    assert all(connection.closed for connection in server.made)


@pytest.mark.parametrize("turns", range(4))
async def test_a_waiter_cancelled_at_any_turn_loses_no_connection(server: Server, turns: int) -> None:
    pool = ConnectionPool(server.connect, 1, 1)
    connection = await pool.acquire()
    waiter = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0)
    if turns == 0:
        waiter.cancel()
        pool.release(connection)
    else:
        pool.release(connection)
        for _ in range(turns - 1):
            await asyncio.sleep(0)
        waiter.cancel()
    done = (await asyncio.gather(waiter, return_exceptions=True))[0]
    if isinstance(done, Connection):
        pool.release(done)
    async with asyncio.timeout(20):
        assert await pool.acquire() is connection


async def test_a_discarded_connection_makes_room_for_a_waiter(server: Server) -> None:
    pool = ConnectionPool(server.connect, 1, 1)
    connection = await pool.acquire()
    waiter = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0)
    pool.discard(connection)
    assert await waiter is not connection
    assert connection.closed


async def test_a_dead_idle_connection_is_not_lent(server: Server) -> None:
    pool = ConnectionPool(server.connect, 2, 1)
    first, second = await pool.acquire(), await pool.acquire()
    pool.release(first)
    pool.release(second)
    second.closed = True
    assert await pool.acquire() is first
    assert await pool.acquire() is server.made[2]


async def test_a_server_that_refuses_fails_each_waiter_and_recovers(server: Server) -> None:
    pool = ConnectionPool(server.connect, 2, 1)
    server.refuses = True
    results = await asyncio.gather(*(pool.acquire() for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, ConnectionRefusedError) for result in results)
    server.refuses = False
    assert await pool.acquire()


async def test_closing_waits_for_loans_and_refuses_new_ones(server: Server) -> None:
    pool = ConnectionPool(server.connect, 1, 1)
    connection = await pool.acquire()
    waiter = asyncio.ensure_future(pool.acquire())
    closing = asyncio.ensure_future(pool.close(5))
    await asyncio.sleep(0.01)
    assert not closing.done()
    with pytest.raises(PortFailure) as caught:
        await waiter
    assert caught.value.mode is Mode.UNAVAILABLE
    pool.release(connection)
    await closing
    assert connection.closed


async def test_closing_cuts_what_does_not_come_back(server: Server) -> None:
    pool = ConnectionPool(server.connect, 1, 1)
    connection = await pool.acquire()
    await pool.close(0.01)
    assert connection.closed
