"""What an image may be, by what it is for. No I/O."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flux.community.media.probe import Format

_DATA_URI = re.compile(r"data:image/[a-z0-9.+-]{1,20}(?:;[a-z0-9=.-]{1,40})*;base64,", re.IGNORECASE)
MOST_CHARACTERS = 32_000_000

DataUri = Annotated[
    str, Meta(max_length=MOST_CHARACTERS, extra={"raw": True}, description="data:image/…;base64,…")
]
"""An image in a JSON body."""
BODY_BYTES = 16_000_000
"""Of a route that takes one."""


@dataclass(frozen=True, slots=True)
class Use:
    """What an image is for; `limit` names the setting that bounds its bytes."""

    kind: str
    limit: str = "avatar_bytes"
    formats: tuple[Format, ...] = ("jpeg", "png", "webp", "gif", "avif")


AVATAR = Use("avatar")
BANNER = Use("banner")
ICON = Use("icon")
SPLASH = Use("splash")
EMBED_SPLASH = Use("embed-splash")
MEMBER_AVATAR = Use("member-avatar")
MEMBER_BANNER = Use("member-banner")
EMOJI = Use("emoji", "emoji_bytes")
STICKER = Use("sticker", "sticker_bytes", ("png", "gif", "webp", "avif"))


def decode(text: str) -> bytes | None:
    """The bytes of a data URI or of bare base64; None for what is neither."""
    found = _DATA_URI.match(text)
    payload = text[found.end() :] if found else text
    try:
        return base64.b64decode(payload, validate=True) or None
    except ValueError:
        return None


def size_of(text: str) -> int:
    """How many bytes the text stands for, before they are made; never too few by more than two."""
    found = _DATA_URI.match(text)
    return (len(text) - (found.end() if found else 0)) * 3 // 4


def fitting(size: int) -> bool:
    """Sizes that may be asked for: powers of two from 16 to 4096, and their halfway marks."""
    return 16 <= size <= 4096 and (
        size & (size - 1) == 0 or (size % 3 == 0 and (size // 3) & (size // 3 - 1) == 0)
    )
