"""kill -9 in the middle of ten thousand concurrent writes: whatever was acknowledged is there afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest
from tests.harness.server import Server, serve

WRITES = 10_000
TASKS = 64
KILLS = (3_000, 7_000)
"""The server is killed when this many writes have been acknowledged."""


class Authoring:
    """A collection of one string field, and resources in it, through the Management API."""

    def __init__(self, server: Server) -> None:
        content = server.operator["content"]
        self.base = f"{content['management_url']}/v1/{content['environment']}"
        self.headers = {"Authorization": f"Bearer {content['management_token']}"}

    async def prepare(self, http: httpx.AsyncClient) -> str:
        """The key of a published collection."""
        folder = await self.made(http, "/folders/tree/", {"name": "Notes", "alias": "notes"})
        model = f"/folders/{folder['key']}/model/versions/"
        version = await self.made(http, model, {"name": "first"})
        field = {"key": "text", "name": "Text", "type": "string"}
        await self.made(http, f"{model}{version['key']}/schema/tree/", field)
        answer = await http.post(f"{self.base}{model}{version['key']}/publish/", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return str(folder["key"])

    async def made(self, http: httpx.AsyncClient, path: str, body: dict[str, object]) -> dict[str, object]:
        answer = await http.post(self.base + path, json=body, headers=self.headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
def directory() -> Iterator[Path]:
    """One that an embedded PostgreSQL can enter when we are root and it is not: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="flux-test-kill-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


@pytest.mark.parametrize("database", ["sqlite", "embedded-postgres"])
async def test_nothing_acknowledged_is_lost(directory: Path, database: str) -> None:
    async with serve(directory, database=database, sandbox=False) as server:
        authoring = Authoring(server)
        folder = await authoring.prepare(server.http)
        acknowledged: set[str] = set()
        numbers = iter(range(WRITES))
        for threshold in (*KILLS, WRITES + 1):
            await write(server, authoring, folder, numbers, acknowledged, threshold)
            if threshold <= WRITES:
                server.kill()
                await server.restart()
        found = await external_ids(server, authoring, folder)
        assert len(acknowledged) >= WRITES - TASKS * len(KILLS)
        assert sorted(acknowledged - found) == []


async def write(
    server: Server, authoring: Authoring, folder: str, numbers: object, acknowledged: set[str], threshold: int
) -> None:
    """Keep `TASKS` writes in flight until `threshold` are acknowledged or the numbers run out. A write that was in
    flight when it ended is simply not acknowledged."""
    path = f"{authoring.base}/folders/{folder}/resources/"

    async def one_after_another(http: aiohttp.ClientSession) -> None:
        for number in numbers:  # type: ignore[attr-defined]
            name = f"note-{number}"
            body = {"external_id": name, "data": {"text": name}}
            try:
                async with http.post(path, json=body, headers=authoring.headers) as answer:
                    text = await answer.text()
            except aiohttp.ClientError:
                return
            assert answer.status == 201, text
            acknowledged.add(name)
            if len(acknowledged) >= threshold:
                server.process.kill()

    # Not httpx: ten thousand requests through it take minutes of the client's own time.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=TASKS)) as http:
        await asyncio.gather(*(one_after_another(http) for _ in range(TASKS)))


async def external_ids(server: Server, authoring: Authoring, folder: str) -> set[str]:
    found: set[str] = set()
    offset = 0
    while True:
        path = f"{authoring.base}/folders/{folder}/resources/?limit=100&offset={offset}"
        page = (await server.http.get(path, headers=authoring.headers)).json()["results"]
        if not page:
            return found
        found.update(resource["external_id"] for resource in page)
        offset += len(page)
