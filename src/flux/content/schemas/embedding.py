"""Components inside schemas: which version stands at each nested field, and what follows when one is published."""

from __future__ import annotations

from collections.abc import Sequence

from flux.content import faults
from flux.content.problems import problem
from flux.content.schemas import repository, rules
from flux.content.schemas.rows import FieldRow, Version
from flux.content.shape.fields import Shape
from flux.kernel.store import Reader, Transaction


async def shape_of(reader: Reader, environment: str, fields: Sequence[FieldRow]) -> Shape:
    """The tree with components in place: the pinned version, or the published one under `auto_update`."""
    components: dict[str, Shape] = {}
    for row in fields:
        if row.type == "nested":
            shape = await _embedded(reader, environment, row)
            components[row.path] = shape if shape is not None else Shape(())
    return rules.tree(fields, components)


async def _embedded(reader: Reader, environment: str, row: FieldRow) -> Shape | None:
    pinned = await _version(reader, environment, row.component, row.component_version)
    if not rules.meta_of(row).get("auto_update") or row.component is None:
        return pinned
    newest = await repository.published(reader, row.component)
    if newest is None or newest.shape is None:
        return pinned
    shape = Shape.decode(newest.shape)
    return shape if pinned is None or not rules.blocking(pinned, shape) else pinned


async def _version(reader: Reader, environment: str, component: str | None, key: str | None) -> Shape | None:
    if component is None or key is None:
        return None
    found = await repository.version(reader, component, key)
    return Shape.decode(found.shape) if found and found.environment == environment and found.shape else None


async def pin_problems(reader: Reader, environment: str, row: FieldRow) -> list[dict[str, str]]:
    """A nested field names a component of the environment and a version of it that was published."""
    if row.type != "nested" or row.component is None or row.component_version is None:
        return []
    found = await repository.version(reader, row.component, row.component_version)
    if found is None or found.environment != environment:
        return [problem("choice", "meta.component_version", "No such version of the component")]
    if found.shape is None:
        return [problem("choice", "meta.component_version", "The version is not published")]
    return []


async def refresh_dependents(
    tx: Transaction, component: str, seen: frozenset[str] = frozenset()
) -> list[str]:
    """Compile again what embeds the component with `auto_update`; the owners whose shape changed."""
    changed: list[str] = []
    for version in await repository.embedding(tx, component):
        if version.owner in seen:
            continue
        fields = await repository.fields(tx, version.key)
        shape = (await shape_of(tx, version.environment, fields)).encode()
        if shape != version.shape:
            await repository.update_version(tx, version.key, {"shape": shape})
            changed.append(version.owner)
            changed += await refresh_dependents(tx, version.owner, seen | {component, version.owner})
    return changed


def check_no_ring(version: Version, shape: Shape) -> None:
    """A component cannot stand inside itself."""
    if version.owner in rules.components_in(shape):
        detail = [problem("ring", "meta.component", "A component cannot contain itself")]
        raise faults.VALIDATION_ERROR(detail=detail)
