"""What can be done with components."""

from __future__ import annotations

from flux.content import faults
from flux.content.changes import given
from flux.content.components import repository
from flux.content.components.rows import Component, ComponentWithVersion
from flux.content.components.schemas import ComponentChange, ComponentCreate
from flux.content.generations.service import advance
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.kernel.house import House
from flux.kernel.store import LOWER, Reader, Transaction, random_key


class Components:
    def __init__(self, house: House, plans: Plans) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans

    async def listing(self, environment: str, at: Window, bounds: dict[str, tuple[str, int]]) -> Rows:
        return await repository.listing(self._db, environment, at, bounds)

    async def one(self, reader: Reader | None, environment: str, key: str) -> ComponentWithVersion:
        """Raises `COMPONENT_NOT_FOUND`."""
        found = await repository.one(reader or self._db, environment, key)
        if found is None:
            raise faults.COMPONENT_NOT_FOUND()
        return found

    async def keys(self, reader: Reader, environment: str) -> list[str]:
        return await repository.keys(reader, environment)

    async def create(self, environment: str, body: ComponentCreate) -> ComponentWithVersion:
        row = Component(
            random_key(12, LOWER),
            environment,
            body.name,
            body.description,
            body.content_type,
            self._clock.now_ms(),
        )

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> ComponentWithVersion:
            await advance(tx, environment)
            await repository.insert(tx, row)
            return await self.one(tx, environment, row.key)

        return await self._plans.adding("components", count, work)

    async def change(self, environment: str, key: str, body: ComponentChange) -> ComponentWithVersion:
        async def work(tx: Transaction) -> ComponentWithVersion:
            await self.one(tx, environment, key)
            await repository.update(tx, key, given(body))
            return await self.one(tx, environment, key)

        return await self._db.transact(work)

    async def delete(self, environment: str, key: str) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            await self.one(tx, environment, key)
            if await repository.is_used(tx, key):
                raise faults.COMPONENT_IN_USE()
            await repository.delete(tx, key)

        await self._db.transact(work)
