"""Taking images from request bodies."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.media import repository, rules
from flux.community.media.darkroom import BadImage, Darkroom, whole
from flux.community.media.probe import HEAD_BYTES, Picture, look
from flux.community.media.records import AssetRow
from flux.community.media.rules import Use
from flux.community.media.screening import Screening
from flux.kernel.blobs.port import Blobs
from flux.kernel.store import Clock, Database, random_key
from flux.settings.community import CommunityLimits
from flux.settings.community_media import Media

HEX = "0123456789abcdef"


class AssetService:
    """Images are taken before the unit of work that will point at them; one that nothing comes to point at is swept."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        blobs: Blobs,
        darkroom: Darkroom,
        screening: Screening,
        limits: CommunityLimits,
        settings: Media,
        new_key: Callable[[int, str], str] = random_key,
    ) -> None:
        self._db = db
        self._clock = clock
        self._blobs = blobs
        self._darkroom = darkroom
        self._screening = screening
        self._limits = limits
        self._pixels = settings.pixels
        self._new_key = new_key

    async def take(self, use: Use, owner_id: int, text: str, field: str) -> AssetRow:
        """Keep the image of a data URI; `field` is where it stood in the body.

        Raises FILE_SIZE_TOO_LARGE, CONTENT_BLOCKED, EXPLICIT_CONTENT_CANNOT_BE_SENT, VALIDATION_ERROR on `field`,
        SERVICE_UNAVAILABLE."""
        most: int = getattr(self._limits, use.limit)
        if rules.size_of(text) > most + 2:
            raise faults.FILE_SIZE_TOO_LARGE(max_size=most)
        data = rules.decode(text)
        if data is None:
            raise invalid(field, "Expected a base64 data URI.", "INVALID_IMAGE")
        if len(data) > most:
            raise faults.FILE_SIZE_TOO_LARGE(max_size=most)
        self._screening.demand_allowed(sha256(data).hexdigest())
        picture = await self._verified(use, data, field)
        self._screening.demand_decent(self._screening.explicitness(data[:HEAD_BYTES]))
        name = ("a_" if picture.animated else "") + self._new_key(16, HEX)
        row = AssetRow(
            use.kind, owner_id, name, picture.content_type, len(data), picture.width, picture.height,
            self._clock.now_ms(),
        )  # fmt: skip
        await self._db.transact(lambda tx: repository.insert(tx, row))
        await self._blobs.put(row.key, whole(data), limit=most)
        return row

    async def hash(self, use: Use, owner_id: int, text: object, field: str) -> str | None:
        """The hash to keep for what a body said: None for null."""
        return (await self.take(use, owner_id, text, field)).hash if isinstance(text, str) else None

    async def find(self, kind: str, owner_id: int, hash: str | None) -> AssetRow | None:
        """Without a hash, the owner's only image of that kind."""
        return await repository.find(self._db, kind, owner_id, hash)

    async def _verified(self, use: Use, data: bytes, field: str) -> Picture:
        """By its own bytes, whatever the URI says it is."""
        picture = look(data)
        if picture is None or picture.format not in use.formats:
            shown = ", ".join(use.formats)
            raise invalid(field, f"Expected an image of type {shown}.", "INVALID_IMAGE")
        if picture.width * picture.height > self._pixels:
            raise invalid(field, f"At most {self._pixels} pixels.", "IMAGE_TOO_LARGE")
        try:
            await self._darkroom.develop(whole(data), len(data))
        except BadImage as refusal:
            raise invalid(field, "The image cannot be read.", refusal.reason.upper()) from None
        return picture
