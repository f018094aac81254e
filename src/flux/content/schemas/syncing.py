"""Advancing pinned components: a new schema version of a folder with newer versions of what its fields embed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from flux.content import faults
from flux.content.generations.service import advance
from flux.content.problems import problem
from flux.content.schemas import repository, rules
from flux.content.schemas.rows import FieldRow, Version
from flux.content.schemas.schemas import SkippedPath, SyncRequest, SyncView
from flux.content.schemas.service import Schemas
from flux.content.shape.fields import Shape
from flux.kernel.house import House
from flux.kernel.store import LOWER, Transaction, random_key


@dataclass(frozen=True, slots=True)
class _Advance:
    """A nested field and the component version it shall embed; or why it stays."""

    row: FieldRow
    target: str | None
    reason: str | None
    blocking: tuple[tuple[str, str], ...] = ()


class Syncing:
    def __init__(self, house: House, schemas: Schemas) -> None:
        self._db = house.db
        self._clock = house.clock
        self._most = house.settings.content.max_versions
        self._schemas = schemas

    async def sync(self, environment: str, owner: str, body: SyncRequest) -> SyncView:
        """Raises `COMPONENT_SYNC_CONFLICT` when existing content might not fit; nothing is advanced then."""
        targets = body.to_versions or {}
        wanted = set(targets) if body.field_paths is None and targets else None
        if body.field_paths is not None:
            wanted = set(body.field_paths)
            if surplus := sorted(set(targets) - wanted):
                details = "Every path of to_versions must be in field_paths"
                raise faults.VALIDATION_ERROR(
                    detail=[problem("choice", f"to_versions.{surplus[0]}", details)]
                )

        async def work(tx: Transaction) -> SyncView:
            await advance(tx, environment)
            version = await self._schemas.published(tx, owner)
            if version is None:
                raise faults.VERSION_NOT_FOUND()
            fields = await repository.fields(tx, version.key)
            known = {row.path for row in fields if row.type == "nested"}
            if wanted is not None and not wanted <= known:
                raise faults.FIELD_NOT_FOUND()
            planned = [
                await self._planned(tx, environment, row, wanted, targets)
                for row in rules.in_tree_order(fields)
                if row.type == "nested"
            ]
            conflicts = [
                {"field_path": path, "blocking_reason": reason}
                for one in planned
                for path, reason in one.blocking
            ]
            if conflicts:
                raise faults.COMPONENT_SYNC_CONFLICT(detail=conflicts)
            return await self._carried_out(tx, version, fields, planned)

        return await self._db.transact(work)

    async def _planned(
        self,
        tx: Transaction,
        environment: str,
        row: FieldRow,
        wanted: set[str] | None,
        targets: Mapping[str, str],
    ) -> _Advance:
        if wanted is not None and row.path not in wanted:
            return _Advance(row, None, "not_requested")
        if rules.meta_of(row).get("auto_update"):
            return _Advance(row, None, "auto_update_mode")
        if row.component is None:
            return _Advance(row, None, "component_not_found")
        if row.path in targets:
            target = await repository.version(tx, row.component, targets[row.path])
            if target is None or target.shape is None or target.environment != environment:
                raise faults.VERSION_NOT_FOUND()
        else:
            target = await repository.published(tx, row.component)
        if target is None or target.shape is None:
            return _Advance(row, None, "component_unpublished")
        if target.key == row.component_version:
            return _Advance(row, None, "already_at_target")
        pinned = await repository.version(tx, row.component, row.component_version or "")
        before = Shape.decode(pinned.shape) if pinned and pinned.shape else Shape(())
        found = rules.blocking(before, Shape.decode(target.shape))
        return _Advance(
            row, target.key, None, tuple((f"{row.path}.{path}", reason) for path, reason in found)
        )

    async def _carried_out(
        self, tx: Transaction, version: Version, fields: list[FieldRow], planned: list[_Advance]
    ) -> SyncView:
        targets = {one.row.path: one.target for one in planned if one.target is not None}
        skipped = [SkippedPath(one.row.path, one.reason) for one in planned if one.reason is not None]
        if not targets:
            return SyncView([], skipped, None)
        if await repository.count(tx, version.owner) >= self._most:
            raise faults.TOO_MANY_VERSIONS()
        draft = msgspec.structs.replace(
            version,
            key=random_key(12, LOWER),
            status="draft",
            number=None,
            shape=None,
            created_at=self._clock.now_ms(),
            published_at=None,
        )
        await repository.insert_version(tx, draft)
        for row in fields:
            await repository.insert_field(tx, _pinned(row, draft.key, targets.get(row.path)))
        await self._schemas.publish_in(tx, draft)
        return SyncView(list(targets), skipped, draft.key)


def _pinned(row: FieldRow, version: str, target: str | None) -> FieldRow:
    if target is None:
        return msgspec.structs.replace(row, version=version)
    meta = {**rules.meta_of(row), "component_version": target}
    return msgspec.structs.replace(
        row, version=version, meta=msgspec.json.encode(meta), component_version=target
    )
