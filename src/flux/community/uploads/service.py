"""Files on their way into messages and out again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.media.probe import HEAD_BYTES, look
from flux.community.media.screening import Screening
from flux.community.uploads import archives, naming, repository
from flux.community.uploads.multipart import Part
from flux.community.uploads.records import FileRow
from flux.kernel.blobs.port import Blobs, BlobTooLarge
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database, Snowflakes, Transaction
from flux.settings.community_media import Media

AT_ONCE = 500
EVERY_SECONDS = 600


class Room(Struct):
    """How many bytes somebody's message may carry: one file, and what is left for all of them."""

    file: int
    total: int
    left: int


class Taken(Struct, frozen=True):
    """A file in the blobs that nobody has yet. `index` is n of `files[n]`."""

    index: int
    row: FileRow
    digest: str
    explicitness: float
    animated: bool


class UploadService:
    def __init__(
        self, db: Database, clock: Clock, ids: Snowflakes, blobs: Blobs, screening: Screening, settings: Media
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._blobs = blobs
        self._screening = screening
        self._settings = settings

    async def take(self, part: Part, index: int, channel_id: int, uploader_id: int, room: Room) -> Taken:
        """Stream one file in. Raises FILE_SIZE_TOO_LARGE, MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE, CONTENT_BLOCKED,
        VALIDATION_ERROR for an archive bomb."""
        name = naming.clean(part.filename)
        row = FileRow(
            self._ids.next(),
            channel_id,
            None,
            uploader_id,
            name,
            naming.UNKNOWN,
            0,
            None,
            None,
            self._clock.now_ms(),
        )
        await self._db.transact(lambda tx: repository.insert(tx, row))
        tap = _Tap(part.content, room)
        digest, size = await self._keep(row, tap, room)
        head = bytes(tap.head)
        picture = look(head)
        row = msgspec.structs.replace(
            row,
            content_type=naming.content_type(part.content_type, name, picture),
            size=size,
            width=picture.width if picture else None,
            height=picture.height if picture else None,
        )
        animated = picture is not None and picture.animated
        return Taken(index, row, digest, self._screening.explicitness(head), animated)

    async def _keep(self, row: FileRow, tap: _Tap, room: Room) -> tuple[str, int]:
        """Its digest and size; what is refused is not kept."""
        try:
            kept = await self._blobs.put(row.key, tap.flow(), limit=room.file)
            self._screening.demand_allowed(kept.sha256)
            await self._demand_no_bomb(row, bytes(tap.head), kept.size)
        except BlobTooLarge:
            await self.give_up([row])
            raise faults.FILE_SIZE_TOO_LARGE(max_size=room.file) from None
        except BaseException:
            await self.give_up([row])
            raise
        return kept.sha256, kept.size

    async def _demand_no_bomb(self, row: FileRow, head: bytes, size: int) -> None:
        if not archives.is_zip(head):
            return
        start = max(0, size - archives.TAIL_BYTES)
        tail = b"".join([block async for block in self._blobs.read(row.key, start=start)])
        if archives.is_bomb(tail, size, self._settings.archive_ratio):
            raise invalid("attachments", "The archive unpacks to far too much.", "ARCHIVE_BOMB")

    def demand_decent(self, files: Iterable[Taken]) -> None:
        """Raises EXPLICIT_CONTENT_CANNOT_BE_SENT."""
        for taken in files:
            self._screening.demand_decent(taken.explicitness)

    async def claim(self, tx: Transaction, message_id: int, files: Iterable[Taken]) -> None:
        """The message has them now. In the caller's unit of work, after the message's row."""
        for taken in files:
            if not await repository.claim(tx, taken.row, message_id):
                raise faults.SERVICE_UNAVAILABLE()

    async def let_go(self, tx: Transaction, message_id: int, kept: list[int]) -> None:
        """The message keeps only those."""
        await repository.let_go(tx, message_id, kept, self._clock.now_ms())

    async def give_up(self, rows: Iterable[FileRow]) -> None:
        """They became part of nothing."""
        for row in rows:
            await self._remove(row)

    async def _remove(self, row: FileRow) -> None:
        """Unless a message has it by now. Doomed first, so that no message gets a file without its bytes."""
        if await self._db.transact(lambda tx: repository.doom(tx, row.id)):
            await self._blobs.delete(row.key)
            await self._db.transact(lambda tx: repository.delete(tx, row.id))

    async def find(self, file_id: int) -> FileRow | None:
        """None for one that no message has."""
        return await repository.find(self._db, file_id)

    def schedule(self, jobs: Jobs) -> None:
        jobs.every("community.uploads.sweep", EVERY_SECONDS, self.sweep)

    async def sweep(self, _: dict[str, Any]) -> None:
        """Files whose upload did not end well or whose message is gone."""
        before = self._clock.now_ms() - self._settings.orphan_seconds * 1000
        await self.give_up(await repository.orphans(self._db, before, AT_ONCE))


class _Tap:
    """Passes a part on, keeps its beginning, and counts it against the message's room."""

    def __init__(self, content: AsyncIterator[bytes], room: Room) -> None:
        self._content = content
        self._room = room
        self.head = bytearray()

    async def flow(self) -> AsyncIterator[bytes]:
        async for piece in self._content:
            if len(self.head) < HEAD_BYTES:
                self.head += piece[: HEAD_BYTES - len(self.head)]
            self._room.left -= len(piece)
            if self._room.left < 0:
                raise faults.MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE(max_size=self._room.total)
            yield piece
