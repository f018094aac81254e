"""Checking the items of a batch before its unit of work, which holds up every other writer: what it finds there is what the
unit uses, if the schema and the locales are still the same by then."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from flux.content import faults
from flux.content.folders.rows import Folder
from flux.content.resources.schemas import BatchItem
from flux.content.resources.writing import Checked, Ground, Writing
from flux.content.shape.checking import DataProblem
from flux.kernel.faults import FaultError
from flux.kernel.house import House

_TURN_ITEMS = 20
"""Checked in one go; then whoever else waits has a turn."""


class Ready(Struct, frozen=True):
    """An item as it was checked on a ground."""

    ground: Ground
    published: Checked | None
    draft: Checked | None
    problems: list[DataProblem]


class Readying:
    def __init__(self, house: House, writing: Writing) -> None:
        self._db = house.db
        self._writing = writing

    async def all(self, folder: Folder, items: list[BatchItem]) -> dict[int, Ready]:
        """By the item's place. What cannot be told before the unit is left to it."""
        grounds: dict[str | None, Ground | None] = {}
        found: dict[int, Ready] = {}
        for index, item in enumerate(items):
            component = item.component if folder.is_composite else None
            if component not in grounds:
                grounds[component] = await self._ground(folder, component)
            if (ground := grounds[component]) is not None:
                found[index] = self.one(ground, item)
            if index % _TURN_ITEMS == _TURN_ITEMS - 1:
                await asyncio.sleep(0)
        return found

    def one(self, ground: Ground, item: BatchItem) -> Ready:
        """Problems of what is to be published come first; only without any is the draft looked at."""
        problems: list[DataProblem] = []
        published = draft = None
        if item.published is not None:
            published, problems = self._writing.ready(ground, item.published)
        if item.draft is not None and not problems:
            draft, problems = self._writing.check(ground, item.draft)
        return Ready(ground, published, draft, problems)

    async def _ground(self, folder: Folder, component: str | None) -> Ground | None:
        if folder.is_composite and component is None:
            return None
        try:
            return await self._writing.ground(self._db, folder, component)
        except FaultError as refused:
            if refused.fault is not faults.NO_PUBLISHED_SCHEMA:
                raise
            return None
