"""What a file may be called, and what it is served as. No I/O."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from flux.community.media.probe import Picture

LONGEST = 255
UNKNOWN = "application/octet-stream"
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]")
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\.|\Z)",
    re.IGNORECASE,
)
"""What Windows takes for a device, whatever its ending."""
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_BY_ENDING = {
    "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "json": "application/json",
    "pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip", "mp3": "audio/mpeg",
    "ogg": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "m4a": "audio/mp4", "mp4": "video/mp4",
    "webm": "video/webm", "mov": "video/quicktime",
}  # fmt: skip
_SHOWN = frozenset(
    {
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain", "video/mp4", "video/webm",
        "video/quicktime", "video/ogg", "audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4",
        "audio/webm", "audio/aac",
    }
)  # fmt: skip
"""What a browser may show in its own window: nothing that can run a script."""


def clean(name: str | None) -> str:
    """The last part of whatever path was sent, without what cannot be seen; at most 255 characters, never empty, nowhere
    a device."""
    text = unicodedata.normalize("NFC", name or "").replace("\\", "/").rpartition("/")[2]
    text = _HIDDEN.sub("", text.encode("utf-8", "replace").decode("utf-8")).strip().strip("\"'<>|:*?")
    text = text.rstrip(". ") or "file"
    if _DEVICE.match(text):
        text = f"_{text}"
    if not text.strip("."):
        return "file"
    if len(text) > LONGEST:
        stem, dot, ending = text.rpartition(".")
        text = (
            stem[: LONGEST - len(ending) - 1] + dot + ending if dot and len(ending) <= 16 else text[:LONGEST]
        )
    return text


def content_type(claimed: str, filename: str, picture: Picture | None) -> str:
    """What the file is said to be: an image by its bytes alone, anything else by the sender's word."""
    if picture is not None:
        return picture.content_type
    if not _MEDIA_TYPE.fullmatch(claimed) or claimed == UNKNOWN:
        claimed = _BY_ENDING.get(filename.rpartition(".")[2].lower(), UNKNOWN)
    return UNKNOWN if claimed.startswith("image/") else claimed


def served_as(content_type: str) -> str:
    """What may be shown leaves as it is, the rest as bytes."""
    if content_type not in _SHOWN:
        return UNKNOWN
    return "text/plain; charset=utf-8" if content_type == "text/plain" else content_type


def disposition(content_type: str, filename: str) -> str:
    kind = "inline" if content_type in _SHOWN else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(filename, safe='')}"
