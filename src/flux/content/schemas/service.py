"""What can be done with schema versions. `owner` is the key of a folder or a component that the caller has found."""

from __future__ import annotations

import msgspec

from flux.content import faults
from flux.content.changes import given
from flux.content.generations.service import advance
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.projection.service import Projection
from flux.content.schemas import embedding, repository, rules
from flux.content.schemas.rows import Version
from flux.content.schemas.schemas import VersionChange, VersionCreate
from flux.content.shape.fields import Shape
from flux.kernel.house import House
from flux.kernel.store import LOWER, Reader, Transaction, random_key


class Schemas:
    def __init__(self, house: House, plans: Plans, projection: Projection) -> None:
        self._db = house.db
        self._clock = house.clock
        self._settings = house.settings.content
        self._plans = plans
        self._projection = projection

    # -- reading ----------------------------------------------------------------------------------------------

    async def listing(self, owner: str, at: Window) -> Rows:
        return await repository.versions(self._db, owner, at)

    async def find(self, reader: Reader | None, owner: str, name: str) -> Version:
        """By key, or `latest`: the newest draft, else the newest. Raises `VERSION_NOT_FOUND`."""
        reader = reader or self._db
        found = await repository.version(reader, owner, name)
        if found is None and name == "latest":
            found = await repository.latest(reader, owner)
        if found is None:
            raise faults.VERSION_NOT_FOUND()
        return found

    async def published(self, reader: Reader, owner: str) -> Version | None:
        return await repository.published(reader, owner)

    async def published_of_all(self, reader: Reader, environment: str) -> list[Version]:
        return await repository.published_of_all(reader, environment)

    async def shape(self, reader: Reader, environment: str, key: str) -> Shape | None:
        """Of a version that is or was published."""
        found = await repository.version_anywhere(reader, environment, key)
        return Shape.decode(found.shape) if found and found.shape else None

    async def current_shape(self, reader: Reader, version: Version) -> Shape:
        """What the fields say now, for drafts too."""
        if version.shape is not None:
            return Shape.decode(version.shape)
        return await embedding.shape_of(
            reader, version.environment, await repository.fields(reader, version.key)
        )

    async def shape_shown(self, version: Version) -> Shape:
        return await self.current_shape(self._db, version)

    # -- drafts -----------------------------------------------------------------------------------------------

    async def create(
        self, environment: str, owner: str, body: VersionCreate, copy_from: str | None
    ) -> Version:
        row = self._draft(environment, owner, body)

        async def count(tx: Transaction) -> int:
            return await repository.count_in(tx, environment)

        async def work(tx: Transaction) -> None:
            if await repository.count(tx, owner) >= self._settings.max_versions:
                raise faults.TOO_MANY_VERSIONS()
            source = await self.find(tx, owner, copy_from) if copy_from else None
            await repository.insert_version(tx, row)
            if source is not None:
                await self._copy(tx, source, row)

        await self._plans.adding("schemas", count, work)
        return row

    async def change(self, owner: str, name: str, body: VersionChange) -> Version:
        async def work(tx: Transaction) -> Version:
            version = await self.held(tx, owner, name)
            await repository.update_version(tx, version.key, given(body))
            return await self.find(tx, owner, version.key)

        return await self._db.transact(work)

    async def delete(self, owner: str, name: str) -> None:
        async def work(tx: Transaction) -> None:
            version = await self.find(tx, owner, name)
            is_draft = await repository.hold_draft(tx, version.key)
            if not is_draft and (await self.find(tx, owner, version.key)).status == "published":
                raise faults.PUBLISHED_VERSION_CANNOT_BE_DELETED()
            await repository.delete_version(tx, version.key)

        await self._db.transact(work)

    async def draft(self, reader: Reader, owner: str, name: str) -> Version:
        """A version that may still change. Raises `VERSION_ALREADY_PUBLISHED`."""
        version = await self.find(reader, owner, name)
        if version.status != "draft":
            raise faults.VERSION_ALREADY_PUBLISHED()
        return version

    async def held(self, tx: Transaction, owner: str, name: str) -> Version:
        """As `draft`; nobody else publishes or changes it until the unit ends."""
        version = await self.find(tx, owner, name)
        if not await repository.hold_draft(tx, version.key):
            raise faults.VERSION_ALREADY_PUBLISHED()
        return version

    def _draft(self, environment: str, owner: str, body: VersionCreate) -> Version:
        key, now = random_key(12, LOWER), self._clock.now_ms()
        return Version(
            key, environment, owner, body.name, body.description, "draft", None, None, now, None, None
        )

    async def _copy(self, tx: Transaction, source: Version, target: Version) -> None:
        for row in await repository.fields(tx, source.key):
            await repository.insert_field(tx, msgspec.structs.replace(row, version=target.key))

    # -- publishing -------------------------------------------------------------------------------------------

    async def publish(self, owner: str, name: str, keep: int | None) -> Version:
        """Lock the draft, number it and make it the owner's schema. `keep` prunes older versions."""

        async def work(tx: Transaction) -> Version:
            version = await self.held(tx, owner, name)
            await advance(tx, version.environment)
            published = await self.publish_in(tx, version)
            if keep is not None:
                await self.prune(tx, owner, keep)
            return published

        return await self._db.transact(work)

    async def publish_in(self, tx: Transaction, version: Version) -> Version:
        """The same inside the caller's unit, for a draft it holds."""
        fields = await repository.fields(tx, version.key)
        if not fields:
            raise faults.EMPTY_SCHEMA()
        shape = await embedding.shape_of(tx, version.environment, fields)
        embedding.check_no_ring(version, shape)
        if problems := rules.shape_problems(shape, self._settings.max_component_depth):
            raise faults.VALIDATION_ERROR(detail=problems)
        now = self._clock.now_ms()
        number = await repository.last_number(tx, version.owner) + 1
        await repository.archive(tx, version.owner, now)
        await repository.update_version(
            tx,
            version.key,
            {"status": "published", "number": number, "published_at": now, "shape": shape.encode()},
        )
        owners = [version.owner, *await embedding.refresh_dependents(tx, version.owner)]
        await self._projection.schema_changed(tx, owners)
        return await self.find(tx, version.owner, version.key)

    async def prune(self, tx: Transaction, owner: str, keep: int) -> None:
        for key in await repository.removable(tx, owner, keep):
            await repository.delete_version(tx, key)
