"""Shows an image as it was sent, or smaller and in another format. What was made is remembered, within a bound."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.media import rules
from flux.community.media.darkroom import BadImage, Darkroom
from flux.community.media.ranges import Conditions, Span
from flux.kernel.blobs.port import BlobMissing, Blobs
from flux.kernel.wire import Raw, Reply, Stream
from flux.settings.community_media import Media

FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "gif": "gif", "avif": "avif"}
"""By file extension."""
MOVING = frozenset({"gif", "webp", "png", "avif"})
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
FOREVER = "public, max-age=31536000, immutable"
Shown = Raw | Stream | Reply


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it is kept. `disposition` is the header that goes with it, if any."""

    key: str
    content_type: str
    size: int
    width: int = 0
    height: int = 0
    animated: bool = False
    disposition: str = ""

    @property
    def format(self) -> str:
        """Of an image the workers can open; empty for anything else."""
        name = self.content_type.removeprefix("image/")
        return name if name in FORMATS.values() and self.width else ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How it is to be shown: `format` is empty for as it is, a side of 0 is free."""

    format: str = ""
    width: int = 0
    height: int = 0
    animated: bool = True


class Gallery:
    def __init__(self, blobs: Blobs, darkroom: Darkroom, settings: Media) -> None:
        self._blobs = blobs
        self._darkroom = darkroom
        self._settings = settings
        self._cache: OrderedDict[tuple[str, Wish], tuple[bytes, str]] = OrderedDict()
        self._cached_bytes = 0
        self._making: dict[tuple[str, Wish], asyncio.Future[tuple[bytes, str]]] = {}

    async def show(self, original: Original, wish: Wish, conditions: Conditions) -> Shown:
        """Whole, in part (206), or not at all (304) as the conditions say. Raises NOT_FOUND, RANGE_NOT_SATISFIABLE,
        SERVICE_UNAVAILABLE, and VALIDATION_ERROR on `format` for what cannot be shown so."""
        wish = _needed(original, wish)
        mark = f'"{original.key.replace("/", "-")}-{wish.format}{wish.width}x{wish.height}{"a" if wish.animated else ""}"'
        headers = {**SAFE, "Cache-Control": FOREVER, "ETag": mark, "Accept-Ranges": "bytes"}
        if original.disposition:
            headers["Content-Disposition"] = original.disposition
        if conditions.knows(mark):
            return Reply(None, 304, headers)
        if not wish.format:
            return await self._as_it_is(original, conditions.span(mark, original.size), headers)
        data, content_type = await self._rendered(original, wish)
        span = conditions.span(mark, len(data))
        if span is None:
            return Raw(data, content_type, headers=headers)
        return Raw(data[span.start : span.end + 1], content_type, 206, headers | span.header)

    async def _as_it_is(self, original: Original, span: Span | None, headers: dict[str, str]) -> Stream:
        if span is None:
            chunks = await _begun(self._blobs.read(original.key))
            return Stream(chunks, original.content_type, content_length=original.size, headers=headers)
        chunks = await _begun(self._blobs.read(original.key, start=span.start, length=span.length))
        return Stream(chunks, original.content_type, 206, span.length, headers | span.header)

    async def _rendered(self, original: Original, wish: Wish) -> tuple[bytes, str]:
        place = (original.key, wish)
        if (known := self._cache.get(place)) is not None:
            self._cache.move_to_end(place)
            return known
        if (making := self._making.get(place)) is None:
            making = self._making[place] = asyncio.ensure_future(self._make(original, wish))
            making.add_done_callback(lambda _: self._making.pop(place, None))
        return await asyncio.shield(making)

    async def _make(self, original: Original, wish: Wish) -> tuple[bytes, str]:
        if original.size > self._settings.source_bytes:
            raise faults.NOT_FOUND()
        if original.width * original.height > self._settings.pixels:
            raise invalid("format", "The image is too large to be shown otherwise.", "IMAGE_TOO_LARGE")
        try:
            data, _ = await self._darkroom.develop(
                self._blobs.read(original.key), original.size, format=wish.format, width=wish.width,
                height=wish.height, animated=wish.animated and original.animated,
            )  # fmt: skip
        except BadImage as refusal:
            raise invalid("format", "The image cannot be shown otherwise.", refusal.reason.upper()) from None
        except BlobMissing:
            raise faults.NOT_FOUND() from None
        made = (data, f"image/{wish.format}")
        self._remember((original.key, wish), made)
        return made

    def _remember(self, place: tuple[str, Wish], made: tuple[bytes, str]) -> None:
        self._cache[place] = made
        self._cached_bytes += len(made[0])
        while self._cached_bytes > self._settings.cache_bytes and self._cache:
            _, (old, _) = self._cache.popitem(last=False)
            self._cached_bytes -= len(old)


def _needed(original: Original, wish: Wish) -> Wish:
    """What is left to do: nothing when the original is as it is wished for."""
    if not original.format:
        if wish.format:
            raise invalid("format", "Only images are shown in other formats.", "NOT_AN_IMAGE")
        return Wish()
    width = wish.width if 0 < wish.width < original.width else 0
    height = wish.height if 0 < wish.height < original.height else 0
    wanted = wish.format or original.format
    if not width and not height and wanted == original.format and (wish.animated or not original.animated):
        return Wish()
    return Wish(wanted, width, height, wish.animated and original.animated and wanted in MOVING)


def side(size: int) -> int:
    """A size that was asked for. Raises a validation failure for one that is not offered."""
    if not rules.fitting(size):
        raise invalid(
            "size", "Expected a power of two from 16 to 4096, or three quarters of one.", "INVALID_SIZE"
        )
    return size


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same chunks, after the first is known to be there. Raises NOT_FOUND."""
    try:
        first = await anext(chunks, b"")
    except BlobMissing:
        raise faults.NOT_FOUND() from None

    async def every() -> AsyncIterator[bytes]:
        if first:
            yield first
        async for chunk in chunks:
            yield chunk

    return every()
