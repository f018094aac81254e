"""Deletes images that nothing points at: replaced ones, those of what is gone, those whose request failed."""

from __future__ import annotations

from typing import Any

from flux.community.media import repository
from flux.community.media.records import AssetRow
from flux.community.media.repository import POINTERS
from flux.kernel.blobs.port import Blobs
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database
from flux.settings.community_media import Media

EVERY_SECONDS = 3600
AT_ONCE = 500


class AssetSweeping:
    def __init__(self, db: Database, clock: Clock, blobs: Blobs, settings: Media) -> None:
        self._db = db
        self._clock = clock
        self._blobs = blobs
        self._settings = settings

    def schedule(self, jobs: Jobs) -> None:
        jobs.every("community.media.sweep", EVERY_SECONDS, self.run)

    async def run(self, _: dict[str, Any]) -> None:
        """The blob goes first: a row without one is found again, a blob without a row never."""
        before = self._clock.now_ms() - self._settings.orphan_seconds * 1000
        for kind in POINTERS:
            for row in await repository.forgotten(self._db, kind, before, AT_ONCE):
                await self._blobs.delete(row.key)
                await self._forget(row)

    async def _forget(self, row: AssetRow) -> None:
        await self._db.transact(lambda tx: repository.delete(tx, row))
