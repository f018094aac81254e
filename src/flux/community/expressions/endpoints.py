"""`/guilds/{guild_id}/emojis`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.schemas import (
    EmojiBulk,
    EmojiBulkCreate,
    EmojiCreate,
    EmojiUpdate,
    EmojiView,
    ExpressionQuery,
)
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="expressions", prefix="/guilds/{guild_id}")
GUILD = (faults.UNKNOWN_GUILD, faults.MISSING_ACCESS)
MAKE = (*GUILD, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED)
IMAGE = (
    faults.FILE_SIZE_TOO_LARGE,
    faults.CONTENT_BLOCKED,
    faults.EXPLICIT_CONTENT_CANNOT_BE_SENT,
)
BULK_BYTES = 40_000_000


@routes.get("/emojis", auth=ANYBODY, bucket=buckets.EMOJI_LIST, raises=GUILD)
async def list_emojis(call: Call, guild_id: Snowflake) -> list[EmojiView]:
    """The guild's emojis with who made them."""
    return await call.use(EmojiService).listing(call.principal.user, guild_id)


@routes.get(
    "/emojis/{emoji_id}", auth=ANYBODY, bucket=buckets.EMOJI_LIST, raises=[*GUILD, faults.UNKNOWN_EMOJI]
)
async def read_emoji(call: Call, guild_id: Snowflake, emoji_id: Snowflake) -> EmojiView:
    """One emoji."""
    return await call.use(EmojiService).read(call.principal.user, guild_id, emoji_id)


@routes.post(
    "/emojis",
    auth=ANYBODY,
    bucket=buckets.EXPRESSION_WRITE,
    body_limit=BODY_BYTES,
    raises=[*MAKE, *IMAGE, faults.MAX_EMOJIS, faults.MAX_ANIMATED_EMOJIS],
)
async def create_emoji(call: Call, guild_id: Snowflake, body: EmojiCreate) -> EmojiView:
    """Add an emoji; its image decides whether it counts as animated."""
    reason = reason_of(call.header(HEADER))
    return await call.use(EmojiService).create(call.principal.user, guild_id, body, reason)


@routes.post(
    "/emojis/bulk", auth=ANYBODY, bucket=buckets.EXPRESSION_WRITE, body_limit=BULK_BYTES, raises=MAKE
)
async def create_emojis(call: Call, guild_id: Snowflake, body: EmojiBulkCreate) -> EmojiBulk:
    """Add up to fifty emojis; those that fail are told and the others are made."""
    reason = reason_of(call.header(HEADER))
    user = call.principal.user
    return EmojiBulk(*await call.use(EmojiService).create_many(user, guild_id, body.emojis, reason))


@routes.patch(
    "/emojis/{emoji_id}", auth=ANYBODY, bucket=buckets.EXPRESSION_WRITE, raises=[*MAKE, faults.UNKNOWN_EMOJI]
)
async def update_emoji(call: Call, guild_id: Snowflake, emoji_id: Snowflake, body: EmojiUpdate) -> EmojiView:
    """Rename an emoji."""
    reason = reason_of(call.header(HEADER))
    values = {"name": body.name}
    return await call.use(EmojiService).change(call.principal.user, guild_id, emoji_id, values, reason)


@routes.delete(
    "/emojis/{emoji_id}", auth=ANYBODY, bucket=buckets.EXPRESSION_WRITE, raises=[*MAKE, faults.UNKNOWN_EMOJI]
)
async def delete_emoji(call: Call, guild_id: Snowflake, emoji_id: Snowflake, query: ExpressionQuery) -> None:
    """Delete an emoji."""
    reason = reason_of(call.header(HEADER))
    await call.use(EmojiService).delete(call.principal.user, guild_id, emoji_id, reason)
