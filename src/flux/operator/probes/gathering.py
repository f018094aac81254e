"""One `/metrics` for all workers behind a port: whichever of them is asked gathers what the others counted.

Each series carries its worker's number, so putting the texts together loses nothing. Workers of other machines are
targets of their own for Prometheus and keep out of it.
"""

from __future__ import annotations

import asyncio
import os
from hashlib import sha256

from flux.kernel.bus.port import Bus, Subscription
from flux.kernel.store import random_key
from flux.kernel.watch import Metrics

GATHER_SECONDS = 0.5
"""Who has not answered by then is left out: a busy worker must not cost the others their figures."""


def siblings() -> str:
    """A name that the children of one supervisor share and nobody else has."""
    return sha256(f"{os.uname().nodename}:{os.getppid()}".encode()).hexdigest()[:16]


def merged(texts: list[bytes]) -> bytes:
    """Expositions put together family by family: a family may stand in a text only once."""
    families: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for text in texts:
        samples: list[bytes] = []
        fresh = False
        for line in text.splitlines(keepends=True):
            if line.startswith(b"# HELP "):
                heads, samples = families.setdefault(line.split(b" ", 3)[2], ([], []))
                fresh = not heads
            if not line.startswith(b"# "):
                samples.append(line)
            elif fresh:
                heads.append(line)
    return b"".join(b"".join((*heads, *samples)) for heads, samples in families.values())


class Gathering:
    """`workers` is how many share the port, this one included; alone there is nothing to gather."""

    def __init__(self, bus: Bus, metrics: Metrics, *, workers: int, group: str) -> None:
        self._bus = bus
        self._metrics = metrics
        self._others = workers - 1
        self._me = random_key(16)
        self._ask = f"operator.metrics.{group}"
        self._waiting: dict[bytes, list[bytes]] = {}
        self._complete = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        if self._others:
            self._subscriptions.append(self._bus.subscribe(self._ask, self._asked))
            self._subscriptions.append(self._bus.subscribe(f"{self._ask}.{self._me}", self._answered))

    async def stop(self) -> None:
        while self._subscriptions:
            self._subscriptions.pop().cancel()

    async def text(self) -> bytes:
        # In a thread: thousands of series take tens of milliseconds to write.
        if not self._others:
            return await asyncio.to_thread(self._metrics.text)
        nonce = random_key(12).encode()
        answers = self._waiting[nonce] = []
        self._bus.publish(self._ask, self._me.encode() + b" " + nonce)
        own = await asyncio.to_thread(self._metrics.text)
        try:
            async with asyncio.timeout(GATHER_SECONDS):
                while len(answers) < self._others:
                    self._complete.clear()
                    await self._complete.wait()
        except TimeoutError:
            pass
        finally:
            del self._waiting[nonce]
        return merged([own, *answers])

    def _asked(self, _subject: str, payload: bytes) -> None:
        asker, _, nonce = payload.partition(b" ")
        if asker != self._me.encode() and asker.isalnum():
            task = asyncio.get_running_loop().create_task(self._answer(asker.decode(), nonce))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, asker: str, nonce: bytes) -> None:
        text = await asyncio.to_thread(self._metrics.text)
        self._bus.publish(f"{self._ask}.{asker}", nonce + b"\n" + text)

    def _answered(self, _subject: str, payload: bytes) -> None:
        nonce, _, text = payload.partition(b"\n")
        answers = self._waiting.get(nonce)
        if answers is not None:
            answers.append(text)
            self._complete.set()
