"""What an image is, read from its first bytes. Nothing is decoded, and nothing here trusts a length it was told.

`look` needs the first 256 KiB of a file at most (a JPEG with larger metadata stays unknown).
"""

from __future__ import annotations

import struct
from typing import Literal

from msgspec import Struct

Format = Literal["png", "jpeg", "gif", "webp", "avif"]
HEAD_BYTES = 262_144
LARGEST_SIDE = 65_535
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_MOST_CHUNKS = 4096


class Picture(Struct, frozen=True):
    """Width and height in pixels."""

    format: Format
    width: int
    height: int
    animated: bool = False

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


def look(head: bytes) -> Picture | None:
    """None for what is not one of the five formats, or is broken before its size is known."""
    try:
        found = _read(head)
    except (struct.error, IndexError):
        return None
    if found is None or not (0 < found.width <= LARGEST_SIDE and 0 < found.height <= LARGEST_SIDE):
        return None
    return found


def _read(head: bytes) -> Picture | None:
    if head.startswith(_PNG):
        return _png(head)
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(head)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[4:8] == b"ftyp":
        return _avif(head)
    return None


def _png(head: bytes) -> Picture | None:
    if head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", head, 16)
    return Picture("png", width, height, any(kind == b"acTL" for kind, _, _ in _png_chunks(head)))


def _png_chunks(head: bytes) -> list[tuple[bytes, int, int]]:
    """(kind, start, length) of the chunks before the image data, as far as they were sent."""
    found: list[tuple[bytes, int, int]] = []
    at = len(_PNG)
    while at + 8 <= len(head) and len(found) < _MOST_CHUNKS:
        length = int.from_bytes(head[at : at + 4], "big")
        kind = head[at + 4 : at + 8]
        if kind in (b"IDAT", b"IEND"):
            break
        found.append((kind, at + 8, length))
        at += 12 + length
    return found


def png_text(head: bytes, keyword: bytes) -> bytes | None:
    """The uncompressed text chunk of that keyword, if the PNG has one before its image data."""
    if not head.startswith(_PNG):
        return None
    for kind, start, length in _png_chunks(head):
        if kind == b"tEXt":
            name, _, text = head[start : start + length].partition(b"\0")
            if name == keyword:
                return text
    return None


def _jpeg(head: bytes) -> Picture | None:
    at = 2
    while at + 4 <= len(head):
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in _JPEG_BARE:
            at += 2
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return Picture("jpeg", width, height)
        if marker in (0xD9, 0xDA):
            return None
        at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None


def _gif(head: bytes) -> Picture:
    width, height, packed = struct.unpack_from("<HHB", head, 6)
    at = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
    images, loops = 0, False
    while at < len(head) and images < 2:
        if head[at] == 0x21:
            loops = loops or head[at + 3 : at + 14] == b"NETSCAPE2.0"
            at = _gif_blocks(head, at + 2)
        elif head[at] == 0x2C:
            images += 1
            if at + 10 > len(head):
                break
            flags = head[at + 9]
            at = _gif_blocks(head, at + 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1)
        else:
            return Picture("gif", width, height, False)
    # Where the first image alone fills what was sent, one that loops will have a second.
    return Picture("gif", width, height, images > 1 or loops)


def _gif_blocks(head: bytes, at: int) -> int:
    """Past a chain of sub-blocks."""
    while at < len(head) and head[at]:
        at += head[at] + 1
    return at + 1


def _webp(head: bytes) -> Picture | None:
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        return Picture("webp", width, height, bool(head[20] & 2)) if len(head) >= 30 else None
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = struct.unpack_from("<I", head, 21)[0]
        return Picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return Picture("webp", width & 0x3FFF, height & 0x3FFF)
    return None


def _avif(head: bytes) -> Picture | None:
    brands = head[8 : min(int.from_bytes(head[:4], "big"), 256, len(head))]
    if b"avif" not in brands and b"avis" not in brands:
        return None
    sizes: list[tuple[int, int]] = []
    _extents(head, 0, len(head), sizes, 0)
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Picture("avif", width, height, brands[:4] == b"avis")


def _extents(head: bytes, at: int, end: int, sizes: list[tuple[int, int]], level: int) -> None:
    """Sizes in the boxes meta → iprp → ipco → ispe."""
    while at + 8 <= end and len(sizes) < 64:
        length = int.from_bytes(head[at : at + 4], "big")
        kind = head[at + 4 : at + 8]
        stop = end if length == 0 else min(end, at + length)
        if kind == b"ispe" and at + 20 <= end:
            sizes.append(struct.unpack_from(">II", head, at + 12))
        elif kind in (b"meta", b"iprp", b"ipco") and level < 4:
            _extents(head, at + (12 if kind == b"meta" else 8), stop, sizes, level + 1)
        if length and length < 8:
            return
        at = stop
