"""What can be done with Flux APIs and their connections."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from flux.content import faults
from flux.content.apis import repository, rules
from flux.content.apis.rows import Api, Connection
from flux.content.apis.schemas import ApiChange, ApiCreate, ConnectionChange, ConnectionCreate
from flux.content.changes import given
from flux.content.folders.rows import Folder
from flux.content.folders.service import Folders
from flux.content.generations.service import advance
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.kernel.house import House
from flux.kernel.identity import new_token
from flux.kernel.store import LOWER, Reader, Transaction, UniqueViolation, random_key


class Apis:
    def __init__(self, house: House, plans: Plans, folders: Folders) -> None:
        self._db = house.db
        self._clock = house.clock
        self._plans = plans
        self._folders = folders

    async def listing(self, environment: str, at: Window) -> Rows:
        return await repository.listing(self._db, environment, at)

    async def all_of(self, reader: Reader, environment: str) -> list[Api]:
        return await repository.all_of(reader, environment)

    async def one(self, environment: str, key: str) -> Api:
        return await self._found(self._db, environment, key)

    async def create(self, environment: str, body: ApiCreate) -> Api:
        self._check_origins(body.cors_origins)
        row = Api(
            key=random_key(12, LOWER),
            environment=environment,
            name=body.name,
            prefix=body.prefix,
            description=body.description,
            version=body.version or "1",
            is_auth_required=int(body.is_auth_required),
            mcp_enabled=int(body.mcp_enabled),
            router_introspection_enabled=int(body.router_introspection_enabled),
            cors_origins=msgspec.json.encode(body.cors_origins),
            created_at=self._clock.now_ms(),
        )

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            await repository.insert(tx, row)

        try:
            await self._plans.adding("flux_apis", count, work)
        except UniqueViolation:
            raise faults.API_PREFIX_EXISTS() from None
        return row

    async def change(self, environment: str, key: str, body: ApiChange) -> Api:
        changes = given(body)
        if "cors_origins" in changes:
            self._check_origins(changes["cors_origins"])
            changes["cors_origins"] = msgspec.json.encode(changes["cors_origins"])

        async def work(tx: Transaction) -> Api:
            await advance(tx, environment)
            found = await self._found(tx, environment, key)
            await repository.update(tx, found.key, changes)
            return await self._found(tx, environment, found.key)

        try:
            return await self._db.transact(work)
        except UniqueViolation:
            raise faults.API_PREFIX_EXISTS() from None

    async def delete(self, environment: str, key: str) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            await repository.delete(tx, (await self._found(tx, environment, key)).key)

        await self._db.transact(work)

    # -- connections ------------------------------------------------------------------------------------------

    async def connections(self, api: Api, at: Window) -> Rows:
        return await repository.connections(self._db, api.key, at)

    async def connections_of(self, reader: Reader, environment: str) -> list[Connection]:
        return await repository.connections_of(reader, environment)

    async def connection(self, api: Api, folder: str) -> Connection:
        found = await self._folders.find(None, api.environment, folder)
        return await self._connected(self._db, api, found)

    async def connect(self, api: Api, body: ConnectionCreate) -> Connection:
        """Strict ancestors come along, closed, so that the URL of the folder exists."""
        methods = list(rules.DEFAULT_METHODS) if body.allowed_methods is None else body.allowed_methods
        self._check_connection(methods, body.unscoped_levels, body.unscoped_ancestors)

        async def work(tx: Transaction) -> Connection:
            await advance(tx, api.environment)
            folder = await self._folders.find(tx, api.environment, body.folder)
            for above in await self._strict_ancestors(tx, folder):
                if await repository.connection(tx, api.key, above) is None:
                    await repository.insert_connection(tx, self._row(api, above, [], None))
            row = self._row(api, folder.key, methods, body)
            await repository.insert_connection(tx, row)
            return row

        try:
            return await self._db.transact(work)
        except UniqueViolation:
            raise faults.FOLDER_ALREADY_CONNECTED_TO_API() from None

    async def change_connection(self, api: Api, folder: str, body: ConnectionChange) -> Connection:
        changes = given(body)
        levels, ancestors = changes.pop("unscoped_levels", None), changes.pop("unscoped_ancestors", None)
        if changes.get("allowed_methods", ()) is None:
            del changes["allowed_methods"]
        self._check_connection(changes.get("allowed_methods", []), levels, ancestors)
        if "allowed_methods" in changes:
            changes["allowed_methods"] = rules.joined(changes["allowed_methods"])

        async def work(tx: Transaction) -> Connection:
            await advance(tx, api.environment)
            found = await self._folders.find(tx, api.environment, folder)
            connection = await self._connected(tx, api, found)
            await repository.update_connection(tx, connection.id, changes)
            return await self._connected(tx, api, found)

        return await self._db.transact(work)

    async def disconnect(self, api: Api, folder: str) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, api.environment)
            found = await self._folders.find(tx, api.environment, folder)
            await repository.delete_connection(tx, (await self._connected(tx, api, found)).id)

        await self._db.transact(work)

    async def folder_paths(self, environment: str) -> dict[str, str]:
        """Delivery's path of each folder below a prefix: its aliases, slashed."""
        return {one.key: one.path.replace(".", "/") for one in await self._folders.all_of(None, environment)}

    # -- inside -----------------------------------------------------------------------------------------------

    async def _found(self, reader: Reader, environment: str, key: str) -> Api:
        """By key or by prefix."""
        found = await repository.one(reader, environment, key) or await repository.by_prefix(
            reader, environment, key
        )
        if found is None:
            raise faults.API_NOT_FOUND()
        return found

    async def _connected(self, reader: Reader, api: Api, folder: Folder) -> Connection:
        found = await repository.connection(reader, api.key, folder.key)
        if found is None:
            raise faults.FOLDER_NOT_FOUND()
        return found

    async def _strict_ancestors(self, tx: Transaction, folder: Folder) -> list[str]:
        """The parents whose key stands in the folder's URL."""
        by_key = {one.key: one for one in await self._folders.all_of(tx, folder.environment)}
        found: list[str] = []
        while folder.parent:
            if folder.strict_reference:
                found.append(folder.parent)
            folder = by_key[folder.parent]
        return found

    def _row(self, api: Api, folder: str, methods: list[str], body: ConnectionCreate | None) -> Connection:
        names = ("description_get_one", "description_get_many", "description_search", "description_schema")
        described: dict[str, Any] = {name: getattr(body, name) if body else None for name in names}
        return Connection(
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, new_token())),
            api=api.key,
            folder=folder,
            allowed_methods=rules.joined(methods),
            created_at=self._clock.now_ms(),
            **described,
        )

    def _check_origins(self, origins: list[str]) -> None:
        if problems := rules.origin_problems(origins):
            raise faults.VALIDATION_ERROR(detail=problems)

    def _check_connection(
        self, methods: list[str], levels: list[int] | None, ancestors: list[str] | None
    ) -> None:
        problems = [*rules.method_problems(methods), *rules.flat_problems(levels, ancestors)]
        if problems:
            raise faults.VALIDATION_ERROR(detail=problems)
