"""An import that is killed, or whose server is killed under it: each batch is there whole or not at all, and a second run
brings the rest."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from flux.porting import records
from flux.porting.importing import BATCH_ITEMS
from tests.content.world import World
from tests.harness.server import serve

ROWS = 4000
TITLE: dict[str, Any] = {
    "path": "title",
    "name": "title",
    "type": "string",
    "description": None,
    **dict.fromkeys(("required", "nullable", "multiple", "localizable", "private", "vectorizable"), False),
    "searchable": True,
    "meta": {},
}


def _write(path: Path) -> None:
    folder = {"name": "rows", "folder_type": "collection", "strict_reference": False, "fields": [TITLE]}
    folder |= {"auto_remove_revisions": None, "auto_remove_schema_versions": None}
    structure = {"locales": {"en": {"name": "English", "is_default": True}}, "components": {}, "apis": {}}
    with path.open("wb") as file:
        file.write(records.line(records.head("elsewhere")))
        file.write(records.line({"structure": {**structure, "folders": {"rows": folder}}}))
        for number in range(ROWS):
            resource = {"key": f"row{number:09d}", "published": {"title": f"common word{number}"}}
            file.write(records.line({"folder": "rows", "resource": resource}))
        file.write(records.line({"end": {"resources": ROWS}}))


async def _import(path: Path, data: Path) -> asyncio.subprocess.Process:
    command = (
        sys.executable,
        "-m",
        "flux.cli",
        "content",
        "import",
        str(path),
        "--data",
        str(data),
        "--keep-keys",
    )
    return await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)


async def _settled(world: World) -> int:
    """How many rows there are once the batches that were under way are through."""
    at, before = "/folders/rows/resources/?limit=1", -1
    async with asyncio.timeout(60):
        while (count := (await world.make_one(at, method="GET"))["count"]) != before:
            before = count
            await asyncio.sleep(0.5)
    return int(count)


@pytest.mark.parametrize("killed", ["server", "program"])
async def test_a_batch_is_there_whole_or_not_at_all(tmp_path: Path, killed: str) -> None:
    path = tmp_path / "rows.ndjson"
    _write(path)
    async with serve(tmp_path / "data") as server:
        running = await _import(path, server.data_dir)
        mark = tmp_path / "rows.ndjson.progress"
        async with asyncio.timeout(60):
            while not mark.exists():
                await asyncio.sleep(0.005)
        if killed == "server":
            server.kill()
            _, said = await running.communicate()
            assert running.returncode == 2 and b"does not answer" in said, said
            await server.restart()
        else:
            running.kill()
            await running.communicate()
        content: dict[str, Any] = server.operator["content"]
        token = {"Authorization": f"Bearer {content['management_token']}"}
        world = World(server, content["environment"], "", token, server.http)
        present = await _settled(world)
        assert 0 < present < ROWS and present % BATCH_ITEMS == 0
        again = await _import(path, server.data_dir)
        out, said = await again.communicate()
        assert again.returncode == 0, said
        created, changed, unchanged = (
            int(one) for one in re.findall(r"(\d+) (?:created|changed|unchanged)", out.decode())
        )
        assert (created, changed) == (ROWS - present, 0) and unchanged <= present - BATCH_ITEMS
        prefix = "rows"
        await world.api(prefix, ["rows"], is_auth_required=False)
        at = f"/content/flux/{world.env}/{prefix}/rows/_search"
        body: dict[str, Any] = {"find_text": {"query": "common"}, "limit": 1, "total": True}
        assert (await world.http.post(at, json=body)).json()["total"] == ROWS
        for number in (0, present - 1, present, ROWS - 1):
            body = {"find_text": {"query": f"word{number}", "threshold": 1.0}}
            found = (await world.http.post(at, json=body)).json()["results"]
            assert [one["_sys"]["key"] for one in found] == [f"row{number:09d}"]
