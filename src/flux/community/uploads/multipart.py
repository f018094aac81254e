"""`multipart/form-data` as it arrives (RFC 7578): one part after the other, each streamed, in constant memory.

    async for part in Multipart(chunks, boundary):
        async for piece in part.content: ...

A part that is not read to its end is skipped. What is not a well-formed form raises `BadForm`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

MOST_PARTS = 64
MOST_HEADER_BYTES = 8192
MOST_PREAMBLE_BYTES = 4096
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9!#$&^_.*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')
_ESCAPE = re.compile(r'\\(["\\])')


class BadForm(Exception):
    """Not a form. The argument says why, for the client."""


@dataclass(slots=True)
class Part:
    """`filename` is None for a plain field, and otherwise as it was sent: never a path to write to."""

    name: str
    filename: str | None
    content_type: str
    content: AsyncIterator[bytes]


def boundary_of(content_type: str) -> bytes:
    """Raises `BadForm` without a usable one."""
    found = dict(_parameters(content_type)).get("boundary", "")
    if not _BOUNDARY.fullmatch(found):
        raise BadForm("The form has no usable boundary.")
    return found.encode("ascii")


def _parameters(header: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in _PARAMETER.findall(header):
        text = _ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value
        found.append((name.lower(), text))
    return found


class Multipart:
    """The parts of a form; iterate once."""

    def __init__(self, chunks: AsyncIterator[bytes], boundary: bytes) -> None:
        self._chunks = chunks
        self._mark = b"\r\n--" + boundary
        # The first delimiter has no line before it.
        self._buffer = bytearray(b"\r\n")
        self._over = False

    async def __aiter__(self) -> AsyncIterator[Part]:
        await self._preamble()
        count = 0
        while await self._another():
            count += 1
            if count > MOST_PARTS:
                raise BadForm(f"A form has at most {MOST_PARTS} parts.")
            part = _part(await self._head(), self._content())
            yield part
            async for _ in part.content:
                pass

    async def _preamble(self) -> None:
        while (at := self._buffer.find(self._mark)) < 0:
            if len(self._buffer) > MOST_PREAMBLE_BYTES:
                raise BadForm("The form does not begin with its boundary.")
            await self._more()
        del self._buffer[: at + len(self._mark)]

    async def _another(self) -> bool:
        """After a delimiter: whether a part follows."""
        while len(self._buffer) < 2:
            await self._more()
        if self._buffer.startswith(b"--"):
            return False
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > 128:
                raise BadForm("A boundary is followed by something else.")
            await self._more()
        if self._buffer[:end].strip(b" \t"):
            raise BadForm("A boundary is followed by something else.")
        # The line's end stays: it also begins the empty line that ends a head without headers.
        return True

    async def _head(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MOST_HEADER_BYTES:
                raise BadForm("The headers of a part are too long.")
            await self._more()
        if end > MOST_HEADER_BYTES:
            raise BadForm("The headers of a part are too long.")
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return head

    async def _content(self) -> AsyncIterator[bytes]:
        keep = len(self._mark) - 1
        while (at := self._buffer.find(self._mark)) < 0:
            if len(self._buffer) > keep:
                piece = bytes(self._buffer[:-keep])
                del self._buffer[:-keep]
                yield piece
            await self._more()
        piece = bytes(self._buffer[:at])
        del self._buffer[: at + len(self._mark)]
        if piece:
            yield piece

    async def _more(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise BadForm("The form ends before its last boundary.")
        self._buffer += chunk


def _part(head: bytes, content: AsyncIterator[bytes]) -> Part:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    disposition = headers.get("content-disposition", "")
    told = dict(_parameters(disposition))
    if not disposition.lower().startswith("form-data") or "name" not in told:
        raise BadForm("A part has no name.")
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Part(told["name"], told.get("filename"), media, content)
