"""Large bytes under a key such as `attachments/123/456/cat.png`.

Keys are slash-separated segments of `[A-Za-z0-9._-]`, never `.` or `..`. A `put` that did not finish leaves nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


class BlobMissing(KeyError):
    """No such key."""


class BlobTooLarge(Exception):
    """The stream passed its limit; nothing was kept."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    key: str
    size: int
    """Bytes."""
    sha256: str
    """Lowercase hex of the content."""


class Blobs(Protocol):
    async def put(self, key: str, chunks: AsyncIterator[bytes], *, limit: int) -> BlobInfo:
        """Stream in at most `limit` bytes in constant memory. Raises `BlobTooLarge`."""

    def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Stream out. Raises `BlobMissing`."""

    async def size(self, key: str) -> int:
        """Bytes. Raises `BlobMissing`."""

    async def delete(self, key: str) -> None:
        """Gone afterwards, whether or not it was there."""

    async def close(self) -> None: ...
