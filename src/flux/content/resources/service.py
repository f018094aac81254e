"""What can be done with resources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, Struct

from flux.content import faults
from flux.content.components.service import Components
from flux.content.embeddings.service import Embeddings, Vectors
from flux.content.folders.rows import Folder
from flux.content.folders.service import Folders
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.projection.service import Projection
from flux.content.resources import repository
from flux.content.resources.rows import Resource, Revision
from flux.content.resources.rules import Payload
from flux.content.resources.schemas import ResourcesQuery
from flux.content.resources.writing import Fresh, Writing
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction, UniqueViolation, random_key

T = TypeVar("T")
_ATTEMPTS = 5


class Written(Struct, frozen=True):
    resource: Resource
    revision: Revision
    created: bool


class Resources:
    def __init__(
        self,
        house: House,
        plans: Plans,
        folders: Folders,
        components: Components,
        writing: Writing,
        projection: Projection,
        embeddings: Embeddings,
    ) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans
        self._folders = folders
        self._components = components
        self._writing = writing
        self._projection = projection
        self._embeddings = embeddings
        folders.before_deleting(writing.leave)

    async def listing(
        self, folder: Folder, at: Window, query: ResourcesQuery, bounds: dict[str, tuple[str, int]]
    ) -> Rows:
        equal = {
            name: value
            for name in ("external_id", "resource_owner", "component")
            if (value := getattr(query, name))
        }
        return await repository.listing(self._db, folder.key, at, equal, query.status, bounds)

    async def one(self, reader: Reader | None, folder: Folder, key: str) -> Resource:
        """Raises `RESOURCE_NOT_FOUND`."""
        found = await repository.one(reader or self._db, folder.key, key)
        if found is None:
            raise faults.RESOURCE_NOT_FOUND()
        return found

    async def data(self, folder: Folder, key: str) -> dict[str, Any]:
        """The published data. Raises `REVISION_NOT_FOUND` when nothing is published."""
        resource = await self.one(None, folder, key)
        current = resource.current_revision
        found = await repository.revision(self._db, resource.key, current) if current else None
        if found is None:
            raise faults.REVISION_NOT_FOUND()
        return found.decoded()

    async def create(
        self, folder: Folder, payload: Payload, component: str | None, *, publish: bool
    ) -> Written:
        async def attempt(vectors: Vectors) -> Written:
            async def work(tx: Transaction) -> Written:
                return await self._create(tx, folder, payload, component, vectors, publish=publish)

            return await self._adding(folder, work)

        return await self._embeddings.carrying(attempt)

    async def upsert(
        self, folder: Folder, external_id: str, payload: Payload, component: str | None, *, publish: bool
    ) -> Written:
        """A new revision of the resource with that external id, or a new resource. Two that create it at once meet
        at the unique key; the second then finds the first's resource."""
        named = _with_external_id(payload, external_id)

        async def attempt(vectors: Vectors) -> Written:
            async def work(tx: Transaction) -> Written:
                found = await repository.by_external_id(tx, folder.key, external_id)
                if found is None:
                    return await self._create(tx, folder, named, component, vectors, publish=publish)
                changes = {name: value for name, value in payload.metadata().items() if name == "name"}
                await repository.update(tx, found.key, changes)
                return await self._revise(tx, folder, found, _data(payload), vectors, publish=publish)

            known = await repository.by_external_id(self._db, folder.key, external_id)
            return await (
                self._adding(folder, work) if known is None else self.claiming(self._db.transact(work))
            )

        for _ in range(_ATTEMPTS):
            try:
                return await self._embeddings.carrying(attempt)
            except FaultError as refused:
                if refused.fault is not faults.EXTERNAL_ID_CONFLICT:
                    raise
        raise faults.EXTERNAL_ID_CONFLICT()

    async def change(self, folder: Folder, key: str, payload: Payload) -> Resource:
        """Metadata is set; data becomes a new draft."""

        async def attempt(vectors: Vectors) -> Resource:
            async def work(tx: Transaction) -> Resource:
                found = await self.one(tx, folder, key)
                changes = payload.metadata()
                if "resource_owner" in changes:
                    await self.check_owner(tx, folder, changes["resource_owner"])
                if changes:
                    await self._writing.describe(tx, folder, found, changes)
                resource = await self.one(tx, folder, key)
                if payload.data is not UNSET:
                    await self._revise(tx, folder, resource, payload.data, vectors, publish=payload.publish)
                return await self.one(tx, folder, key)

            return await self.claiming(self._db.transact(work))

        return await self._embeddings.carrying(attempt)

    async def replace(self, folder: Folder, key: str, payload: Payload, parent: str | None) -> Written:
        """A new revision, published at once; with `parent` only of a resource that belongs to it."""

        async def attempt(vectors: Vectors) -> Written:
            async def work(tx: Transaction) -> Written:
                resource = await self.one(tx, folder, key)
                if parent is not None and resource.resource_owner != parent:
                    raise faults.RESOURCE_NOT_FOUND()
                return await self._revise(tx, folder, resource, _data(payload), vectors, publish=True)

            return await self._db.transact(work)

        return await self._embeddings.carrying(attempt)

    async def delete(self, folder: Folder, key: str) -> None:
        """With its strict children, and theirs."""

        async def work(tx: Transaction) -> None:
            resource = await self.one(tx, folder, key)
            everything = await self._folders.all_of(tx, folder.environment)
            strict = [one for one in everything if one.strict_reference]
            await self._delete(tx, folder, resource, strict)

        await self._db.transact(work)

    # -- inside -----------------------------------------------------------------------------------------------

    async def _adding(self, folder: Folder, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async def count(tx: Transaction) -> int:
            return await repository.count(tx, folder.environment)

        return await self.claiming(self._plans.adding("resources", count, work))

    async def claiming(self, running: Awaitable[T]) -> T:
        """The unique key of a folder's external ids decides who has one."""
        try:
            return await running
        except UniqueViolation:
            raise faults.EXTERNAL_ID_CONFLICT() from None

    async def _revise(
        self,
        tx: Transaction,
        folder: Folder,
        resource: Resource,
        data: Any,
        vectors: Vectors,
        *,
        publish: bool,
    ) -> Written:
        """Composite folders have no drafts."""
        if publish or folder.is_composite:
            revision = await self._writing.add_published(tx, folder, resource, data, vectors)
        else:
            revision = await self._writing.add_revision(tx, folder, resource, data)
        return Written(await self.one(tx, folder, resource.key), revision, created=False)

    async def _create(
        self,
        tx: Transaction,
        folder: Folder,
        payload: Payload,
        component: str | None,
        vectors: Vectors,
        *,
        publish: bool,
    ) -> Written:
        component = await self.component_of(tx, folder, component or payload.component)
        owner = payload.resource_owner or None
        await self.check_owner(tx, folder, owner)
        now = self._clock.now_ms()
        resource = Resource(
            key=random_key(12),
            environment=folder.environment,
            folder=folder.key,
            component=component,
            external_id=payload.external_id or None,
            name=payload.name or None,
            resource_owner=owner,
            current_revision=None,
            last_number=0,
            vectors_size=0,
            created_at=now,
            updated_at=now,
        )
        checked = self._writing.checked(await self._writing.ground(tx, folder, component), _data(payload))
        shown = publish or folder.is_composite
        fresh = Fresh(resource, checked if shown else None, None if shown else checked)
        [revision] = await self._writing.create_all(tx, folder, [fresh], vectors)
        return Written(await self.one(tx, folder, resource.key), revision, created=True)

    async def component_of(self, tx: Transaction, folder: Folder, key: Any) -> str | None:
        """Composite folders need one, others ignore it."""
        if not folder.is_composite:
            return None
        if not key:
            raise faults.MISSED_COMPONENT()
        return (await self._components.one(tx, folder.environment, key)).key

    async def check_owner(self, tx: Transaction, folder: Folder, owner: str | None) -> None:
        """A strict child's owner is a resource of the parent folder."""
        await self.check_owners(tx, folder, [owner])

    async def check_owners(self, tx: Transaction, folder: Folder, owners: Sequence[str | None]) -> None:
        """As `check_owner`, for many at once."""
        if not folder.strict_reference:
            return
        named = {one for one in owners if one}
        if not all(owners) or len(await repository.by_keys(tx, folder.parent, sorted(named))) < len(named):
            raise faults.RESOURCE_OWNER_REQUIRED()

    async def _delete(
        self, tx: Transaction, folder: Folder, resource: Resource, strict: list[Folder]
    ) -> None:
        below = {one.key: one for one in strict if one.parent == resource.folder}
        if below:
            for child in await repository.owned_by(tx, list(below), resource.key):
                await self._delete(tx, below[child.folder], child, strict)
        await self._writing.delete(tx, folder, resource)


def _data(payload: Payload) -> Any:
    """A body without data at all writes an empty document, which the schema then judges."""
    return {} if payload.data is UNSET else payload.data


def _with_external_id(payload: Payload, external_id: str) -> Payload:
    if payload.external_id not in (UNSET, None, external_id):
        details = "Differs from the external_id of the query"
        raise faults.VALIDATION_ERROR(detail=[problem("conflict", "external_id", details)])
    return Payload(
        payload.data, external_id, payload.name, payload.resource_owner, payload.component, payload.publish
    )
