"""What a batch was checked against before its unit of work may be another when that runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from flux import serving
from flux.app import open_house
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderCreate
from flux.content.folders.service import Folders
from flux.content.organisations.service import Organisations
from flux.content.plane import furnished
from flux.content.resources.batching import Batches
from flux.content.resources.readying import Ready, Readying
from flux.content.resources.revisions import Revisions
from flux.content.resources.schemas import BatchItem
from flux.content.resources.service import Resources
from flux.content.schemas.fields import Fields
from flux.content.schemas.schemas import FieldCreate, VersionCreate
from flux.content.schemas.service import Schemas
from flux.kernel.faults import FaultError
from flux.settings import load_settings


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Any]:
    settings = load_settings(environ={})
    operator_file = await serving.prepare(settings, tmp_path, "http://127.0.0.1:1", nominal=True)
    opened = await open_house(settings, tmp_path, "http://127.0.0.1:1", operator_file)
    try:
        yield furnished(opened.house).services
    finally:
        await opened.close()


async def _schema(services: Any, folder: Folder, kind: str) -> str:
    version = await services[Schemas].create(folder.environment, folder.key, VersionCreate(name="v"), None)
    title = FieldCreate(key="title", name="title", type=kind, searchable=True)
    await services[Fields].create(folder.key, version.key, title)
    await services[Schemas].publish(folder.key, version.key, None)
    return str(version.key)


async def test_a_schema_that_changes_in_between(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = await services[Organisations].first_environment()
    folder = await services[Folders].create(environment, FolderCreate(name="many", alias="many"))
    await _schema(services, folder, "string")
    ready = Readying.all
    newer: list[str] = []

    async def late(self: Readying, folder: Folder, items: list[BatchItem]) -> dict[int, Ready]:
        found = await ready(self, folder, items)
        newer.append(await _schema(services, folder, kinds.pop()))
        return found

    monkeypatch.setattr(Readying, "all", late)
    kinds = ["integer", "text"]
    batches = services[Batches]
    [made] = await batches.write(folder, [BatchItem(external_id="fits", published={"title": "words"})])
    current = (await services[Resources].one(None, folder, made.key)).current_revision
    revision = await services[Revisions].one(folder, made.key, current)
    assert revision.schema_version == newer[0]
    with pytest.raises(FaultError) as refused:
        await batches.write(folder, [BatchItem(external_id="not", published={"title": "words"})])
    assert refused.value.fault.code == "data_validation_error"
