"""The SQL of emojis and stickers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from flux.community.expressions.records import EmojiRow, StickerRow
from flux.kernel.store import Reader, Transaction

EMOJI = "e.id, e.guild_id, e.name, e.animated, e.hash, e.creator_id"
STICKER = "s.id, s.guild_id, s.name, s.description, s.tags, s.animated, s.hash, s.creator_id"
EMOJIS = f"SELECT {EMOJI} FROM community_emojis e WHERE e.guild_id = :guild_id ORDER BY e.id"
EMOJIS_IN = f"SELECT {EMOJI} FROM community_emojis e WHERE e.guild_id IN :guilds ORDER BY e.id"
SOME_EMOJIS = f"SELECT {EMOJI} FROM community_emojis e WHERE e.id IN :ids"
COUNT_EMOJIS = "SELECT COUNT(*) FROM community_emojis WHERE guild_id = :guild_id AND animated = :animated"
INSERT_EMOJI = """
INSERT INTO community_emojis (id, guild_id, name, animated, hash, creator_id)
VALUES (:id, :guild_id, :name, :animated, :hash, :creator_id)
"""
RENAME_EMOJI = "UPDATE community_emojis SET name = :name WHERE id = :id"
DELETE_EMOJI = "DELETE FROM community_emojis WHERE id = :id"
STICKERS = f"SELECT {STICKER} FROM community_stickers s WHERE s.guild_id = :guild_id ORDER BY s.id"
STICKERS_IN = f"SELECT {STICKER} FROM community_stickers s WHERE s.guild_id IN :guilds ORDER BY s.id"
SOME_STICKERS = f"SELECT {STICKER} FROM community_stickers s WHERE s.id IN :ids"
COUNT_STICKERS = "SELECT COUNT(*) FROM community_stickers WHERE guild_id = :guild_id"
INSERT_STICKER = """
INSERT INTO community_stickers (id, guild_id, name, description, tags, animated, hash, creator_id)
VALUES (:id, :guild_id, :name, :description, :tags, :animated, :hash, :creator_id)
"""
UPDATE_STICKER = (
    "UPDATE community_stickers SET name = :name, description = :description, tags = :tags WHERE id = :id"
)
DELETE_STICKER = "DELETE FROM community_stickers WHERE id = :id"


async def emojis(reader: Reader, guild_id: int) -> list[EmojiRow]:
    return await reader.all(EMOJIS, {"guild_id": guild_id}, EmojiRow)


async def some_emojis(reader: Reader, ids: Iterable[int]) -> dict[int, EmojiRow]:
    return {row.id: row for row in await reader.all(SOME_EMOJIS, {"ids": list(ids)}, EmojiRow)}


async def count_emojis(reader: Reader, guild_id: int, animated: int) -> int:
    return int(await reader.value(COUNT_EMOJIS, {"guild_id": guild_id, "animated": animated}))


async def insert_emoji(tx: Transaction, row: EmojiRow) -> None:
    await tx.run(INSERT_EMOJI, msgspec.structs.asdict(row))


async def rename_emoji(tx: Transaction, emoji_id: int, name: str) -> None:
    await tx.run(RENAME_EMOJI, {"id": emoji_id, "name": name})


async def emojis_in(reader: Reader, guild_ids: list[int]) -> list[EmojiRow]:
    return await reader.all(EMOJIS_IN, {"guilds": guild_ids}, EmojiRow)


async def stickers_in(reader: Reader, guild_ids: list[int]) -> list[StickerRow]:
    return await reader.all(STICKERS_IN, {"guilds": guild_ids}, StickerRow)


async def delete_emoji(tx: Transaction, emoji_id: int) -> None:
    await tx.run(DELETE_EMOJI, {"id": emoji_id})


async def stickers(reader: Reader, guild_id: int) -> list[StickerRow]:
    return await reader.all(STICKERS, {"guild_id": guild_id}, StickerRow)


async def some_stickers(reader: Reader, ids: Iterable[int]) -> dict[int, StickerRow]:
    return {row.id: row for row in await reader.all(SOME_STICKERS, {"ids": list(ids)}, StickerRow)}


async def count_stickers(reader: Reader, guild_id: int) -> int:
    return int(await reader.value(COUNT_STICKERS, {"guild_id": guild_id}))


async def insert_sticker(tx: Transaction, row: StickerRow) -> None:
    await tx.run(INSERT_STICKER, msgspec.structs.asdict(row))


async def update_sticker(tx: Transaction, sticker_id: int, values: dict[str, Any]) -> None:
    await tx.run(UPDATE_STICKER, {**values, "id": sticker_id})


async def delete_sticker(tx: Transaction, sticker_id: int) -> None:
    await tx.run(DELETE_STICKER, {"id": sticker_id})
