"""Images and forms for tests."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

from PIL import Image, PngImagePlugin

BLOCKED = b"FLUX-BLOCKED-CONTENT-SAMPLE\n"


def still(
    kind: str = "png", width: int = 8, height: int = 8, color: tuple[int, ...] = (200, 10, 10)
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, kind.upper())
    return out.getvalue()


def moving(kind: str = "gif", width: int = 8, height: int = 8, frames: int = 3) -> bytes:
    out = io.BytesIO()
    each = [Image.new("RGB", (width, height), (80 * number % 256, 10, 10)) for number in range(frames)]
    each[0].save(out, kind.upper(), save_all=True, append_images=each[1:], duration=100, loop=0)
    return out.getvalue()


def explicit(probability: str = "0.99") -> bytes:
    """The sandbox's sample of an explicit image."""
    text = PngImagePlugin.PngInfo()
    text.add_text("flux:explicit", probability)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=text)
    return out.getvalue()


def uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def form(payload: dict[str, Any], *files: tuple[str, bytes] | tuple[str, bytes, str]) -> dict[str, Any]:
    """`files=` of httpx: `payload_json` with an entry for each file, and the files."""
    entries = [{"id": number, "filename": file[0]} for number, file in enumerate(files)]
    whole = {"attachments": entries, **payload}
    parts: dict[str, Any] = {"payload_json": (None, json.dumps(whole), "application/json")}
    return parts | {f"files[{number}]": file for number, file in enumerate(files)}
