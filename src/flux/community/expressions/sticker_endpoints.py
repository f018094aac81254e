"""`/guilds/{guild_id}/stickers`."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from flux.community import buckets, faults
from flux.community.audit.service import HEADER, reason_of
from flux.community.expressions.endpoints import BULK_BYTES, GUILD, IMAGE, MAKE
from flux.community.expressions.schemas import (
    ExpressionQuery,
    StickerBulk,
    StickerBulkCreate,
    StickerCreate,
    StickerUpdate,
    StickerView,
)
from flux.community.expressions.stickers import StickerService
from flux.community.inputs import encode
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="expressions", prefix="/guilds/{guild_id}")


@routes.get("/stickers", auth=ANYBODY, bucket=buckets.STICKER_LIST, raises=GUILD)
async def list_stickers(call: Call, guild_id: Snowflake) -> list[StickerView]:
    """The guild's stickers with who made them."""
    return await call.use(StickerService).listing(call.principal.user, guild_id)


@routes.get(
    "/stickers/{sticker_id}",
    auth=ANYBODY,
    bucket=buckets.STICKER_LIST,
    raises=[*GUILD, faults.UNKNOWN_STICKER],
)
async def read_sticker(call: Call, guild_id: Snowflake, sticker_id: Snowflake) -> StickerView:
    """One sticker."""
    return await call.use(StickerService).read(call.principal.user, guild_id, sticker_id)


@routes.get(
    "/sticker/{sticker_id}",
    auth=ANYBODY,
    bucket=buckets.STICKER_LIST,
    raises=[*GUILD, faults.UNKNOWN_STICKER],
)
async def read_sticker_singular(call: Call, guild_id: Snowflake, sticker_id: Snowflake) -> StickerView:
    """One sticker, under the path that some clients use."""
    return await call.use(StickerService).read(call.principal.user, guild_id, sticker_id)


@routes.post(
    "/stickers",
    auth=ANYBODY,
    bucket=buckets.EXPRESSION_WRITE,
    body_limit=BODY_BYTES,
    raises=[*MAKE, *IMAGE, faults.MAX_STICKERS],
)
async def create_sticker(call: Call, guild_id: Snowflake, body: StickerCreate) -> StickerView:
    """Add a sticker."""
    reason = reason_of(call.header(HEADER))
    return await call.use(StickerService).create(call.principal.user, guild_id, body, reason)


@routes.post(
    "/stickers/bulk", auth=ANYBODY, bucket=buckets.EXPRESSION_WRITE, body_limit=BULK_BYTES, raises=MAKE
)
async def create_stickers(call: Call, guild_id: Snowflake, body: StickerBulkCreate) -> StickerBulk:
    """Add up to fifty stickers; those that fail are told and the others are made."""
    reason = reason_of(call.header(HEADER))
    user = call.principal.user
    return StickerBulk(*await call.use(StickerService).create_many(user, guild_id, body.stickers, reason))


@routes.patch(
    "/stickers/{sticker_id}",
    auth=ANYBODY,
    bucket=buckets.EXPRESSION_WRITE,
    raises=[*MAKE, faults.UNKNOWN_STICKER],
)
async def update_sticker(
    call: Call, guild_id: Snowflake, sticker_id: Snowflake, body: StickerUpdate
) -> StickerView:
    """Change a sticker; what is not sent stays, null makes it empty."""
    reason = reason_of(call.header(HEADER))
    values: dict[str, Any] = {"name": body.name}
    if body.description is not UNSET:
        values["description"] = body.description or ""
    if body.tags is not UNSET:
        values["tags"] = encode(body.tags or [])
    return await call.use(StickerService).change(call.principal.user, guild_id, sticker_id, values, reason)


@routes.delete(
    "/stickers/{sticker_id}",
    auth=ANYBODY,
    bucket=buckets.EXPRESSION_WRITE,
    raises=[*MAKE, faults.UNKNOWN_STICKER],
)
async def delete_sticker(
    call: Call, guild_id: Snowflake, sticker_id: Snowflake, query: ExpressionQuery
) -> None:
    """Delete a sticker."""
    reason = reason_of(call.header(HEADER))
    await call.use(StickerService).delete(call.principal.user, guild_id, sticker_id, reason)
