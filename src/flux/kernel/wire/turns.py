"""Who runs the application for a connection's requests.

A task for each request costs several microseconds: it is made, entered among all tasks, and a callback tells of its end. So a
task that is done with a request rests, and takes the connection's next one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from flux.kernel.watch.logs import in_request
from flux.kernel.wire.exchange import Exchange


class Turns:
    """One connection's. `running` is the server's set of tasks that serve something: a resting one is not among them."""

    __slots__ = ("_app", "_left", "_loop", "_rest", "_resting", "_running")

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, running: set[asyncio.Task[None]]) -> None:
        self._app = app
        self._loop = loop
        self._running = running
        self._rest: asyncio.Future[Exchange | None] | None = None
        self._resting: asyncio.Task[None]
        self._left = False

    def take(self, exchange: Exchange) -> None:
        """Begin to serve it, whatever else of the connection is still being served."""
        rest, self._rest = self._rest, None
        if rest is None or rest.done():
            task = self._loop.create_task(self._serve(exchange))
        else:
            task = self._resting
            rest.set_result(exchange)
        self._running.add(task)

    def leave(self) -> None:
        """The connection is over, or no longer HTTP: nobody needs to rest for it."""
        self._left = True
        rest, self._rest = self._rest, None
        if rest is not None and not rest.done():
            rest.set_result(None)

    async def _serve(self, exchange: Exchange | None) -> None:
        task: asyncio.Task[None] = asyncio.current_task()  # type: ignore[assignment]
        try:
            while exchange is not None:
                try:
                    await self._app(exchange.scope, exchange.receive, exchange.send)
                except (Exception, asyncio.CancelledError) as failure:
                    exchange.ended(failure)
                else:
                    exchange.ended(None)
                if self._left or self._rest is not None or task.cancelling():
                    return
                # What rests holds nothing of what it served.
                in_request(None)
                exchange = None
                self._running.discard(task)
                rest = self._rest = self._loop.create_future()
                self._resting = task
                exchange = await _next(rest)
        finally:
            self._running.discard(task)


async def _next(rest: asyncio.Future[Exchange | None]) -> Exchange | None:
    try:
        return await rest
    except asyncio.CancelledError:
        if not rest.cancelled() and (given := rest.result()) is not None:
            # Cancelled between being given a request and beginning with it.
            given.ended(asyncio.CancelledError())
        raise
