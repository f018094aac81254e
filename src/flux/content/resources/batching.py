"""Many resources in one unit of work, for imports: written as they are to be, each only where it differs; and read in
the order of their keys, for exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from flux.content import faults
from flux.content.embeddings.service import Embeddings, NeedsVectors, Vectors
from flux.content.folders.rows import Folder
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.resources import repository, rules
from flux.content.resources.readying import Ready, Readying
from flux.content.resources.rows import Resource, Revision
from flux.content.resources.schemas import BatchItem, BatchResult, Portable
from flux.content.resources.service import Resources
from flux.content.resources.writing import Checked, Fresh, Ground, Writing
from flux.content.shape.checking import DataProblem
from flux.content.shape.types import NotThisType, instant_number
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.store import Transaction, iso, neighbouring_keys


@dataclass(slots=True)
class _Batch:
    """One run of the unit, and what it has come to so far."""

    tx: Transaction
    folder: Folder
    vectors: Vectors
    keys: list[str]
    """For what is made without one, by the item's place."""
    ready: dict[int, Ready]
    grounds: dict[str | None, Ground] = field(default_factory=dict)
    results: dict[int, BatchResult] = field(default_factory=dict)
    problems: list[DataProblem] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """Resources that items stand for, and by their keys the revisions that matter."""

    by_key: Mapping[str, Resource]
    by_external_id: Mapping[str | None, Resource]
    published: Mapping[str, Revision]
    newest: Mapping[str, Revision]

    def of(self, item: BatchItem) -> Resource | None:
        found = self.by_key.get(item.key) if item.key else None
        return found or (self.by_external_id.get(item.external_id) if item.external_id else None)


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
        self._readying = Readying(house, writing)

    async def portable(self, folder: Folder, after: str, limit: int) -> tuple[list[Portable], str | None]:
        """Resources by key behind `after`, with what is published and a draft that is newer; the key to go on after. What was
        taken out of delivery is a draft: nobody sees it. A resource whose revisions were all deleted holds nothing to carry."""
        found = await repository.portable(self._db, folder.key, after, limit)
        keys = [one.key for one in found]
        published = {one.resource: one for one in await repository.published_of(self._db, keys)}
        newest = {one.resource: one for one in await repository.newest_of(self._db, keys)}
        shown = []
        for one in found:
            current, last = published.get(one.key), newest.get(one.key)
            if last is None:
                continue
            shown.append(
                Portable(
                    key=one.key,
                    external_id=one.external_id,
                    name=one.name,
                    resource_owner=one.resource_owner,
                    component=one.component,
                    created_at=iso(one.created_at),
                    published=msgspec.Raw(current.data) if current else None,
                    draft=msgspec.Raw(last.data) if current is None or last.status == "draft" else None,
                )
            )
        return shown, keys[-1] if len(keys) == limit else None

    async def write(self, folder: Folder, items: list[BatchItem]) -> list[BatchResult]:
        """All of them or none. Raises `DATA_VALIDATION_ERROR` with the place of each problem in the batch."""
        ready = await self._readying.all(folder, items)

        async def attempt(vectors: Vectors) -> list[BatchResult]:
            async def work(tx: Transaction) -> list[BatchResult]:
                return await self._all(tx, folder, items, ready, vectors)

            return await self._resources.claiming(
                self._plans.within("resources", lambda tx: repository.count(tx, folder.environment), work)
            )

        return await self._embeddings.carrying(attempt)

    async def _all(
        self,
        tx: Transaction,
        folder: Folder,
        items: list[BatchItem],
        ready: dict[int, Ready],
        vectors: Vectors,
    ) -> list[BatchResult]:
        """What every item needs and lacks is collected, so that the unit runs at most twice."""
        batch = _Batch(tx, folder, vectors, neighbouring_keys(len(items), 12), ready)
        for places in _rounds(items):
            await self._round(batch, [(index, items[index]) for index in places])
        if batch.problems:
            raise rules.refusal(batch.problems)
        if batch.needed:
            raise NeedsVectors(batch.needed)
        return [batch.results[index] for index in range(len(items))]

    async def _round(self, batch: _Batch, items: list[tuple[int, BatchItem]]) -> None:
        """Items that stand for different resources: new ones are written together."""
        known = await self._known(batch, [item for _, item in items])
        fresh: dict[int, Fresh] = {}
        for index, item in items:
            try:
                if item.published is None and item.draft is None:
                    missing = "Data is needed, published or as a draft"
                    raise rules.refusal([DataProblem("$", missing, "missing")])
                if (found := known.of(item)) is None:
                    fresh[index] = await self._fresh(batch, index, item)
                else:
                    batch.results[index] = await self._update(batch, known, found, index, item)
            except NeedsVectors as needs:
                batch.needed += needs.texts
            except FaultError as refused:
                if refused.fault is not faults.DATA_VALIDATION_ERROR:
                    raise
                batch.problems += rules.relocated(refused, f"$.items[{index}].data")
        if not batch.problems:
            await self._create(batch, fresh)

    async def _create(self, batch: _Batch, fresh: dict[int, Fresh]) -> None:
        owners = [one.resource.resource_owner for one in fresh.values()]
        await self._resources.check_owners(batch.tx, batch.folder, owners)
        try:
            await self._writing.create_all(batch.tx, batch.folder, list(fresh.values()), batch.vectors)
        except NeedsVectors as needs:
            batch.needed += needs.texts
        for index, one in fresh.items():
            batch.results[index] = BatchResult(one.resource.key, one.resource.external_id, "created")

    async def _known(self, batch: _Batch, items: list[BatchItem]) -> _Known:
        tx, folder = batch.tx, batch.folder.key
        keys = [item.key for item in items if item.key]
        found = await repository.by_keys(tx, folder, keys)
        by_key = {one.key: one for one in found}
        ids = [one.external_id for one in items if one.external_id and one.key not in by_key]
        others = await repository.by_external_ids(tx, folder, ids)
        named = [one.key for one in (*found, *others)]
        return _Known(
            by_key,
            {one.external_id: one for one in others},
            {one.resource: one for one in await repository.published_of(tx, named)},
            {one.resource: one for one in await repository.newest_of(tx, named)},
        )

    async def _fresh(self, batch: _Batch, index: int, item: BatchItem) -> Fresh:
        component = await self._resources.component_of(batch.tx, batch.folder, item.component)
        now = self._clock.now_ms()
        ground = await self._ground(batch, component)
        published, draft = self._checked(batch, ground, index, item)
        row = Resource(
            key=item.key or batch.keys[index],
            environment=batch.folder.environment,
            folder=batch.folder.key,
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
        return Fresh(row, published, draft)

    def _checked(
        self, batch: _Batch, ground: Ground, index: int, item: BatchItem
    ) -> tuple[Checked | None, Checked | None]:
        """What is to be published and the draft, as they were checked before the unit if that was on the same ground.
        Raises `DATA_VALIDATION_ERROR`."""
        ready = batch.ready.get(index)
        if ready is None or ready.ground != ground:
            ready = self._readying.one(ground, item)
        if ready.problems:
            raise rules.refusal(ready.problems)
        return ready.published, ready.draft

    async def _update(
        self, batch: _Batch, known: _Known, found: Resource, index: int, item: BatchItem
    ) -> BatchResult:
        tx, folder = batch.tx, batch.folder
        changed = await self._described(tx, folder, found, item)
        ground = await self._ground(batch, found.component)
        published, draft = self._checked(batch, ground, index, item)
        shown, newest = known.published.get(found.key), known.newest.get(found.key)
        if published is not None and (shown is None or shown.data != published.stored):
            newest = await self._writing.show_checked(tx, folder, found, published, batch.vectors)
            changed = True
        if draft is not None and (newest is None or newest.status != "draft" or newest.data != draft.stored):
            await self._writing.add_checked(tx, folder, found, draft)
            changed = True
        return BatchResult(found.key, found.external_id, "changed" if changed else "unchanged")

    async def _ground(self, batch: _Batch, component: str | None) -> Ground:
        if component not in batch.grounds:
            batch.grounds[component] = await self._writing.ground(batch.tx, batch.folder, component)
        return batch.grounds[component]

    async def _described(self, tx: Transaction, folder: Folder, found: Resource, item: BatchItem) -> bool:
        """Set what was sent of the metadata and differs."""
        sent = {name: getattr(item, name) for name in ("external_id", "name", "resource_owner")}
        changes = {
            name: value
            for name, value in sent.items()
            if value not in (None, UNSET) and value != getattr(found, name)
        }
        if "resource_owner" in changes:
            await self._resources.check_owner(tx, folder, changes["resource_owner"])
        if changes:
            await self._writing.describe(tx, folder, found, changes)
        return bool(changes)


def _rounds(items: list[BatchItem]) -> list[list[int]]:
    """Places of the items, in order, cut wherever one may stand for the same resource as one before it."""
    rounds: list[list[int]] = [[]]
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(items):
        names = {(kind, name) for kind in ("key", "external_id") if (name := getattr(item, kind))}
        if names & seen:
            rounds.append([])
            seen = set()
        seen |= names
        rounds[-1].append(index)
    return rounds


def _moment(text: str, index: int) -> int:
    """Raises `VALIDATION_ERROR`."""
    try:
        return instant_number(text) // 1000
    except NotThisType:
        found = problem("format", f"items.{index}.created_at", "Invalid datetime format")
        raise faults.VALIDATION_ERROR(detail=[found]) from None
