"""Writing content inside a unit of work: check the data, add a revision, publish it."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.content import faults
from flux.content.embeddings.service import Vectors
from flux.content.folders.rows import Folder
from flux.content.locales.service import Locales
from flux.content.projection.rows import Published
from flux.content.projection.service import Projection
from flux.content.resources import repository, rules
from flux.content.resources.rows import Resource, Revision
from flux.content.schemas.service import Schemas
from flux.content.shape.checking import Checking, DataProblem
from flux.content.shape.fields import Shape
from flux.content.webhooks.rules import DELETED, PUBLISHED, UNPUBLISHED, Happening
from flux.content.webhooks.service import Webhooks
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction, random_key


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

    async def schema(self, reader: Reader, folder: Folder, component: str | None) -> tuple[str, Shape]:
        """The version that content of the folder is written under now. Raises `NO_PUBLISHED_SCHEMA`."""
        version = await self._schemas.published(reader, component or folder.key)
        if version is None or version.shape is None:
            raise faults.NO_PUBLISHED_SCHEMA()
        return version.key, Shape.decode(version.shape)

    async def checked(self, reader: Reader, environment: str, shape: Shape, data: Any) -> bytes:
        """The stored form. Raises `DATA_VALIDATION_ERROR`."""
        stored, problems = await self.check(reader, environment, shape, data)
        if problems:
            raise rules.refusal(problems)
        return stored

    async def check(
        self, reader: Reader, environment: str, shape: Shape, data: Any
    ) -> tuple[bytes, list[DataProblem]]:
        checking = Checking(shape, await self._locales.of(reader, environment))
        stored = msgspec.json.encode(checking.document(data))
        limit = self._settings.max_revision_bytes
        if len(stored) > limit:
            checking.problems.append(DataProblem("$", f"At most {limit} bytes are allowed", "too_large"))
        return stored, checking.problems

    async def add_revision(self, tx: Transaction, folder: Folder, resource: Resource, data: Any) -> Revision:
        """A new draft under the schema that is published now. The oldest ones may go."""
        version, shape = await self.schema(tx, folder, resource.component)
        stored = await self.checked(tx, folder.environment, shape, data)
        now = self._clock.now_ms()
        number = await repository.next_number(tx, resource.key, now)
        row = Revision(
            key=random_key(12),
            resource=resource.key,
            number=number,
            schema_version=version,
            status="draft",
            data=stored,
            size=len(stored),
            is_valid=1,
            created_at=now,
            published_at=None,
            unpublished_at=None,
        )
        await repository.insert_revision(tx, row)
        if folder.auto_remove_revisions is not None:
            await repository.prune(tx, resource.key, folder.auto_remove_revisions)
        return row

    async def revalidated(
        self, reader: Reader, folder: Folder, revision: Revision
    ) -> tuple[bytes, list[DataProblem]]:
        """Against the schema version it was written under."""
        shape = await self._shape_of(reader, folder, revision)
        return await self.check(reader, folder.environment, shape, revision.decoded())

    async def publish(
        self, tx: Transaction, folder: Folder, resource: Resource, revision: Revision, vectors: Vectors
    ) -> None:
        """Show the revision from the commit on. Raises `DATA_VALIDATION_ERROR` when it does not fit its
        schema, `NeedsVectors`."""
        shape = await self._shape_of(tx, folder, revision)
        stored = await self.checked(tx, folder.environment, shape, revision.decoded())
        now = self._clock.now_ms()
        await repository.unpublish(tx, resource.key, now)
        published = {
            "status": "published",
            "is_valid": 1,
            "published_at": now,
            "unpublished_at": None,
            "data": stored,
        }
        await repository.update_revision(tx, revision.key, published)
        size = await self._projection.put(
            tx,
            Published(
                environment=folder.environment,
                folder=folder.key,
                key=resource.key,
                owner=resource.resource_owner,
                component=resource.component,
                version=revision.schema_version,
                revision=revision.key,
                created_at=resource.created_at,
                updated_at=now,
                data=msgspec.json.decode(stored),
                shape=shape,
            ),
            vectors,
        )
        shown = {"current_revision": revision.key, "updated_at": now, "vectors_size": size}
        await repository.update(tx, resource.key, shown)
        await self._announce(tx, PUBLISHED, folder, resource, revision.key)

    async def unpublish(self, tx: Transaction, folder: Folder, resource: Resource) -> None:
        """Take the resource out of delivery."""
        await repository.unpublish(tx, resource.key, self._clock.now_ms())
        await repository.update(tx, resource.key, {"current_revision": None})
        await self._projection.remove(tx, folder.key, resource.key)
        await self._announce(tx, UNPUBLISHED, folder, resource, resource.current_revision)

    async def delete(self, tx: Transaction, folder: Folder, resource: Resource) -> None:
        """The resource with its revisions, out of delivery too."""
        await self._projection.remove(tx, folder.key, resource.key)
        await repository.delete(tx, resource.key)
        await self._announce(tx, DELETED, folder, resource, resource.current_revision)

    async def _announce(
        self, tx: Transaction, event: str, folder: Folder, resource: Resource, revision: str | None
    ) -> None:
        happening = Happening(
            event=event,
            environment=folder.environment,
            folder=folder.key,
            path=folder.path,
            resource=resource.key,
            external_id=resource.external_id,
            component=resource.component,
            revision=revision,
        )
        await self._webhooks.announce(tx, happening)

    async def _shape_of(self, reader: Reader, folder: Folder, revision: Revision) -> Shape:
        """A version that was deleted since leaves its content to the current one."""
        shape = await self._schemas.shape(reader, folder.environment, revision.schema_version)
        if shape is None:
            resource = await repository.one(reader, folder.key, revision.resource)
            _, shape = await self.schema(reader, folder, resource.component if resource else None)
        return shape
