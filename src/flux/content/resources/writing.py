"""Writing content inside a unit of work: check the data, add a revision, publish it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flux.content import faults
from flux.content.embeddings.service import Vectors
from flux.content.folders.rows import Folder
from flux.content.locales.service import Locales
from flux.content.projection.rows import Published
from flux.content.projection.rules import Entries
from flux.content.projection.service import Projection
from flux.content.resources import repository, rules
from flux.content.resources.rows import Resource, Revision
from flux.content.schemas.service import Schemas
from flux.content.shape.checking import Checking, DataProblem
from flux.content.shape.checking import Locales as Codes
from flux.content.shape.fields import Shape
from flux.content.webhooks.rules import DELETED, PUBLISHED, UNPUBLISHED, Happening
from flux.content.webhooks.service import Webhooks
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction, neighbouring_keys, random_key


class Ground(Struct, frozen=True):
    """What data is checked against: a schema version and the locales of its environment."""

    version: str
    shape: Shape
    locales: Codes


class Checked(Struct, frozen=True):
    """Data in its stored form, encoded and not, and the version it fits; what it comes to in the indexes, if that was
    asked for."""

    version: str
    shape: Shape
    stored: bytes
    document: dict[str, Any]
    entries: Entries | None = None


class Fresh(Struct, frozen=True):
    """A resource that is not there yet, with what is to be published of it and a draft behind that."""

    resource: Resource
    published: Checked | None
    draft: Checked | None


class Writing:
    def __init__(
        self, house: House, locales: Locales, schemas: Schemas, projection: Projection, webhooks: Webhooks
    ) -> None:
        self._clock = house.clock
        self._settings = house.settings.content
        self._locales = locales
        self._schemas = schemas
        self._projection = projection
        self._webhooks = webhooks

    # -- checking ---------------------------------------------------------------------------------------------

    async def ground(self, reader: Reader, folder: Folder, component: str | None) -> Ground:
        """What content of the folder is written under now. Raises `NO_PUBLISHED_SCHEMA`."""
        version = await self._schemas.published(reader, component or folder.key)
        if version is None or version.shape is None:
            raise faults.NO_PUBLISHED_SCHEMA()
        locales = await self._locales.of(reader, folder.environment)
        return Ground(version.key, Shape.decode(version.shape), locales)

    def checked(self, ground: Ground, data: Any) -> Checked:
        """Raises `DATA_VALIDATION_ERROR`."""
        found, problems = self.check(ground, data)
        if problems:
            raise rules.refusal(problems)
        return found

    def check(self, ground: Ground, data: Any) -> tuple[Checked, list[DataProblem]]:
        checking = Checking(ground.shape, ground.locales)
        document = checking.document(data)
        stored = msgspec.json.encode(document)
        limit = self._settings.max_revision_bytes
        if len(stored) > limit:
            checking.problems.append(DataProblem("$", f"At most {limit} bytes are allowed", "too_large"))
        return Checked(ground.version, ground.shape, stored, document), checking.problems

    def ready(self, ground: Ground, data: Any) -> tuple[Checked, list[DataProblem]]:
        """As `check`, and what publishing it will write: all that needs no unit of work."""
        found, problems = self.check(ground, data)
        if problems:
            return found, problems
        entries = self._projection.entries(ground.shape, found.document, ground.locales.default)
        return msgspec.structs.replace(found, entries=entries), problems

    async def revalidated(
        self, reader: Reader, folder: Folder, revision: Revision
    ) -> tuple[Checked, list[DataProblem]]:
        """Against the schema version it was written under."""
        return self.check(await self._ground_of(reader, folder, revision), revision.decoded())

    async def _ground_of(self, reader: Reader, folder: Folder, revision: Revision) -> Ground:
        """A version that was deleted since leaves its content to the current one."""
        shape = await self._schemas.shape(reader, folder.environment, revision.schema_version)
        if shape is not None:
            locales = await self._locales.of(reader, folder.environment)
            return Ground(revision.schema_version, shape, locales)
        resource = await repository.one(reader, folder.key, revision.resource)
        found = await self.ground(reader, folder, resource.component if resource else None)
        return msgspec.structs.replace(found, version=revision.schema_version)

    # -- writing ----------------------------------------------------------------------------------------------

    async def add_revision(self, tx: Transaction, folder: Folder, resource: Resource, data: Any) -> Revision:
        """A new draft under the schema that is published now. The oldest ones may go."""
        checked = self.checked(await self.ground(tx, folder, resource.component), data)
        return await self.add_checked(tx, folder, resource, checked)

    async def add_checked(
        self, tx: Transaction, folder: Folder, resource: Resource, checked: Checked
    ) -> Revision:
        """As `add_revision`, of data that was checked in this unit."""
        row = await self._next(tx, resource, checked, None)
        await repository.insert_revisions(tx, [row])
        await self._prune(tx, folder, resource)
        return row

    async def add_published(
        self, tx: Transaction, folder: Folder, resource: Resource, data: Any, vectors: Vectors
    ) -> Revision:
        """A new revision, shown from the commit on. Raises `DATA_VALIDATION_ERROR`, `NeedsVectors`."""
        checked = self.checked(await self.ground(tx, folder, resource.component), data)
        return await self.show_checked(tx, folder, resource, checked, vectors)

    async def show_checked(
        self, tx: Transaction, folder: Folder, resource: Resource, checked: Checked, vectors: Vectors
    ) -> Revision:
        """As `add_published`, of data that was checked in this unit. Raises `NeedsVectors`."""
        now = self._clock.now_ms()
        row = await self._next(tx, resource, checked, now)
        await repository.unpublish(tx, resource.key, now)
        await repository.insert_revisions(tx, [row])
        await self._show(tx, folder, resource, row, checked, vectors)
        await self._prune(tx, folder, resource)
        return row

    async def create_all(
        self, tx: Transaction, folder: Folder, fresh: Sequence[Fresh], vectors: Vectors
    ) -> list[Revision]:
        """New resources of one folder; of each its newest revision. Raises `UniqueViolation` for a key or an external id
        that is taken, `NeedsVectors`."""
        now = self._clock.now_ms()
        keys = iter(neighbouring_keys(2 * len(fresh), 12))
        shown = {
            one.resource.key: self._row(next(keys), one.resource.key, 1, one.published, now)
            for one in fresh
            if one.published is not None
        }
        published = [
            self._published(folder, one.resource, shown[one.resource.key], one.published, now)
            for one in fresh
            if one.published is not None
        ]
        sizes = dict(zip(shown, await self._projection.put_all(tx, published, vectors), strict=True))
        drafts = {
            one.resource.key: self._row(
                next(keys), one.resource.key, 1 + (one.published is not None), one.draft, None
            )
            for one in fresh
            if one.draft is not None
        }
        resources = [
            msgspec.structs.replace(
                one.resource,
                current_revision=shown[key].key if key in shown else None,
                last_number=(key in shown) + (key in drafts),
                vectors_size=sizes.get(key, 0),
            )
            for one in fresh
            if (key := one.resource.key)
        ]
        await repository.insert_all(tx, resources)
        await repository.insert_revisions(tx, [*shown.values(), *drafts.values()])
        told = [_happening(PUBLISHED, folder, one, one.current_revision) for one in resources]
        await self._webhooks.announce(tx, [one for one in told if one.revision is not None])
        return [drafts.get(one.resource.key) or shown[one.resource.key] for one in fresh]

    async def describe(
        self, tx: Transaction, folder: Folder, resource: Resource, changes: dict[str, Any]
    ) -> None:
        """Set metadata. Raises `UniqueViolation` for an external id that is taken."""
        await repository.update(tx, resource.key, {**changes, "updated_at": self._clock.now_ms()})
        owner = changes.get("resource_owner", resource.resource_owner)
        if owner != resource.resource_owner:
            await self._projection.move(tx, folder.key, resource.key, owner)

    async def publish(
        self, tx: Transaction, folder: Folder, resource: Resource, revision: Revision, vectors: Vectors
    ) -> None:
        """Show the revision from the commit on. Raises `DATA_VALIDATION_ERROR` when it does not fit its
        schema, `NeedsVectors`."""
        checked = self.checked(await self._ground_of(tx, folder, revision), revision.decoded())
        now = self._clock.now_ms()
        await repository.claim(tx, resource.key, now)
        await repository.unpublish(tx, resource.key, now)
        changes = {
            "status": "published",
            "is_valid": 1,
            "published_at": now,
            "unpublished_at": None,
            "data": checked.stored,
        }
        await repository.update_revision(tx, revision.key, changes)
        await self._show(tx, folder, resource, revision, checked, vectors)

    async def unpublish(self, tx: Transaction, folder: Folder, resource: Resource) -> None:
        """Take the resource out of delivery."""
        now = self._clock.now_ms()
        await repository.claim(tx, resource.key, now)
        await repository.unpublish(tx, resource.key, now)
        await repository.update(tx, resource.key, {"current_revision": None})
        await self._projection.remove(tx, folder.key, resource.key)
        await self._webhooks.announce(
            tx, [_happening(UNPUBLISHED, folder, resource, resource.current_revision)]
        )

    async def delete(self, tx: Transaction, folder: Folder, resource: Resource) -> None:
        """The resource with its revisions, out of delivery too."""
        await self._projection.remove(tx, folder.key, resource.key)
        await repository.delete(tx, resource.key)
        await self._webhooks.announce(tx, [_happening(DELETED, folder, resource, resource.current_revision)])

    async def leave(self, tx: Transaction, folders: Sequence[Folder]) -> None:
        """Tell who listens that everything in the folders is about to be deleted."""
        for folder in folders:
            if await self._webhooks.listens(tx, folder.environment, DELETED, folder.key):
                gone = await repository.all_in(tx, folder.key)
                told = [_happening(DELETED, folder, one, one.current_revision) for one in gone]
                await self._webhooks.announce_many(tx, told)

    # -- inside -----------------------------------------------------------------------------------------------

    async def _show(
        self,
        tx: Transaction,
        folder: Folder,
        resource: Resource,
        revision: Revision,
        checked: Checked,
        vectors: Vectors,
    ) -> None:
        now = self._clock.now_ms()
        published = self._published(folder, resource, revision, checked, now)
        size = await self._projection.put(tx, published, vectors)
        shown = {"current_revision": revision.key, "updated_at": now, "vectors_size": size}
        await repository.update(tx, resource.key, shown)
        await self._webhooks.announce(tx, [_happening(PUBLISHED, folder, resource, revision.key)])

    async def _next(
        self, tx: Transaction, resource: Resource, checked: Checked, published_at: int | None
    ) -> Revision:
        number = await repository.next_number(tx, resource.key, self._clock.now_ms())
        return self._row(random_key(12), resource.key, number, checked, published_at)

    def _row(
        self, key: str, resource: str, number: int, checked: Checked, published_at: int | None
    ) -> Revision:
        return Revision(
            key=key,
            resource=resource,
            number=number,
            schema_version=checked.version,
            status="draft" if published_at is None else "published",
            data=checked.stored,
            size=len(checked.stored),
            is_valid=1,
            created_at=self._clock.now_ms(),
            published_at=published_at,
            unpublished_at=None,
        )

    @staticmethod
    def _published(
        folder: Folder, resource: Resource, revision: Revision, checked: Checked, now: int
    ) -> Published:
        return Published(
            environment=folder.environment,
            folder=folder.key,
            key=resource.key,
            owner=resource.resource_owner,
            component=resource.component,
            version=revision.schema_version,
            revision=revision.key,
            created_at=resource.created_at,
            updated_at=now,
            data=checked.document,
            stored=checked.stored,
            shape=checked.shape,
            entries=checked.entries,
        )

    async def _prune(self, tx: Transaction, folder: Folder, resource: Resource) -> None:
        if folder.auto_remove_revisions is not None:
            await repository.prune(tx, resource.key, folder.auto_remove_revisions)


def _happening(event: str, folder: Folder, resource: Resource, revision: str | None) -> Happening:
    return Happening(
        event=event,
        environment=folder.environment,
        folder=folder.key,
        path=folder.path,
        resource=resource.key,
        external_id=resource.external_id,
        component=resource.component,
        revision=revision,
    )
