"""`/attachments/{channel}/{attachment}/{filename}`: files of messages, for whoever knows where they are."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.community import faults
from flux.community.media.gallery import FORMATS, Gallery, Original, Wish
from flux.community.media.ranges import Conditions
from flux.community.principals import OPEN
from flux.community.uploads import naming
from flux.community.uploads.service import UploadService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="media")
Side = Annotated[int, Meta(ge=0, le=4096)]


class FileQuery(Struct):
    """Of an image: `width` and `height` bound it, `format` is one of png, jpg, webp, gif, avif."""

    width: Side = 0
    height: Side = 0
    format: str = ""
    animated: bool = True


@routes.get(
    "/attachments/{channel}/{attachment}/{filename}",
    auth=OPEN,
    free=True,
    raises=[faults.NOT_FOUND, faults.RANGE_NOT_SATISFIABLE],
)
async def show_attachment(
    call: Call, channel: Snowflake, attachment: Snowflake, filename: str, query: FileQuery
) -> Any:
    """A file of a message; an image also in other sizes and formats."""
    row = await call.use(UploadService).find(attachment)
    wanted = FORMATS.get(query.format, "")
    if row is None or row.channel_id != channel or row.filename != filename or (query.format and not wanted):
        raise faults.NOT_FOUND()
    original = Original(
        row.key, naming.served_as(row.content_type), row.size, row.width or 0, row.height or 0, True,
        naming.disposition(row.content_type, row.filename),
    )  # fmt: skip
    wish = Wish(wanted, query.width, query.height, query.animated)
    return await call.use(Gallery).show(original, wish, Conditions.of(call))
