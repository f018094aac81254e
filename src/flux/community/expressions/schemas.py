"""Emojis and stickers on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.expressions.records import EmojiRow, StickerRow
from flux.community.inputs import Input
from flux.community.media.rules import DataUri
from flux.community.users.schemas import UserPartial

EmojiName = Annotated[str, Meta(min_length=2, max_length=32, pattern=r"^\s*[A-Za-z0-9_]+\s*$")]
StickerName = Annotated[str, Meta(min_length=2, max_length=30)]
Tag = Annotated[str, Meta(min_length=1, max_length=30)]
Tags = Annotated[list[Tag], Meta(max_length=10)]
Description = Annotated[str, Meta(max_length=500)]


class ExpressionQuery(Struct):
    """`purge` is accepted; the image is deleted with the expression either way."""

    purge: bool = False


class EmojiView(Struct, frozen=True):
    id: str
    name: str
    animated: bool
    user: UserPartial | UnsetType = UNSET

    @classmethod
    def of(cls, row: EmojiRow, user: UserPartial | None = None) -> EmojiView:
        return cls(str(row.id), row.name, bool(row.animated), user or UNSET)


class EmojiCreate(Input, kw_only=True):
    name: EmojiName
    image: DataUri


class EmojiBulkCreate(Struct):
    emojis: Annotated[list[EmojiCreate], Meta(min_length=1, max_length=50)]


class EmojiUpdate(Input, kw_only=True):
    name: EmojiName


class Failed(Struct, frozen=True):
    """`error` is the code of what went wrong."""

    name: str
    error: str


class EmojiBulk(Struct, frozen=True):
    success: list[EmojiView]
    failed: list[Failed]


class StickerView(Struct, frozen=True):
    id: str
    name: str
    description: str
    tags: list[str]
    animated: bool
    user: UserPartial | UnsetType = UNSET

    @classmethod
    def of(cls, row: StickerRow, user: UserPartial | None = None) -> StickerView:
        return cls(str(row.id), row.name, row.description, row.tag_list, bool(row.animated), user or UNSET)


class StickerCreate(Input, kw_only=True):
    name: StickerName
    description: Description | None = None
    tags: Tags | None = None
    image: DataUri


class StickerBulkCreate(Struct):
    stickers: Annotated[list[StickerCreate], Meta(min_length=1, max_length=50)]


class StickerUpdate(Input, kw_only=True):
    name: StickerName
    description: Description | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET


class StickerBulk(Struct, frozen=True):
    success: list[StickerView]
    failed: list[Failed]
