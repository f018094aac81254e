"""The demonstration: filled once, readable by anyone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness.server import serve


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_the_blog(tmp_path: Path, database: str) -> None:
    async with serve(tmp_path, database=database, sandbox=False) as server:
        server.terminate()
        command = [*server.command[:3], "demo", "--data", str(server.data_dir)]
        if "--database" in server.command:
            command += ["--database", server.command[server.command.index("--database") + 1]]
        outputs = [
            subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)
            for _ in range(2)
        ]
        assert [one.returncode for one in outputs] == [0, 0], outputs[-1].stderr
        shown = [
            [line for line in one.stdout.splitlines() if "/content/" in line or "content:" in line]
            for one in outputs
        ]
        assert "content: 3 articles" in shown[0][0] and shown[0] == shown[1]
        await server.restart()
        at = f"/content/flux/{server.operator['content']['environment']}/blog"
        listed = (
            await server.http.get(
                f"{at}/articles", params={"populate": "author,categories", "sort": "released"}
            )
        ).json()
        assert [one["data"]["author"]["data"]["name"] for one in listed["results"]] == [
            "Ada Okafor",
            "Jun Tanaka",
            "Jun Tanaka",
        ]
        robots = listed["results"][-1]["data"]
        assert [one["data"]["title"]["fr"] for one in robots["categories"]] == ["Machines", "Jardins"]
        found = await server.http.get(
            f"{at}/articles", params={"find_text__query": "engine", "return_locales": "fr"}
        )
        assert sorted(one["data"]["summary"] for one in found.json()["results"]) == [
            "Il arrose, il mesure, il s'excuse.",
            "Soupapes, air et un peu de patience.",
        ]
