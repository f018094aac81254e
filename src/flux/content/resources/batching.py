"""Many resources in one unit of work, for imports: written as they are to be, each only where it differs; and read in
the order of their keys, for exports."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from flux.content import faults
from flux.content.embeddings.service import Embeddings, NeedsVectors, Vectors
from flux.content.folders.rows import Folder
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.resources import repository, rules
from flux.content.resources.rows import Resource
from flux.content.resources.schemas import BatchItem, BatchResult, Outcome, Portable
from flux.content.resources.service import Resources
from flux.content.resources.writing import Writing
from flux.content.shape.checking import DataProblem
from flux.content.shape.types import NotThisType, instant_number
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.store import Transaction, iso, random_key


class Batches:
    def __init__(
        self, house: House, plans: Plans, resources: Resources, writing: Writing, embeddings: Embeddings
    ) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans
        self._resources = resources
        self._writing = writing
        self._embeddings = embeddings

    async def portable(self, folder: Folder, after: str, limit: int) -> tuple[list[Portable], str | None]:
        """Resources by key behind `after`, with what is published and a draft that is newer; the key to go on after."""
        found = await repository.portable(self._db, folder.key, after, limit)
        keys = [one.key for one in found]
        published = {one.resource: one for one in await repository.published_of(self._db, keys)}
        newest = {one.resource: one for one in await repository.newest_of(self._db, keys)}
        shown = []
        for one in found:
            current, last = published.get(one.key), newest.get(one.key)
            shown.append(
                Portable(
                    key=one.key,
                    external_id=one.external_id,
                    name=one.name,
                    resource_owner=one.resource_owner,
                    component=one.component,
                    created_at=iso(one.created_at),
                    published=msgspec.Raw(current.data) if current else None,
                    draft=msgspec.Raw(last.data) if last is not None and last.status == "draft" else None,
                )
            )
        return shown, keys[-1] if len(keys) == limit else None

    async def write(self, folder: Folder, items: list[BatchItem]) -> list[BatchResult]:
        """All of them or none. Raises `DATA_VALIDATION_ERROR` with the place of each problem in the batch."""

        async def attempt(vectors: Vectors) -> list[BatchResult]:
            async def work(tx: Transaction) -> list[BatchResult]:
                return await self._all(tx, folder, items, vectors)

            return await self._resources.claiming(
                self._plans.within("resources", lambda tx: repository.count(tx, folder.environment), work)
            )

        return await self._embeddings.carrying(attempt)

    async def _all(
        self, tx: Transaction, folder: Folder, items: list[BatchItem], vectors: Vectors
    ) -> list[BatchResult]:
        """What every item needs and lacks is collected, so that the unit runs at most twice."""
        results, needed, problems = [], [], []
        for index, item in enumerate(items):
            try:
                results.append(await self._one(tx, folder, index, item, vectors))
            except NeedsVectors as needs:
                needed += needs.texts
            except FaultError as refused:
                if refused.fault is not faults.DATA_VALIDATION_ERROR:
                    raise
                problems += rules.relocated(refused, f"$.items[{index}].data")
        if problems:
            raise rules.refusal(problems)
        if needed:
            raise NeedsVectors(needed)
        return results

    async def _one(
        self, tx: Transaction, folder: Folder, index: int, item: BatchItem, vectors: Vectors
    ) -> BatchResult:
        if item.published is None and item.draft is None:
            raise rules.refusal([DataProblem("$", "Data is needed, published or as a draft", "missing")])
        found = await self._known(tx, folder, item)
        resource = found or await self._new(tx, folder, index, item)
        changed = found is not None and await self._described(tx, found, item)
        if item.published is not None and not await self._is_shown(tx, folder, resource, item.published):
            revision = await self._writing.add_revision(tx, folder, resource, item.published)
            await self._writing.publish(tx, folder, resource, revision, vectors)
            changed = True
        if item.draft is not None and not await self._is_newest(tx, folder, resource, item.draft):
            await self._writing.add_revision(tx, folder, resource, item.draft)
            changed = True
        result: Outcome = "created" if found is None else "changed" if changed else "unchanged"
        return BatchResult(resource.key, resource.external_id, result)

    async def _known(self, tx: Transaction, folder: Folder, item: BatchItem) -> Resource | None:
        found = await repository.one(tx, folder.key, item.key) if item.key else None
        if found is None and item.external_id:
            found = await repository.by_external_id(tx, folder.key, item.external_id)
        return found

    async def _new(self, tx: Transaction, folder: Folder, index: int, item: BatchItem) -> Resource:
        component = await self._resources.component_of(tx, folder, item.component)
        await self._resources.check_owner(tx, folder, item.resource_owner)
        now = self._clock.now_ms()
        row = Resource(
            key=item.key or random_key(12),
            environment=folder.environment,
            folder=folder.key,
            component=component,
            external_id=item.external_id,
            name=item.name,
            resource_owner=item.resource_owner,
            current_revision=None,
            last_number=0,
            vectors_size=0,
            created_at=now if item.created_at is None else _moment(item.created_at, index),
            updated_at=now,
        )
        await repository.insert(tx, row)
        return row

    async def _described(self, tx: Transaction, found: Resource, item: BatchItem) -> bool:
        """Set what was sent of the metadata and differs."""
        sent = {name: getattr(item, name) for name in ("external_id", "name", "resource_owner")}
        changes = {
            name: value
            for name, value in sent.items()
            if value not in (None, UNSET) and value != getattr(found, name)
        }
        await repository.update(tx, found.key, changes)
        return bool(changes)

    async def _is_shown(self, tx: Transaction, folder: Folder, resource: Resource, data: Any) -> bool:
        current = resource.current_revision
        revision = await repository.revision(tx, resource.key, current) if current else None
        return revision is not None and await self._same(tx, folder, resource, revision.data, data)

    async def _is_newest(self, tx: Transaction, folder: Folder, resource: Resource, data: Any) -> bool:
        last = await repository.latest_revision(tx, resource.key)
        return (
            last is not None
            and last.status == "draft"
            and await self._same(tx, folder, resource, last.data, data)
        )

    async def _same(
        self, tx: Transaction, folder: Folder, resource: Resource, stored: bytes, data: Any
    ) -> bool:
        _, shape = await self._writing.schema(tx, folder, resource.component)
        return stored == await self._writing.checked(tx, folder.environment, shape, data)


def _moment(text: str, index: int) -> int:
    """Raises `VALIDATION_ERROR`."""
    try:
        return instant_number(text) // 1000
    except NotThisType:
        found = problem("format", f"items.{index}.created_at", "Invalid datetime format")
        raise faults.VALIDATION_ERROR(detail=[found]) from None
