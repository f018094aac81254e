"""A handler that remembers, and waits for what should happen or should not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Handler:
    """Remembers payloads; raises the next of `failures` while there are any; with `gate`, waits there."""

    def __init__(self, failures: int = 0, gate: asyncio.Event | None = None) -> None:
        self.ran: list[dict[str, Any]] = []
        self.finished = 0
        self._failures = failures
        self._gate = gate

    async def __call__(self, payload: dict[str, Any]) -> None:
        self.ran.append(payload)
        if self._gate is not None:
            await self._gate.wait()
        if self._failures:
            self._failures -= 1
            raise ConnectionError("the other side said no")
        self.finished += 1


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def a_moment() -> None:
    """Long enough for anything that is going to run at once."""
    await asyncio.sleep(0.1)
