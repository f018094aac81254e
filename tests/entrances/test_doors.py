"""First starts, second starts, and the addresses at which planes are served."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from tests.entrances.running import ROOT
from tests.harness.server import free_port, serve

MEMBERS = {
    "community": {"api_url", "gateway_url"},
    "content": {
        "environment",
        "management_token",
        "public_key",
        "secret_key",
        "management_url",
        "delivery_url",
    },
    "paygate": {"api_url"},
}


def urls(operator: dict[str, Any]) -> dict[str, str]:
    return {
        f"{plane}.{name}": value
        for plane in MEMBERS
        for name, value in operator[plane].items()
        if name.endswith("_url")
    }


async def test_the_first_start_writes_the_operator_file_and_later_ones_keep_its_secrets(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    async with serve(data, sandbox=False) as server:
        first = server.operator
        assert stat.S_IMODE((data / "operator.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "secret.key").stat().st_mode) == 0o600
        for plane, members in MEMBERS.items():
            assert members <= set(first[plane])
            assert all(first[plane][name] for name in members)
        log = server.log()
        assert str(data / "operator.json") in log
        for url in urls(first).values():
            if url != first["community"]["gateway_url"]:
                assert url in log
        assert first["admin_token"] not in log
        assert [line for line in log.splitlines() if "INFO" in line] == []
    (data / "operator.json").chmod(0o644)
    async with serve(data, sandbox=False) as server:
        second = server.operator
        assert stat.S_IMODE((data / "operator.json").stat().st_mode) == 0o600
        assert server.origin not in json.dumps(first)
        assert all(
            url.split("://")[1].startswith(server.origin.split("://")[1]) for url in urls(second).values()
        )
        for plane in MEMBERS:
            for name in first[plane]:
                # A management token lives for a day only: each start makes a new one.
                if not name.endswith("_url") and name != "management_token":
                    assert second[plane][name] == first[plane][name], (plane, name)
        assert second["admin_token"] == first["admin_token"]


async def test_a_plane_with_a_host_of_its_own_is_served_at_its_root(tmp_path: Path) -> None:
    async with serve(tmp_path / "data", settings={"community.host": "chat.localhost"}) as server:
        port = server.origin.rpartition(":")[2]
        assert server.operator["community"] == {
            "api_url": f"http://chat.localhost:{port}/v1",
            "gateway_url": f"ws://chat.localhost:{port}/gateway",
        }
        for host in ("chat.localhost", f"CHAT.localhost:{port}", "chat.localhost."):
            for path in ("/_health", "/v1/_health"):
                answer = await server.http.get(path, headers={"Host": host})
                assert answer.status_code == 200, (host, path)
        lost = await server.http.get("/nowhere", headers={"Host": "chat.localhost"})
        assert (lost.status_code, lost.json()["code"]) == (404, "NOT_FOUND")
        assert (await server.http.get("/community/_health")).status_code == 200
        assert (await server.http.get("/health")).status_code == 200


async def test_a_plane_with_a_port_of_its_own_is_served_at_its_root(tmp_path: Path) -> None:
    ports = {name: free_port() for name in MEMBERS}
    settings = {f"{name}.port": port for name, port in ports.items()}
    async with serve(tmp_path / "data", settings=settings) as server:
        operator = server.operator
        assert operator["community"]["api_url"] == f"http://127.0.0.1:{ports['community']}/v1"
        assert operator["content"]["management_url"] == f"http://127.0.0.1:{ports['content']}"
        assert operator["paygate"]["api_url"] == f"http://127.0.0.1:{ports['paygate']}/api/v2"
        async with httpx.AsyncClient() as http:
            assert (await http.get(operator["community"]["api_url"] + "/_health")).status_code == 200
            answers = {
                name: (await http.get(f"http://127.0.0.1:{port}/nowhere")).json()
                for name, port in ports.items()
            }
            assert answers["community"]["code"] == "NOT_FOUND"
            assert answers["content"]["error_code"]
            assert len({tuple(sorted(answer)) for answer in answers.values()}) == 3
            for name in MEMBERS:
                mounted = (await http.get(f"{server.origin}/{name}/nowhere")).json()
                assert set(mounted) == set(answers[name])
        async with websockets.connect(f"{operator['community']['gateway_url']}?v=1") as socket:
            assert json.loads(await socket.recv())["op"] == 10
        assert server.terminate() == 0
        await server.restart()


async def test_garbage_is_answered_in_the_words_of_the_plane_whose_port_it_came_to(tmp_path: Path) -> None:
    import asyncio

    port = free_port()
    async with serve(tmp_path / "data", settings={"content.port": port}):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"nonsense\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        assert b'"error_code"' in answer


@pytest.mark.slow
def test_a_wheel_carries_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    wanted = {f"flux/contract/{path.name}" for path in (ROOT / "contract").glob("*.toml")}
    for pattern in ("*.sql", "*.js", "*.css", "*.html", "py.typed"):
        wanted |= {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "flux").rglob(pattern)}
    assert len([name for name in wanted if name.endswith(".sql")]) >= 3
    assert "flux/py.typed" in wanted
    assert wanted - names == set()
