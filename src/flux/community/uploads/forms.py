"""A request's form: `payload_json` and `files[n]`, in whatever order they come."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.uploads.multipart import BadForm, Multipart, Part, boundary_of
from flux.community.uploads.service import Room, Taken, UploadService
from flux.community.users.records import UserRow
from flux.kernel.wire import Body, Call
from flux.kernel.wire.compiling import decode_json
from flux.settings.community import CommunityLimits

T = TypeVar("T")
_FILE = re.compile(r"files\[(\d{1,2})\]")
PAYLOAD_BYTES = 1_048_576
ENDLESS = 1 << 50
"""The form's parts are bounded one by one; the body as a whole is not."""
UPLOAD_FAULTS = (
    faults.FILE_SIZE_TOO_LARGE,
    faults.MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE,
    faults.CONTENT_BLOCKED,
    faults.BAD_GATEWAY,
)
"""What taking files can answer."""


class Forms:
    """Reads bodies that are JSON, or a form with files."""

    def __init__(self, uploads: UploadService, limits: CommunityLimits) -> None:
        self._uploads = uploads
        self._limits = limits

    @asynccontextmanager
    async def read(
        self,
        call: Call,
        body: Body[T],
        kind: type[T],
        channel_id: int,
        uploader: UserRow | None,
        demand: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[tuple[T, list[Taken]]]:
        """The decoded body and its files. `demand` raises when the caller may not send files here, and is asked before
        one is taken. Files that became part of nothing when the block ends are given up."""
        content_type = call.header("content-type") or ""
        if not content_type[:20].lower().startswith("multipart/form-data"):
            yield await body.read(), []
            return
        files: list[Taken] = []
        try:
            raw = await self._parts(call, content_type, files, channel_id, uploader, demand)
            if raw is None:
                raise invalid("payload_json", "This field is required.", "REQUIRED")
            yield decode_json(raw, kind, call.plane.limits.depth), files
        except BaseException:
            await self._uploads.give_up(taken.row for taken in files)
            raise

    async def _parts(
        self,
        call: Call,
        content_type: str,
        files: list[Taken],
        channel_id: int,
        uploader: UserRow | None,
        demand: Callable[[], Awaitable[None]],
    ) -> bytes | None:
        room = self._room(uploader)
        payload: bytes | None = None
        try:
            async for part in Multipart(call.body_stream(ENDLESS), boundary_of(content_type)):
                number = _FILE.fullmatch(part.name)
                if number is None:
                    found = await _field(part)
                    payload = found if part.name == "payload_json" else payload
                    continue
                index = int(number[1])
                if any(taken.index == index for taken in files):
                    raise invalid("attachments", f"files[{index}] occurs twice.", "DUPLICATE_FILE")
                if len(files) >= self._limits.message_attachments:
                    shown = f"At most {self._limits.message_attachments} files."
                    raise invalid("attachments", shown, "LENGTH_INVALID")
                if not files:
                    await demand()
                uploader_id = uploader.id if uploader else 0
                files.append(await self._uploads.take(part, index, channel_id, uploader_id, room))
        except BadForm as problem:
            raise invalid("", str(problem), "INVALID_FORM") from None
        return payload

    def _room(self, uploader: UserRow | None) -> Room:
        limits = self._limits
        if uploader is not None and uploader.premium:
            total = limits.attachment_bytes_premium * limits.message_attachments
            return Room(limits.attachment_bytes_premium, total, total)
        return Room(
            limits.attachment_bytes, limits.message_attachments_bytes, limits.message_attachments_bytes
        )


async def _field(part: Part) -> bytes:
    """A field that is no file. Raises REQUEST_BODY_TOO_LARGE."""
    read: list[bytes] = []
    size = 0
    async for piece in part.content:
        size += len(piece)
        if size > PAYLOAD_BYTES:
            raise faults.REQUEST_BODY_TOO_LARGE(max_size=PAYLOAD_BYTES)
        read.append(piece)
    return b"".join(read)
