"""Giving a kept answer again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from flux.kernel.wire import Stream
from flux.paygate.replays.model import Kept

REPLAYED = {"Idempotent-Replayed": "true"}


def answer_again(kept: Kept) -> Stream:
    """As it was, with its own call id, marked as a repetition."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept.head.pairs]
    return Stream(_once(kept.body), None, kept.head.status, len(kept.body), dict(REPLAYED), raw)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
