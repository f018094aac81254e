"""What can be done with the fields of a schema version. Only a draft's fields change."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.content import faults
from flux.content.changes import given
from flux.content.plans import Plans
from flux.content.problems import problem
from flux.content.schemas import embedding, repository, rules
from flux.content.schemas.rows import FieldRow, Version
from flux.content.schemas.schemas import FieldChange, FieldCreate, FieldsQuery
from flux.content.schemas.service import Schemas
from flux.content.shape.fields import Shape
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction, UniqueViolation


class Fields:
    def __init__(self, house: House, plans: Plans, schemas: Schemas) -> None:
        self._db = house.db
        self._plans = plans
        self._schemas = schemas

    async def tree(self, version: Version, query: FieldsQuery) -> list[FieldRow]:
        rows = await repository.fields(self._db, version.key)
        if not query.path:
            return rules.in_tree_order(rows)
        row = next((one for one in rows if one.path == query.path), None)
        if row is None:
            raise faults.FIELD_NOT_FOUND()
        return rules.related(rows, row, query.mode or "children")

    async def one(self, version: Version, path: str) -> FieldRow:
        return await self._found(self._db, version, path)

    async def shape(self, version: Version) -> Shape:
        """For the json_schema of each field."""
        return await self._schemas.shape_shown(version)

    async def create(self, owner: str, name: str, body: FieldCreate) -> tuple[Version, FieldRow]:
        version = await self._schemas.draft(self._db, owner, name)

        async def count(tx: Transaction) -> int:
            return len(await repository.fields(tx, version.key))

        async def work(tx: Transaction) -> FieldRow:
            await self._schemas.held(tx, owner, version.key)
            rows = await repository.fields(tx, version.key)
            parent = next((one for one in rows if one.path == body.parent), None)
            position = max((one.position for one in rows), default=0) + 1
            row = _row(version.key, body, position)
            problems = [
                *rules.key_problems(body.key),
                *rules.field_problems(row),
                *rules.place_problems(row.path, parent, row.parent, bool(row.localizable)),
                *await embedding.pin_problems(tx, version.environment, row),
            ]
            if problems:
                raise faults.VALIDATION_ERROR(detail=problems)
            await repository.insert_field(tx, row)
            return row

        try:
            return version, await self._plans.adding("fields", count, work)
        except UniqueViolation:
            raise faults.FIELD_EXISTS() from None

    async def change(self, owner: str, name: str, path: str, body: FieldChange) -> tuple[Version, FieldRow]:
        """Key, type and place stay as created."""

        async def work(tx: Transaction) -> tuple[Version, FieldRow]:
            version = await self._schemas.held(tx, owner, name)
            row = await self._found(tx, version, path)
            changes = _changes(row, given(body))
            changed = msgspec.structs.replace(row, **changes)
            rows = await repository.fields(tx, version.key)
            parent = next((one for one in rows if one.path == row.parent), None)
            below = [one for one in rows if one.path.startswith(row.path + ".") and one.localizable]
            problems = [
                *rules.field_problems(changed),
                *rules.place_problems(row.path, parent, row.parent, bool(changed.localizable)),
                *await embedding.pin_problems(tx, version.environment, changed),
            ]
            if changed.localizable and below:
                problems.append(problem("flag", "localizable", "A field below it is localizable"))
            if problems:
                raise faults.VALIDATION_ERROR(detail=problems)
            await repository.update_field(tx, version.key, path, changes)
            return version, changed

        return await self._db.transact(work)

    async def delete(self, owner: str, name: str, path: str) -> None:
        """With the fields below it."""

        async def work(tx: Transaction) -> None:
            version = await self._schemas.held(tx, owner, name)
            row = await self._found(tx, version, path)
            rows = await repository.fields(tx, version.key)
            gone = [path, *(one.path for one in rules.related(rows, row, "descendants"))]
            await repository.delete_fields(tx, version.key, gone)

        await self._db.transact(work)

    async def _found(self, reader: Reader, version: Version, path: str) -> FieldRow:
        found = await repository.field(reader, version.key, path)
        if found is None:
            raise faults.FIELD_NOT_FOUND()
        return found


def _row(version: str, body: FieldCreate, position: int) -> FieldRow:
    meta = body.meta or {}
    parent = body.parent or None
    nested = body.type == "nested"
    return FieldRow(
        version=version,
        path=f"{parent}.{body.key}" if parent else body.key,
        key=body.key,
        parent=parent,
        position=position,
        name=body.name,
        description=body.description,
        type=body.type,
        meta=msgspec.json.encode(meta),
        **{name: int(bool(getattr(body, name))) for name in rules.FLAGS},
        component=_text(meta.get("component")) if nested else None,
        component_version=_text(meta.get("component_version")) if nested else None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _changes(row: FieldRow, sent: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: int(bool(value)) if name in rules.FLAGS else value for name, value in sent.items()
    }
    if "meta" in changes:
        meta: dict[str, Any] = changes["meta"] or {}
        changes["meta"] = msgspec.json.encode(meta)
        if row.type == "nested":
            changes["component"] = _text(meta.get("component"))
            changes["component_version"] = _text(meta.get("component_version"))
    return changes
