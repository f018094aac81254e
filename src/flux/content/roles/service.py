"""What can be done with roles. Every change is felt at once: it advances the environment's generation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from flux.content import faults
from flux.content.access import Grants, Side
from flux.content.changes import given
from flux.content.generations.service import advance
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.roles import repository, rules
from flux.content.roles.rows import ObjectRow, PermissionRow, Role
from flux.content.roles.schemas import ObjectBody, PermissionBody, PermissionView, RoleChange, RoleCreate
from flux.kernel.house import House
from flux.kernel.store import LOWER, Reader, Transaction, random_key

T = TypeVar("T")


class Roles:
    def __init__(self, house: House, plans: Plans) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans

    async def listing(self, environment: str, side: Side, at: Window) -> Rows:
        return await repository.listing(self._db, environment, side, at)

    async def one(self, environment: str, side: Side, key: str) -> Role:
        return await self._found(self._db, environment, side, key)

    async def one_in(self, reader: Reader, environment: str, side: Side, key: str) -> Role:
        """Raises `ROLE_NOT_FOUND`."""
        return await self._found(reader, environment, side, key)

    async def create(self, environment: str, side: Side, body: RoleCreate) -> Role:
        full = int(body.full_access and side == "management")
        row = Role(
            random_key(10, LOWER), environment, side, body.name, body.description, full, self._clock.now_ms()
        )

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> None:
            await repository.insert(tx, row)

        await self._plans.adding("roles", count, work)
        return row

    async def change(self, environment: str, side: Side, key: str, body: RoleChange) -> Role:
        changes = given(body)
        if side == "flux":
            changes.pop("full_access", None)

        async def work(tx: Transaction) -> Role:
            await self._found(tx, environment, side, key)
            await repository.update(tx, key, changes)
            return await self._found(tx, environment, side, key)

        return await self._changing(environment, work)

    async def delete(self, environment: str, side: Side, key: str) -> None:
        async def work(tx: Transaction) -> None:
            await self._found(tx, environment, side, key)
            await repository.delete(tx, key)

        await self._changing(environment, work)

    async def grants(self, reader: Reader, environment: str, side: Side, key: str | None) -> Grants | None:
        """What a key with this role may do; None without a role or with full access: everything. A role that was
        deleted gives nothing."""
        if key is None:
            return None
        role = await repository.one(reader, environment, side, key)
        if role is not None and role.full_access:
            return None
        return rules.grants(await repository.permissions(reader, key), await repository.objects(reader, key))

    # -- permissions ------------------------------------------------------------------------------------------

    async def permissions(self, environment: str, side: Side, key: str) -> list[PermissionView]:
        await self._found(self._db, environment, side, key)
        return await self._views(self._db, key)

    async def put_permission(
        self, environment: str, side: Side, key: str, body: PermissionBody
    ) -> PermissionView:
        row = self._checked(side, body, "")

        async def work(tx: Transaction) -> PermissionView:
            await self._found(tx, environment, side, key)
            await self._put(tx, key, row, body.objects)
            views = await self._views(tx, key)
            return next(view for view in views if view.content_type == row.content_type)

        return await self._changing(environment, work)

    async def replace_permissions(
        self, environment: str, side: Side, key: str, bodies: list[PermissionBody]
    ) -> list[PermissionView]:
        rows = [self._checked(side, body, f"{index}.") for index, body in enumerate(bodies)]

        async def work(tx: Transaction) -> list[PermissionView]:
            await self._found(tx, environment, side, key)
            await repository.drop_permissions(tx, key)
            for row, body in zip(rows, bodies, strict=True):
                await self._put(tx, key, row, body.objects)
            return await self._views(tx, key)

        return await self._changing(environment, work)

    async def drop_permission(self, environment: str, side: Side, key: str, content_type: str) -> None:
        name = self._content_type(side, content_type, "content_type")

        async def work(tx: Transaction) -> None:
            await self._found(tx, environment, side, key)
            await repository.drop_permission(tx, key, name)

        await self._changing(environment, work)

    async def objects(self, environment: str, side: Side, key: str, content_type: str) -> list[ObjectRow]:
        name = self._content_type(side, content_type, "content_type")
        await self._found(self._db, environment, side, key)
        return [row for row in await repository.objects(self._db, key) if row.content_type == name]

    async def add_object(self, environment: str, side: Side, key: str, body: ObjectBody) -> ObjectRow:
        row = self._object(side, body)

        async def work(tx: Transaction) -> None:
            await self._found(tx, environment, side, key)
            await repository.put_object(tx, key, row)

        await self._changing(environment, work)
        return row

    async def drop_object(self, environment: str, side: Side, key: str, body: ObjectBody) -> None:
        row = self._object(side, body)

        async def work(tx: Transaction) -> None:
            await self._found(tx, environment, side, key)
            await repository.drop_object(tx, key, row)

        await self._changing(environment, work)

    # -- inside -----------------------------------------------------------------------------------------------

    async def _changing(self, environment: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async def unit(tx: Transaction) -> T:
            await advance(tx, environment)
            return await work(tx)

        return await self._db.transact(unit)

    async def _found(self, reader: Reader, environment: str, side: Side, key: str) -> Role:
        found = await repository.one(reader, environment, side, key)
        if found is None:
            raise faults.ROLE_NOT_FOUND()
        return found

    async def _views(self, reader: Reader, key: str) -> list[PermissionView]:
        objects = await repository.objects(reader, key)
        return [
            PermissionView(
                row.content_type,
                rules.split(row.actions),
                bool(row.all_objects),
                [one.object_key for one in objects if one.content_type == row.content_type],
            )
            for row in await repository.permissions(reader, key)
        ]

    async def _put(self, tx: Transaction, key: str, row: PermissionRow, objects: list[str] | None) -> None:
        await repository.put_permission(tx, key, row)
        if objects is not None:
            await repository.drop_objects(tx, key, row.content_type)
            for one in objects:
                await repository.put_object(tx, key, ObjectRow(row.content_type, one))

    def _checked(self, side: Side, body: PermissionBody, at: str) -> PermissionRow:
        """Types without objects are always for all objects."""
        name = self._content_type(side, body.content_type, f"{at}content_type")
        if wrong := rules.wrong_actions(body.actions):
            details = f"Unknown action {wrong[0]!r}"
            raise faults.VALIDATION_ERROR(detail=[problem("choice", f"{at}actions", details)])
        limited = body.all_objects is False or (body.all_objects is None and body.objects is not None)
        every = not (limited and name in rules.WITH_OBJECTS)
        return PermissionRow(name, rules.joined(body.actions), int(every))

    def _content_type(self, side: Side, name: str, field: str) -> str:
        known = rules.content_type(side, name)
        if known is None:
            raise faults.VALIDATION_ERROR(detail=[problem("choice", field, "Unknown content type")])
        return known

    def _object(self, side: Side, body: ObjectBody) -> ObjectRow:
        name = self._content_type(side, body.content_type, "content_type")
        key = body.object_key or body.object
        if key is None:
            raise faults.VALIDATION_ERROR(
                detail=[problem("missing", "object_key", "This field is required", "Missing value")]
            )
        return ObjectRow(name, key)
