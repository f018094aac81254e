"""Streams in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def repeated(
    chunk: bytes, times: int, notice: Callable[[], None] = lambda: None
) -> AsyncIterator[bytes]:
    for _ in range(times):
        notice()
        yield chunk


async def broken(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError("the client went away")


async def endless(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
    await asyncio.Event().wait()


async def content(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])
