"""`/avatars`, `/icons`, `/banners`, `/splashes`, `/emojis`, `/stickers`: images by their hash, for anybody.

`{file}` is `<hash>.<extension>` (emojis and stickers: `<id>.<extension>`); the extension is the format it is shown in,
`?size=` its longer side, `?animated=false` its first frame.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from flux.community import faults
from flux.community.media.gallery import FORMATS, Gallery, Original, Wish, side
from flux.community.media.ranges import Conditions
from flux.community.media.service import AssetService
from flux.community.principals import OPEN
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="media")
_FILE = re.compile(r"((?:a_)?[0-9a-f]{8,64})(?:\.([a-z]{3,4}))?")
_NUMBERED = re.compile(r"([0-9]{1,19})(?:\.([a-z]{3,4}))?")
FAILURES = (faults.NOT_FOUND, faults.RANGE_NOT_SATISFIABLE)
"""Not counted by the rate limiter: an image is a file, and the workers have a queue of their own."""


class ImageQuery(Struct):
    size: int = 0
    animated: bool = True


async def _show(
    call: Call, kind: str, owner_id: int, hash: str | None, extension: str, query: ImageQuery
) -> Any:
    wanted = FORMATS.get(extension or "webp")
    row = await call.use(AssetService).find(kind, owner_id, hash)
    if row is None or wanted is None:
        raise faults.NOT_FOUND()
    longer = side(query.size) if query.size else 0
    original = Original(row.key, row.content_type, row.size, row.width, row.height, row.hash.startswith("a_"))
    wish = Wish(wanted if extension else "", longer, longer, query.animated)
    return await call.use(Gallery).show(original, wish, Conditions.of(call))


async def _hashed(call: Call, kind: str, owner_id: int, file: str, query: ImageQuery) -> Any:
    if (named := _FILE.fullmatch(file)) is None:
        raise faults.NOT_FOUND()
    return await _show(call, kind, owner_id, named[1], named[2] or "", query)


async def _numbered(call: Call, kind: str, file: str, query: ImageQuery) -> Any:
    if (named := _NUMBERED.fullmatch(file)) is None or int(named[1]) >= 1 << 63:
        raise faults.NOT_FOUND()
    return await _show(call, kind, int(named[1]), None, named[2] or "", query)


@routes.get("/avatars/{owner}/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_avatar(call: Call, owner: Snowflake, file: str, query: ImageQuery) -> Any:
    """The avatar of an account or webhook."""
    return await _hashed(call, "avatar", owner, file, query)


@routes.get("/icons/{owner}/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_icon(call: Call, owner: Snowflake, file: str, query: ImageQuery) -> Any:
    """The icon of a guild or group conversation."""
    return await _hashed(call, "icon", owner, file, query)


@routes.get("/banners/{owner}/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_banner(call: Call, owner: Snowflake, file: str, query: ImageQuery) -> Any:
    """The banner of an account or guild."""
    return await _hashed(call, "banner", owner, file, query)


@routes.get("/splashes/{owner}/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_splash(call: Call, owner: Snowflake, file: str, query: ImageQuery) -> Any:
    """What a guild shows behind its invites."""
    return await _hashed(call, "splash", owner, file, query)


@routes.get("/embed-splashes/{owner}/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_embed_splash(call: Call, owner: Snowflake, file: str, query: ImageQuery) -> Any:
    """What a guild shows where its invites are embedded."""
    return await _hashed(call, "embed-splash", owner, file, query)


@routes.get("/guilds/{guild}/users/{owner}/avatars/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_member_avatar(
    call: Call, guild: Snowflake, owner: Snowflake, file: str, query: ImageQuery
) -> Any:
    """The avatar of a member of one guild."""
    return await _hashed(call, "member-avatar", owner, file, query)


@routes.get("/guilds/{guild}/users/{owner}/banners/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_member_banner(
    call: Call, guild: Snowflake, owner: Snowflake, file: str, query: ImageQuery
) -> Any:
    """The banner of a member of one guild."""
    return await _hashed(call, "member-banner", owner, file, query)


@routes.get("/emojis/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_emoji(call: Call, file: str, query: ImageQuery) -> Any:
    """The image of an emoji."""
    return await _numbered(call, "emoji", file, query)


@routes.get("/stickers/{file}", auth=OPEN, free=True, raises=FAILURES)
async def show_sticker(call: Call, file: str, query: ImageQuery) -> Any:
    """The image of a sticker."""
    return await _numbered(call, "sticker", file, query)
