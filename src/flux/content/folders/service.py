"""What can be done with folders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from flux.content import faults
from flux.content.changes import given
from flux.content.folders import repository, rules
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderChange, FolderCreate, TreeQuery
from flux.content.generations.service import advance
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.projection.service import Projection
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.store import LOWER, Reader, Transaction, UniqueViolation, random_key

LONGEST_PATH = 1000
Leaving = Callable[[Transaction, Sequence[Folder]], Awaitable[None]]


class Folders:
    def __init__(self, house: House, plans: Plans, projection: Projection) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans
        self._projection = projection
        self._leaving: list[Leaving] = []

    def before_deleting(self, act: Leaving) -> None:
        """Have `act` called in the unit of work that deletes folders, while all that lies in them is still there."""
        self._leaving.append(act)

    async def find(self, reader: Reader | None, environment: str, name: str) -> Folder:
        """By key, by path, or by an alias that only one folder has. Raises `FOLDER_NOT_FOUND`."""
        reader = reader or self._db
        found = await repository.by_key(reader, environment, name)
        if found is None:
            found = await repository.by_path(reader, environment, rules.normalised(name))
        if found is None:
            named = await repository.by_alias(reader, environment, name)
            found = named[0] if len(named) == 1 else None
        if found is None:
            raise faults.FOLDER_NOT_FOUND()
        return found

    async def all_of(self, reader: Reader | None, environment: str) -> list[Folder]:
        return rules.tree_order(await repository.all_of(reader or self._db, environment))

    async def named(self, environment: str, key: str | None, path: str | None) -> Folder:
        """For endpoints that take `?key=` or `?path=`."""
        name = key or path
        if not name:
            details = "Either key or path is required"
            raise faults.VALIDATION_ERROR(detail=[problem("missing", "key", details, "Missing value")])
        return await self.find(None, environment, name)

    async def tree(self, environment: str, query: TreeQuery) -> list[Folder]:
        everything = await repository.all_of(self._db, environment)
        if not (query.key or query.path):
            return rules.tree_order(everything)
        folder = await self.named(environment, query.key, query.path)
        return rules.related(everything, folder, query.mode or "children")

    async def create(self, environment: str, body: FolderCreate) -> Folder:
        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> Folder:
            await advance(tx, environment)
            parent = await self._parent(tx, environment, body.parent)
            row = self._row(environment, body, parent)
            await repository.insert(tx, row)
            return row

        try:
            return await self._plans.adding("folders", count, work)
        except UniqueViolation:
            raise faults.FOLDER_ALIAS_EXISTS() from None

    async def change(self, environment: str, folder: Folder, body: FolderChange) -> Folder:
        """A new alias also moves the paths of everything below."""
        changes = given(body)

        async def work(tx: Transaction) -> Folder:
            await advance(tx, environment)
            found = await self.find(tx, environment, folder.key)
            await repository.update(tx, found.key, changes)
            if "alias" in changes and changes["alias"] != found.alias:
                await self._move(tx, environment, found, changes["alias"])
            return await self.find(tx, environment, found.key)

        try:
            return await self._db.transact(work)
        except UniqueViolation:
            raise faults.FOLDER_ALIAS_EXISTS() from None

    async def delete(self, environment: str, folder: Folder) -> None:
        """With everything below it, its resources, and what delivery shows of them."""

        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            everything = await repository.all_of(tx, environment)
            leaving = [folder, *rules.related(everything, folder, "descendants")]
            for act in self._leaving:
                await act(tx, leaving)
            gone = [one.key for one in leaving]
            await self._projection.remove_folders(tx, gone)
            await repository.delete(tx, gone)

        await self._db.transact(work)

    async def _parent(self, tx: Transaction, environment: str, name: str | None) -> Folder | None:
        if not name:
            return None
        try:
            return await self.find(tx, environment, name)
        except FaultError:
            raise faults.VALIDATION_ERROR(detail=[problem("choice", "parent", "No such folder")]) from None

    def _row(self, environment: str, body: FolderCreate, parent: Folder | None) -> Folder:
        if body.strict_reference and parent is None:
            details = "Only a folder with a parent can refer strictly to it"
            raise faults.VALIDATION_ERROR(detail=[problem("strict", "strict_reference", details)])
        path = f"{parent.path}.{body.alias}" if parent else body.alias
        self._check_length(path)
        return Folder(
            key=random_key(12, LOWER),
            environment=environment,
            parent=parent.key if parent else "",
            alias=body.alias,
            path=path,
            name=body.name,
            folder_type=body.folder_type,
            content_type="document" if body.folder_type == "collection" else body.content_type,
            strict_reference=int(body.strict_reference),
            auto_remove_revisions=body.auto_remove_revisions,
            auto_remove_schema_versions=None
            if body.folder_type == "composite"
            else body.auto_remove_schema_versions,
            embedding_model=body.embedding_model,
            embedding_dimension=body.embedding_dimension,
            created_at=self._clock.now_ms(),
        )

    def _check_length(self, path: str) -> None:
        if len(path) > LONGEST_PATH:
            details = f"The path would be longer than {LONGEST_PATH} characters"
            raise faults.VALIDATION_ERROR(detail=[problem("too_long", "alias", details)])

    async def _move(self, tx: Transaction, environment: str, folder: Folder, alias: str) -> None:
        everything = await repository.all_of(tx, environment)
        before, _, _ = folder.path.rpartition(".")
        path = f"{before}.{alias}" if before else alias
        changes: list[tuple[str, dict[str, Any]]] = [(folder.key, {"path": path})]
        for one in rules.related(everything, folder, "descendants"):
            changes.append((one.key, {"path": path + one.path[len(folder.path) :]}))
        for key, change in changes:
            self._check_length(change["path"])
            await repository.update(tx, key, change)
