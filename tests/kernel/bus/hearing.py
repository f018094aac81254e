"""A listener that remembers, and a wait for what it should hear."""

from __future__ import annotations

import asyncio


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    def __call__(self, subject: str, payload: bytes) -> None:
        self.heard.append((subject, payload))
        self._news.set()

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.heard]

    async def wait_for(self, count: int, seconds: float = 10.0) -> None:
        """Until `count` events were heard; fails after `seconds`."""
        async with asyncio.timeout(seconds):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
