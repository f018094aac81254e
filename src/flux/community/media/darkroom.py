"""Gives images to the workers that decode them (developing.py), within time, memory and a bounded queue."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator

import msgspec

from flux.community import faults
from flux.community.media.developing import Answer, Order
from flux.settings.community_media import Media

_encode = msgspec.msgpack.Encoder().encode
_answers = msgspec.msgpack.Decoder(Answer)
_BLOCK = 262_144


class BadImage(Exception):
    """It cannot be decoded, or only at a price nobody pays. `reason`: not_an_image, too_many_pixels, too_slow."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Darkroom:
    """One queue, `workers` processes. They start with the first image and end when there was none for a while."""

    def __init__(self, settings: Media) -> None:
        self._settings = settings
        self._workers = [_Worker(settings) for _ in range(settings.workers)]
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._waiting = 0

    async def develop(
        self,
        source: AsyncIterator[bytes],
        size: int,
        *,
        format: str = "",
        width: int = 0,
        height: int = 0,
        animated: bool = False,
    ) -> tuple[bytes, Answer]:
        """The `size` bytes of `source` as `format`, fitted into `width` × `height`; without a format only verified.

        Raises `BadImage`, SERVICE_UNAVAILABLE when too many wait."""
        if self._waiting >= self._settings.waiting:
            raise faults.SERVICE_UNAVAILABLE()
        order = Order(
            size, self._settings.pixels, self._settings.frames, format, width, height, animated,
            self._settings.animated_pixels,
        )  # fmt: skip
        self._waiting += 1
        try:
            worker = await self._free.get()
        finally:
            self._waiting -= 1
        try:
            return await worker.work(order, source)
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        for worker in self._workers:
            await worker.end()


class _Worker:
    def __init__(self, settings: Media) -> None:
        self._settings = settings
        self._process: Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def work(self, order: Order, source: AsyncIterator[bytes]) -> tuple[bytes, Answer]:
        if self._idle is not None:
            self._idle.cancel()
        try:
            async with asyncio.timeout(self._settings.seconds):
                process = await self._running()
                answer, result = await _talk(process, order, source)
        except TimeoutError:
            await self.end()
            raise BadImage("too_slow") from None
        except (OSError, asyncio.IncompleteReadError):
            await self.end()  # it died over this image
            raise BadImage("not_an_image") from None
        except BaseException:
            await self.end()  # half an order stands in its input
            raise
        self._idle = asyncio.get_running_loop().call_later(self._settings.idle_seconds, self._rest)
        if answer.error:
            raise BadImage(answer.error)
        return result, answer

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "flux.community.media.developing",
                str(self._settings.memory_bytes),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
            )
        return self._process

    def _rest(self) -> None:
        task = asyncio.ensure_future(self.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def end(self) -> None:
        process, self._process = self._process, None
        if self._idle is not None:
            self._idle.cancel()
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _talk(process: Process, order: Order, source: AsyncIterator[bytes]) -> tuple[Answer, bytes]:
    assert process.stdin is not None and process.stdout is not None
    told = _encode(order)
    process.stdin.write(len(told).to_bytes(4, "big") + told)
    async for block in source:
        process.stdin.write(block)
        await process.stdin.drain()
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(4), "big")
    answer = _answers.decode(await process.stdout.readexactly(length))
    return answer, await process.stdout.readexactly(answer.size)


async def whole(data: bytes) -> AsyncIterator[bytes]:
    """Bytes in memory as a source."""
    for start in range(0, len(data), _BLOCK):
        yield data[start : start + _BLOCK]
