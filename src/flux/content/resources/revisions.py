"""What can be done with the revisions of a resource."""

from __future__ import annotations

from typing import Any

from flux.content import faults
from flux.content.embeddings.service import Embeddings, Vectors
from flux.content.folders.rows import Folder
from flux.content.pages import Rows, Window
from flux.content.resources import repository
from flux.content.resources.rows import Resource, Revision
from flux.content.resources.service import Resources
from flux.content.resources.writing import Writing
from flux.content.shape.checking import DataProblem
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction


class Revisions:
    def __init__(self, house: House, resources: Resources, writing: Writing, embeddings: Embeddings) -> None:
        self._db = house.db
        self._resources = resources
        self._writing = writing
        self._embeddings = embeddings

    async def listing(self, folder: Folder, resource: str, at: Window) -> Rows:
        found = await self._resources.one(None, folder, resource)
        return await repository.revisions(self._db, found.key, at)

    async def one(self, folder: Folder, resource: str, key: str) -> Revision:
        _, revision = await self._found(self._db, folder, resource, key)
        return revision

    async def create(self, folder: Folder, resource: str, data: Any) -> Revision:
        async def attempt(vectors: Vectors) -> Revision:
            async def work(tx: Transaction) -> Revision:
                found = await self._resources.one(tx, folder, resource)
                if folder.is_composite:
                    revision = await self._writing.add_published(tx, folder, found, data, vectors)
                else:
                    revision = await self._writing.add_revision(tx, folder, found, data)
                return await self._read(tx, found, revision.key)

            return await self._db.transact(work)

        return await self._embeddings.carrying(attempt)

    async def change(self, folder: Folder, resource: str, key: str, data: Any) -> Revision:
        """Replace a draft's data. It then counts as written under the schema that is published now."""

        async def work(tx: Transaction) -> Revision:
            found, revision = await self._held(tx, folder, resource, key)
            if revision.status != "draft":
                raise faults.REVISION_NOT_EDITABLE()
            checked = self._writing.checked(await self._writing.ground(tx, folder, found.component), data)
            stored = checked.stored
            changes = {
                "data": stored,
                "size": len(stored),
                "schema_version": checked.version,
                "is_valid": 1,
            }
            await repository.update_revision(tx, revision.key, changes)
            return await self._read(tx, found, revision.key)

        return await self._db.transact(work)

    async def delete(self, folder: Folder, resource: str, key: str) -> None:
        async def work(tx: Transaction) -> None:
            _, revision = await self._held(tx, folder, resource, key)
            if revision.status == "published":
                raise faults.PUBLISHED_REVISION_CANNOT_BE_DELETED()
            await repository.delete_revision(tx, revision.key)

        await self._db.transact(work)

    async def publish(self, folder: Folder, resource: str, key: str) -> Revision:
        async def attempt(vectors: Vectors) -> Revision:
            async def work(tx: Transaction) -> Revision:
                found, revision = await self._held(tx, folder, resource, key)
                await self._writing.publish(tx, folder, found, revision, vectors)
                return await self._read(tx, found, revision.key)

            return await self._db.transact(work)

        return await self._embeddings.carrying(attempt)

    async def unpublish(self, folder: Folder, resource: str, key: str) -> Revision:
        """The resource leaves delivery at once. A revision that is not published stays as it is."""

        async def work(tx: Transaction) -> Revision:
            found, revision = await self._held(tx, folder, resource, key)
            if revision.status == "published":
                await self._writing.unpublish(tx, folder, found)
            return await self._read(tx, found, revision.key)

        return await self._db.transact(work)

    async def validate(self, folder: Folder, resource: str, key: str) -> list[DataProblem]:
        """What is wrong with the revision's data; the verdict is kept with it."""

        async def work(tx: Transaction) -> list[DataProblem]:
            _, revision = await self._found(tx, folder, resource, key)
            _, problems = await self._writing.revalidated(tx, folder, revision)
            await repository.update_revision(tx, revision.key, {"is_valid": int(not problems)})
            return problems

        return await self._db.transact(work)

    async def _held(
        self, tx: Transaction, folder: Folder, resource: str, key: str
    ) -> tuple[Resource, Revision]:
        """As `_found`, and both stay as they are until the unit ends."""
        await repository.hold(tx, (await self._resources.one(tx, folder, resource)).key)
        return await self._found(tx, folder, resource, key)

    async def _found(
        self, reader: Reader, folder: Folder, resource: str, key: str
    ) -> tuple[Resource, Revision]:
        """`latest` names the newest revision."""
        found = await self._resources.one(reader, folder, resource)
        revision = await repository.revision(reader, found.key, key)
        if revision is None and key == "latest":
            revision = await repository.latest_revision(reader, found.key)
        if revision is None:
            raise faults.REVISION_NOT_FOUND()
        return found, revision

    async def _read(self, reader: Reader, resource: Resource, key: str) -> Revision:
        found = await repository.revision(reader, resource.key, key)
        if found is None:
            raise faults.REVISION_NOT_FOUND()
        return found
