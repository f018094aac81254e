"""The counts of documents, and of those with a value in each slot, are right after whatever happens to content."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flux import serving
from flux.app import open_house
from flux.content.components.schemas import ComponentCreate
from flux.content.components.service import Components
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderCreate
from flux.content.folders.service import Folders
from flux.content.organisations.service import Organisations
from flux.content.plane import furnished
from flux.content.projection.service import Projection
from flux.content.resources.batching import Batches
from flux.content.resources.revisions import Revisions
from flux.content.resources.schemas import BatchItem
from flux.content.resources.service import Resources
from flux.content.schemas.fields import Fields
from flux.content.schemas.schemas import FieldCreate, VersionCreate
from flux.content.schemas.service import Schemas
from flux.kernel.store import as_read
from flux.settings import load_settings

ROUNDS = 40
COUNTED = "SELECT id, numbers, strings FROM content_slots ORDER BY id"
THERE = (
    "SELECT s.id, (SELECT count(*) FROM content_numbers v WHERE v.slot = s.id AND v.ord = 0), "
    "(SELECT count(*) FROM content_strings v WHERE v.slot = s.id AND v.ord = 0) FROM content_slots s ORDER BY s.id"
)
DOCUMENTS_COUNTED = (
    "SELECT folder, component, documents FROM content_counts WHERE documents <> 0 ORDER BY folder, component"
)
DOCUMENTS_THERE = "SELECT folder, component, count(*) FROM content_documents GROUP BY folder, component ORDER BY folder, component"


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[Any]:
    settings = load_settings(environ={"FLUX_STORE__DATABASE": database_url})
    operator_file = await serving.prepare(settings, tmp_path, "http://127.0.0.1:1", nominal=True)
    opened = await open_house(settings, tmp_path, "http://127.0.0.1:1", operator_file)
    services = furnished(opened.house).services
    try:
        yield SimpleNamespace(
            db=opened.house.db, services=services, env=await services[Organisations].first_environment()
        )
    finally:
        await opened.close()


async def schema(house: Any, owner: str, kinds: dict[str, str]) -> None:
    """Publish these fields, and index again what is there, as the job does."""
    schemas, fields = house.services[Schemas], house.services[Fields]
    version = await schemas.create(house.env, owner, VersionCreate(name="v"), None)
    for key, kind in kinds.items():
        one = FieldCreate(key=key, name=key, type=kind, searchable=True, multiple=key == "many")
        await fields.create(owner, version.key, one)
    await schemas.publish(owner, version.key, None)


async def check(house: Any) -> int:
    """How many values are counted."""
    counted = await house.db.all(COUNTED, {}, as_read)
    assert list(map(tuple, counted)) == list(map(tuple, await house.db.all(THERE, {}, as_read)))
    documents = await house.db.all(DOCUMENTS_COUNTED, {}, as_read)
    assert list(map(tuple, documents)) == list(map(tuple, await house.db.all(DOCUMENTS_THERE, {}, as_read)))
    return sum(numbers + strings for _, numbers, strings in counted)


def data(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"title": chance.choice("abc"), "n": chance.randrange(5), "many": ["x", "y"]}
    return {key: value for key, value in found.items() if chance.random() < 0.7}


async def test_counts_stay_right(house: Any) -> None:
    chance = random.Random(7)
    folders = house.services[Folders]
    plain = await folders.create(house.env, FolderCreate(name="plain", alias="plain"))
    mixed = await folders.create(
        house.env, FolderCreate(name="mixed", alias="mixed", folder_type="composite")
    )
    parts = [
        (await house.services[Components].create(house.env, ComponentCreate(name=name))).key for name in "pq"
    ]
    kinds = {"title": "string", "n": "integer", "many": "string"}
    for owner in (plain.key, *parts):
        await schema(house, owner, kinds)
    most = 0
    for number in range(ROUNDS):
        folder = chance.choice((plain, mixed))
        await happen(house, chance, folder, parts if folder is mixed else [None])
        most = max(most, await check(house))
        if number == ROUNDS // 2:
            # A field of another type keeps its slot, and its values move to another table; another field goes.
            await schema(house, plain.key, {"n": "string"})
            assert await check(house) > 0
            await house.services[Projection].reindex(plain.key, "")
            await check(house)
            await schema(house, plain.key, kinds)
            await house.services[Projection].reindex(plain.key, "")
            assert await check(house) > 0
    assert most > 20
    for folder in (plain, mixed):
        await folders.delete(house.env, folder)
        await check(house)
    assert await house.db.all(COUNTED, {}, as_read) == []


async def happen(house: Any, chance: random.Random, folder: Folder, components: list[str | None]) -> None:
    shown = await house.db.all(
        "SELECT key FROM content_documents WHERE folder = :folder ORDER BY key", {"folder": folder.key}, str
    )
    what = chance.random()
    if what < 0.6 or not shown:
        items = [
            BatchItem(
                external_id=str(chance.randrange(30)),
                component=chance.choice(components),
                published=data(chance),
            )
            for _ in range(chance.randrange(1, 8))
        ]
        await house.services[Batches].write(folder, items)
    elif what < 0.8:
        await house.services[Resources].delete(folder, chance.choice(shown))
    else:
        resources, revisions = house.services[Resources], house.services[Revisions]
        found = await resources.one(None, folder, chance.choice(shown))
        await revisions.unpublish(folder, found.key, found.current_revision)
        if what < 0.9:
            await revisions.publish(folder, found.key, found.current_revision)
