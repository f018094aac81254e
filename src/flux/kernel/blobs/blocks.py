"""An uploaded stream as blocks of even size, counted and hashed on the way."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from flux.kernel.blobs.port import BlobTooLarge


class Intake:
    """`async for block in intake` yields blocks of at least `block_bytes`, but for the last. `size` and `sha256`
    are those of what was yielded. Raises `BlobTooLarge` before a byte past `limit` is yielded."""

    def __init__(self, chunks: AsyncIterator[bytes], block_bytes: int, limit: int) -> None:
        self.size = 0
        self._chunks = chunks
        self._block_bytes = block_bytes
        self._limit = limit
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held: list[bytes] = []
        held_bytes = 0
        async for chunk in self._chunks:
            self.size += len(chunk)
            if self.size > self._limit:
                raise BlobTooLarge
            self._hash.update(chunk)
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes >= self._block_bytes:
                yield b"".join(held)
                held, held_bytes = [], 0
        if held_bytes:
            yield b"".join(held)
