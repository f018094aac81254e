"""What can be done with organisations, projects and environments."""

from __future__ import annotations

from typing import Any

from flux.content import faults
from flux.content.access import Person
from flux.content.generations.service import advance
from flux.content.locales.service import Locales
from flux.content.organisations import repository
from flux.content.organisations.rows import Environment, Organization, Project
from flux.content.organisations.rules import PLAN
from flux.content.organisations.schemas import Protection
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.projection.service import Projection
from flux.kernel.house import House
from flux.kernel.store import LOWER, Transaction, random_key


class Organisations:
    def __init__(self, house: House, plans: Plans, locales: Locales, projection: Projection) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans
        self._locales = locales
        self._projection = projection

    # -- organisations ----------------------------------------------------------------------------------------

    async def all_of(self, person: Person) -> list[Organization]:
        return await repository.organizations_of(self._db, person.key)

    async def one(self, person: Person, key: str) -> Organization:
        found = await repository.organization(self._db, person.key, key)
        if found is None:
            raise faults.ORGANIZATION_NOT_FOUND()
        return found

    async def change(self, person: Person, key: str, changes: dict[str, Any]) -> Organization:
        await self.one(person, key)

        async def work(tx: Transaction) -> None:
            await repository.update_organization(tx, key, changes)

        await self._db.transact(work)
        return await self.one(person, key)

    async def found(self, owner_key: str, name: str) -> Organization:
        row = Organization(
            random_key(8, LOWER), name, owner_key, "", "", "", "", "", "", None, PLAN, self._clock.now_ms()
        )

        async def work(tx: Transaction) -> None:
            await repository.insert_organization(tx, row)

        await self._db.transact(work)
        return row

    async def usage(self, person: Person, key: str) -> tuple[dict[str, int], dict[str, int]]:
        await self.one(person, key)
        counts, sizes = await repository.usage(self._db, key)
        return {**counts, "users": 1}, sizes

    # -- projects ---------------------------------------------------------------------------------------------

    async def projects(self, person: Person, organization: str, at: Window) -> Rows:
        await self.one(person, organization)
        return await repository.projects(self._db, organization, at)

    async def project(self, person: Person, organization: str, key: str) -> Project:
        await self.one(person, organization)
        found = await repository.project(self._db, organization, key)
        if found is None:
            raise faults.PROJECT_NOT_FOUND()
        return found

    async def first_project(self, organization: str) -> Project | None:
        """The oldest."""
        found = await repository.projects(self._db, organization, Window(1000, 0))
        return found.rows[-1] if found.rows else None

    async def create_project(
        self, person: Person, organization: str, name: str, region: str, gdpr: bool
    ) -> Project:
        """A new project has one environment, as on the original."""
        await self.one(person, organization)
        now = self._clock.now_ms()
        row = Project(random_key(8, LOWER), organization, name, region, int(gdpr), now)

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, organization, "projects")

        async def work(tx: Transaction) -> None:
            await repository.insert_project(tx, row)
            await self._add_environment(tx, row.key, "Production", now)

        await self._plans.adding("projects", count, work)
        return row

    async def change_project(
        self, person: Person, organization: str, key: str, changes: dict[str, Any]
    ) -> Project:
        await self.project(person, organization, key)

        async def work(tx: Transaction) -> None:
            await repository.update_project(tx, key, changes)

        await self._db.transact(work)
        return await self.project(person, organization, key)

    async def delete_project(self, person: Person, organization: str, key: str) -> None:
        await self.project(person, organization, key)

        async def work(tx: Transaction) -> None:
            for environment in await repository.environments(tx, key):
                await self._remove(tx, environment.key)
            await repository.delete_project(tx, key)

        await self._db.transact(work)

    # -- environments -----------------------------------------------------------------------------------------

    async def environments(self, person: Person, organization: str, project: str) -> list[Environment]:
        await self.project(person, organization, project)
        return await repository.environments(self._db, project)

    async def environments_of(self, project: str) -> list[Environment]:
        return await repository.environments(self._db, project)

    async def environment_in(self, person: Person, organization: str, project: str, key: str) -> Environment:
        await self.project(person, organization, project)
        found = await repository.environment(self._db, key)
        if found is None or found.project != project:
            raise faults.ENVIRONMENT_NOT_FOUND()
        return found

    async def environment(self, key: str, person: Person | None) -> Environment:
        """For the gate. A person sees only what belongs to an organisation of theirs."""
        if person is None:
            found = await repository.environment(self._db, key)
        else:
            found = await repository.environment_of(self._db, person.key, key)
        if found is None:
            raise faults.ENVIRONMENT_NOT_FOUND()
        return found

    async def first_environment(self) -> str | None:
        """The key of the oldest."""
        return await repository.first_environment(self._db)

    async def only_environment(self) -> str | None:
        return await repository.only_environment(self._db)

    async def create_environment(
        self, person: Person, organization: str, project: str, name: str
    ) -> Environment:
        await self.project(person, organization, project)

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, organization, "environments")

        async def work(tx: Transaction) -> Environment:
            return await self._add_environment(tx, project, name, self._clock.now_ms())

        return await self._plans.adding("environments", count, work)

    async def change_environment(self, environment: Environment, changes: dict[str, Any]) -> Environment:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment.key)
            await repository.update_environment(tx, environment.key, changes)

        await self._db.transact(work)
        return await self.environment(environment.key, None)

    async def protect(self, person: Person, environment: Environment, protection: Protection) -> Environment:
        lifted = protection.protection_level == "none"
        return await self.change_environment(
            environment,
            {
                "protection_level": protection.protection_level,
                "protection_reason": None if lifted else protection.protection_reason,
                "protected_by": None if lifted else person.key,
                "protected_at": None if lifted else self._clock.now_ms(),
            },
        )

    async def delete_environment(self, environment: Environment) -> None:
        async def work(tx: Transaction) -> None:
            await self._remove(tx, environment.key)

        await self._db.transact(work)

    async def _add_environment(self, tx: Transaction, project: str, name: str, now: int) -> Environment:
        """An environment starts empty, with the locale `en`."""
        row = Environment(random_key(8, LOWER), project, name, 1, "none", None, None, None, now)
        await repository.insert_environment(tx, row)
        await self._locales.start(tx, row.key, now)
        await advance(tx, row.key)
        return row

    async def _remove(self, tx: Transaction, key: str) -> None:
        """As it is protected now: whoever protects it meanwhile waits for this unit, or this one for them."""
        await advance(tx, key)
        environment = await repository.environment(tx, key)
        if environment is not None and environment.protection_level != "none":
            raise faults.PROTECTED_ENVIRONMENT_CANNOT_BE_DELETED()
        await self._projection.remove_environment(tx, key)
        await repository.delete_environment(tx, key)
