"""Connections to one PostgreSQL server, lent one user at a time.

asyncpg's own pool costs more than the query it carries (a timer, a proxy and a task for each loan; 50 of 70 µs on a
keyed read), so this one lends the plain connections and does little else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from flux.kernel.faults.ports import Mode, PortFailure

_CLOSE_SECONDS = 1.0
"""For the server to confirm a cancelled statement. It ignores a cancel that arrives before the statement; then the
connection is cut, and the server notices by itself (`client_connection_check_interval`)."""


class ConnectionPool:
    """At most `size` connections, opened when needed; the one used last is lent first."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int, wait_seconds: float) -> None:
        self._connect = connect
        self._size = size
        self._wait_seconds = wait_seconds
        self._idle: list[Any] = []
        self._all: set[Any] = set()
        self._opening = 0
        self._waiters: deque[asyncio.Future[Any]] = deque()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._drained: asyncio.Future[None] | None = None

    async def acquire(self) -> Any:
        """A connection that is yours until `release` or `discard`.

        Raises `PortFailure(TIMEOUT)` when none comes free in time, and whatever connecting raises.
        """
        while True:
            if self._closed:
                raise PortFailure("store", Mode.UNAVAILABLE, "closed")
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._all.discard(connection)
            if len(self._all) + self._opening < self._size:
                return await self._open()
            connection = await self._wait()
            if connection is not None:
                return connection

    def release(self, connection: Any) -> None:
        """Give back a connection that is outside any transaction and has no statement under way."""
        if self._closed or connection.is_closed():
            self.discard(connection)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def discard(self, connection: Any) -> None:
        """Give back a connection in an unknown state: it is closed, which cancels and rolls back on the server."""
        if connection.is_closed():
            self._gone(connection)
            return
        task = asyncio.get_running_loop().create_task(self._shut(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self, seconds: float) -> None:
        """Refuse new loans, wait for the ones outside, then close. After `seconds` connections are cut."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        while self._idle:
            self.discard(self._idle.pop())
        if self._all or self._opening:
            self._drained = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._drained], timeout=seconds)
        for connection in list(self._all):
            connection.terminate()
        if self._closing:
            await asyncio.wait(self._closing)

    async def _open(self) -> Any:
        self._opening += 1
        try:
            connection = await self._connect()
            self._all.add(connection)
        finally:
            self._opening -= 1
            self._wake()
        return connection

    async def _wait(self) -> Any:
        """A connection handed over, or None when there may be room to open one."""
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await waiter
        except TimeoutError:
            self._turn_down(waiter)
            raise PortFailure("store", Mode.TIMEOUT, "pool") from None
        except asyncio.CancelledError:
            self._turn_down(waiter)
            raise

    def _turn_down(self, waiter: asyncio.Future[Any]) -> None:
        """The waiter left. What it may have been handed in the same turn of the loop goes to the next one."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif waiter.cancelled() or waiter.result() is None:
            self._wake()
        else:
            self.release(waiter.result())

    async def _shut(self, connection: Any) -> None:
        try:
            await connection.close(timeout=_CLOSE_SECONDS)
        except Exception:
            connection.terminate()
        finally:
            self._gone(connection)

    def _gone(self, connection: Any) -> None:
        self._all.discard(connection)
        self._wake()

    def _wake(self) -> None:
        """Let one waiter look for room, and `close` when everything is back."""
        while self._waiters and len(self._all) + self._opening < self._size:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break
        if self._drained is not None and not self._drained.done() and not self._all and not self._opening:
            self._drained.set_result(None)
