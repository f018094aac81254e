"""What a handler may return when a plain value is not enough.

A struct, list or dict is encoded as JSON with the route's status; `None` is 204. Otherwise one of these.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Reply(Struct, frozen=True):
    """A JSON value with a status or headers of its own. `value=None` sends an empty body."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = {}


class Raw(Struct, frozen=True):
    """Bytes that are ready to leave (already encoded JSON, an image, a page)."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = {}


class Encoded(Generic[T]):
    """The JSON of a `T`, made already: `-> Encoded[list[Message]]` is described as the list, and leaves as it is."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body


class Stream(Struct, frozen=True):
    """Chunks written as they come. With no `content_length` the answer is chunked. `raw_headers` keeps repeats."""

    chunks: AsyncIterator[bytes]
    content_type: str | None = "application/octet-stream"
    status: int = 200
    content_length: int | None = None
    headers: dict[str, str] = {}
    raw_headers: list[tuple[bytes, bytes]] = []
