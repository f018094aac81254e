"""Emojis and stickers as the database holds them."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class EmojiRow(Struct, frozen=True):
    id: int
    guild_id: int
    name: str
    animated: int
    hash: str
    creator_id: int


class StickerRow(Struct, frozen=True):
    """`tags` is a JSON list of strings."""

    id: int
    guild_id: int
    name: str
    description: str
    tags: bytes
    animated: int
    hash: str
    creator_id: int

    @property
    def tag_list(self) -> list[str]:
        return msgspec.json.decode(self.tags, type=list[str])
