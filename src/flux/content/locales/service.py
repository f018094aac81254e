"""What can be done with locales. Exactly one is the default: a unique index and one unit of work see to it."""

from __future__ import annotations

from flux.content import faults
from flux.content.generations.service import advance
from flux.content.locales import repository
from flux.content.locales.rows import Locale
from flux.content.locales.schemas import LocaleChange, LocaleCreate
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.shape.checking import Locales as Codes
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction, UniqueViolation


class Locales:
    def __init__(self, house: House, plans: Plans) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans

    async def all_of(self, environment: str) -> list[Locale]:
        return await repository.listing(self._db, environment)

    async def of(self, reader: Reader, environment: str) -> Codes:
        """The codes as documents are checked and shown by."""
        rows = await repository.listing(reader, environment)
        default = next((row.code for row in rows if row.is_default), "en")
        return Codes(default, tuple(row.code for row in rows) or (default,))

    async def one(self, environment: str, code: str) -> Locale:
        found = await repository.one(self._db, environment, code)
        if found is None:
            raise faults.LOCALE_NOT_FOUND()
        return found

    async def start(self, tx: Transaction, environment: str, now: int) -> None:
        """What an empty environment has."""
        await repository.insert(tx, Locale(environment, "en", "English", 1, now))

    async def create(self, environment: str, body: LocaleCreate) -> Locale:
        row = Locale(environment, body.code, body.name, int(body.is_default), self._clock.now_ms())

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            if row.is_default:
                await repository.clear_default(tx, environment)
            await repository.insert(tx, row)

        try:
            await self._plans.adding("locales", count, work)
        except UniqueViolation:
            raise faults.VALIDATION_ERROR(
                detail=[problem("unique", "code", "A locale with this code exists")]
            ) from None
        return row

    async def change(self, environment: str, code: str, body: LocaleChange) -> Locale:
        async def work(tx: Transaction) -> Locale:
            await advance(tx, environment)
            found = await repository.one(tx, environment, code)
            if found is None:
                raise faults.LOCALE_NOT_FOUND()
            if body.is_default is True and not found.is_default:
                await repository.clear_default(tx, environment)
                await repository.update(tx, environment, code, {"is_default": 1})
            elif body.is_default is False and found.is_default:
                details = "Make another locale the default instead"
                raise faults.VALIDATION_ERROR(detail=[problem("default", "is_default", details)])
            if isinstance(body.name, str):
                await repository.update(tx, environment, code, {"name": body.name})
            return await repository.one(tx, environment, code) or found

        return await self._db.transact(work)

    async def delete(self, environment: str, code: str) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            found = await repository.one(tx, environment, code)
            if found is None:
                raise faults.LOCALE_NOT_FOUND()
            if found.is_default:
                raise faults.DEFAULT_LOCALE_CANNOT_BE_DELETED()
            await repository.delete(tx, environment, code)

        await self._db.transact(work)
