"""Time limits that cost nothing to work that never waits.

A timer for each request, set and taken away again, costs more than many a request. So the work is driven to its first
wait, and only what does wait gets a timer.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from flux.kernel.wire.troubles import Kind, WireTrouble

T = TypeVar("T")


@types.coroutine
def within(seconds: float, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """To be awaited: what `work` returns. Raises `WireTrouble` REQUEST_TIMEOUT, and the work is cancelled."""
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    return (yield from _timed(seconds, work, waits_for).__await__())


async def _timed(seconds: float, work: Coroutine[Any, Any, T], waits_for: Any) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await _resumed(work, waits_for)
    except TimeoutError:
        raise WireTrouble(Kind.REQUEST_TIMEOUT, limit=seconds) from None


@types.coroutine
def _resumed(work: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """The rest of a coroutine that has begun: `await` takes none of those."""
    while True:
        thrown: BaseException | None = None
        sent = None
        try:
            sent = yield waits_for
        except BaseException as error:
            thrown = error
        try:
            waits_for = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as done:
            value: T = done.value
            return value
