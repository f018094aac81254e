"""How many more: the limits an operator has set, checked inside the unit of work that adds one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from flux.content.faults import PLAN_LIMIT_EXCEEDED
from flux.kernel.store import Database, Transaction

T = TypeVar("T")


class Plans:
    """`content.plan_limits.<entity>`; an entity without a limit is not counted at all."""

    def __init__(self, db: Database, limits: dict[str, int]) -> None:
        self._db = db
        self.limits = limits

    async def adding(
        self,
        entity: str,
        count: Callable[[Transaction], Awaitable[int]],
        work: Callable[[Transaction], Awaitable[T]],
    ) -> T:
        """Run `work`, which adds one `entity`, when `count` is below the limit. Raises `PLAN_LIMIT_EXCEEDED`.

        With a limit the unit is serialisable, so that two of them cannot both take the last place.
        """
        limit = self.limits.get(entity)
        if limit is None:
            return await self._db.transact(work)

        async def counted(tx: Transaction) -> T:
            current = await count(tx)
            if current >= limit:
                raise PLAN_LIMIT_EXCEEDED(entity=entity, current=current, limit=limit)
            return await work(tx)

        return await self._db.transact(counted, serializable=True)

    async def within(
        self,
        entity: str,
        count: Callable[[Transaction], Awaitable[int]],
        work: Callable[[Transaction], Awaitable[T]],
    ) -> T:
        """Run `work`, which may add any number of them, unless that leaves more than the limit."""
        limit = self.limits.get(entity)
        if limit is None:
            return await self._db.transact(work)

        async def counted(tx: Transaction) -> T:
            before = await count(tx)
            done = await work(tx)
            if await count(tx) > max(before, limit):
                raise PLAN_LIMIT_EXCEEDED(entity=entity, current=before, limit=limit)
            return done

        return await self._db.transact(counted, serializable=True)
