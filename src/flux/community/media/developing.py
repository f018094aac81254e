"""A worker that decodes images: `python -m flux.community.media.developing <bytes of address space>`.

The only code that runs a decoder on what strangers sent. It reads orders from its standard input and answers on its
standard output, holds no secret, knows no file, and ends with its input. A crash of it costs one answer.

Each way: four bytes (big endian) of length, a msgpack struct, then `size` raw bytes.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct
from PIL import Image, ImageOps, ImageSequence

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
_SAVING: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 6},
    "jpeg": {"format": "JPEG", "quality": 85},
    "gif": {"format": "GIF"},
    "webp": {"format": "WEBP", "quality": 82, "method": 2},
    "avif": {"format": "AVIF", "quality": 65, "speed": 9},
}
_MOVES = frozenset({"gif", "webp", "png"})


class Order(Struct):
    """`size` bytes of an image follow. Without `format` it is only verified. The result fits into `width` × `height`,
    keeps its proportions and is never larger than the original; 0 leaves a side free."""

    size: int
    pixels: int
    frames: int
    format: str = ""
    width: int = 0
    height: int = 0
    animated: bool = False
    animated_pixels: int = 100_000_000
    """Of all frames together, as they were sent; what comes after is left out."""


class Answer(Struct):
    """`error` is empty, `not_an_image` or `too_many_pixels`; `size` bytes of the result follow."""

    size: int = 0
    error: str = ""
    width: int = 0
    height: int = 0


def develop(order: Order, data: bytes) -> tuple[Answer, bytes]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > order.pixels:
                return Answer(error="too_many_pixels"), b""
            if not order.format:
                image.load()
                return Answer(width=image.width, height=image.height), b""
            return _render(order, image)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, ArithmeticError, IndexError, KeyError):
        return Answer(error="not_an_image"), b""
    except Image.DecompressionBombError:
        return Answer(error="too_many_pixels"), b""


def _render(order: Order, image: Image.Image) -> tuple[Answer, bytes]:
    width, height = _fitted(order, image.width, image.height)
    written = io.BytesIO()
    saving = _SAVING[order.format]
    if order.animated and order.format in _MOVES and getattr(image, "is_animated", False):
        frames, durations = _frames(order, image, width, height)
        more: dict[str, Any] = {} if order.format == "webp" else {"disposal": 2}
        frames[0].save(
            written, **saving, **more, save_all=True, append_images=frames[1:], duration=durations, loop=0
        )
        return Answer(len(written.getbuffer()), "", width, height), written.getvalue()
    if order.width or order.height:
        image.draft("RGB", (width * 2, height * 2))
    still = ImageOps.exif_transpose(image)
    width, height = _fitted(order, still.width, still.height)
    still = _mode(still, order.format)
    if still.size != (width, height):
        still = still.resize((width, height), Image.Resampling.LANCZOS)
    still.save(written, **saving)
    return Answer(len(written.getbuffer()), "", width, height), written.getvalue()


def _frames(order: Order, image: Image.Image, width: int, height: int) -> tuple[list[Image.Image], list[int]]:
    frames: list[Image.Image] = []
    durations: list[int] = []
    # A few bytes a frame can stand for a huge canvas that is drawn anew each time.
    most = max(1, min(order.frames, order.animated_pixels // (image.width * image.height)))
    for frame in ImageSequence.Iterator(image):
        if len(frames) == most or (len(frames) + 1) * width * height > order.pixels:
            break
        durations.append(max(20, int(frame.info.get("duration") or 100)))
        frames.append(frame.convert("RGBA").resize((width, height), Image.Resampling.BILINEAR))
    return frames, durations


def _fitted(order: Order, width: int, height: int) -> tuple[int, int]:
    sides = ((order.width, width), (order.height, height))
    scale = min([1.0, *(asked / real for asked, real in sides if asked)])
    return max(1, round(width * scale)), max(1, round(height * scale))


def _mode(image: Image.Image, wanted: str) -> Image.Image:
    clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if wanted != "jpeg":
        return image.convert("RGBA" if clear else "RGB")
    if not clear:
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, (255, 255, 255))
    drawn = image.convert("RGBA")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return paper


def serve(source: BinaryIO, out: BinaryIO) -> None:
    decoder = msgspec.msgpack.Decoder(Order)
    encoder = msgspec.msgpack.Encoder()
    while len(length := source.read(4)) == 4:
        order = decoder.decode(source.read(int.from_bytes(length, "big")))
        data = source.read(order.size)
        if len(data) < order.size:
            return
        answer, result = develop(order, data)
        told = encoder.encode(answer)
        out.write(len(told).to_bytes(4, "big") + told + result)
        out.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    most = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(5)
    Image.MAX_IMAGE_PIXELS = None  # ours is asked first
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
