"""How processes end: asked to, killed, and with work in flight."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import websockets
from tests.durability.test_kill import Authoring, external_ids
from tests.entrances.running import alive, children, environment, until
from tests.harness.server import Server, free_port, serve


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that an embedded PostgreSQL can enter when we are root and it is not."""
    with tempfile.TemporaryDirectory(prefix="flux-test-stop-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


SLOW = 1.5
WRITERS = 200
ENOUGH = 600


async def ended(server: Server, seconds: float = 30) -> int:
    return await asyncio.to_thread(server.process.wait, seconds)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_in_flight_is_answered_while_new_ones_are_refused(place: Path, number: int) -> None:
    async with serve(place / "data") as server, server.client() as other:
        await server.sandbox.fault("handler", "delay", seconds=SLOW)
        slow = asyncio.create_task(server.http.get("/community/_health"))
        await asyncio.sleep(0.4)
        server.process.send_signal(number)
        await asyncio.sleep(0.5)
        with pytest.raises(httpx.ConnectError):
            await other.get("/health")
        answer = await slow
        assert answer.status_code == 200, answer.text
        assert await ended(server) == 0
        assert "Traceback" not in server.log()
        assert "uvicorn" not in server.log()


async def test_what_still_runs_at_the_end_is_refused_in_the_envelope(place: Path) -> None:
    async with serve(place / "data", settings={"server.drain_seconds": 0.5}) as server:
        await server.sandbox.fault("handler", "delay", seconds=20)
        slow = asyncio.create_task(server.http.get("/community/_health"))
        await asyncio.sleep(0.4)
        server.process.send_signal(signal.SIGTERM)
        answer = await slow
        assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert await ended(server) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(place: Path, second: int) -> None:
    async with serve(place / "data", settings={"server.drain_seconds": 20}) as server:
        await server.sandbox.fault("handler", "delay", seconds=20)
        slow = asyncio.create_task(server.http.get("/community/_health"))
        await asyncio.sleep(0.4)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGTERM)  # passed on twice: still one request
        await asyncio.sleep(0.6)
        assert server.process.poll() is None
        server.process.send_signal(second)
        assert await ended(server, 3) == 1
        with pytest.raises(httpx.HTTPError):
            await slow
        await server.restart()


@pytest.mark.parametrize("database", ["sqlite", "embedded-postgres"])
async def test_no_acknowledged_write_is_lost(place: Path, database: str) -> None:
    workers = 1 if database == "sqlite" else 2
    async with serve(place / "data", database=database, workers=workers, sandbox=False) as server:
        authoring = Authoring(server)
        folder = await authoring.prepare(server.http)
        path = f"{authoring.base}/folders/{folder}/resources/"
        acknowledged: set[str] = set()
        refused: set[int] = set()

        async def write(http: aiohttp.ClientSession, number: int) -> None:
            for turn in range(10_000):
                name = f"note-{number}-{turn}"
                body = {"external_id": name, "data": {"text": name}}
                try:
                    async with http.post(path, json=body, headers=authoring.headers) as answer:
                        await answer.read()
                except aiohttp.ClientError:
                    return
                if answer.status != 201:
                    refused.add(answer.status)
                    return
                acknowledged.add(name)
                if len(acknowledged) == ENOUGH:
                    server.process.send_signal(signal.SIGTERM)

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=WRITERS)) as http:
            await asyncio.gather(*(write(http, number) for number in range(WRITERS)))
        assert await ended(server) == 0
        assert refused <= {503}
        assert len(acknowledged) >= ENOUGH
        await server.restart()
        assert sorted(acknowledged - await external_ids(server, authoring, folder)) == []


async def test_sockets_are_told_to_come_back(place: Path) -> None:
    async with serve(place / "data") as server:
        url = server.operator["community"]["gateway_url"]
        async with websockets.connect(f"{url}?v=1&encoding=json") as socket:
            assert json.loads(await socket.recv())["op"] == 10
            server.process.send_signal(signal.SIGTERM)
            assert json.loads(await socket.recv())["op"] == 7
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in (4000, 1012)
        assert await ended(server) == 0


async def test_ready_is_said_and_a_closed_output_is_no_reason_to_end(place: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "flux.cli", "serve", "--data", str(place / "d"), "--port", str(port)]
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(command, env=environment(), stdout=writer, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        await answering(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("after", [0.15, 0.4, 0.7, 1.0, 1.3])
def test_a_start_can_be_called_off(place: Path, after: float) -> None:
    command = [sys.executable, "-m", "flux.cli", "serve", "--data", str(place / "d"), "--port", "0"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.terminate()
        # Before the first line of ours runs, the signal itself ends it.
        assert process.wait(20) in (0, -signal.SIGTERM)
    assert "Traceback" not in (place / "log").read_text()


# -- several processes --------------------------------------------------------------------------------------------


async def answering(origin: str, seconds: float = 30) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    async with httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"{origin}/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)


def workers(server: Server) -> list[int]:
    return [
        pid
        for pid, command in children(server.process.pid).items()
        if "flux.cli" in command and "-P" in command
    ]


async def test_a_crew_from_its_start_to_its_ends(place: Path) -> None:
    """One instance for all of it: making a PostgreSQL takes longer than the rest."""
    settings = {"server.drain_seconds": 20}
    async with serve(place / "data", database="embedded-postgres", workers=2, settings=settings) as server:
        await full(server)
        await a_killed_worker_is_replaced(server)
        await nobody_outlives_a_killed_parent(server)
        await server.restart()
        await full(server)
        await a_parent_waits_for_its_children_and_ends_everything(server)
        await server.restart()
        await full(server)
        await a_second_signal_ends_everything_at_once(server)


async def full(server: Server) -> None:
    await until(lambda: len(workers(server)) == 2)
    await until(lambda: server.log().count("Flux is up") > 0)


async def a_killed_worker_is_replaced(server: Server) -> None:
    before = workers(server)
    os.kill(before[0], signal.SIGKILL)
    await until(lambda: len(set(workers(server)) - set(before)) == 1)
    for _ in range(40):
        async with server.client() as http:
            assert (await http.get("/health")).status_code == 200
    assert "starting another" in server.log()


async def nobody_outlives_a_killed_parent(server: Server) -> None:
    tree = children(server.process.pid)
    assert any("postgres" in command for command in tree.values())
    assert any("nats-server" in command for command in tree.values())
    server.kill()
    await until(lambda: not [pid for pid in tree if alive(pid)], 30)


async def a_parent_waits_for_its_children_and_ends_everything(server: Server) -> None:
    tree = children(server.process.pid)
    parts = urlsplit(server.origin)
    async with server.client() as http:
        # Each worker keeps its own faults, and a connection its worker.
        for _ in range(6):
            async with server.client() as other:
                body = {"port": "handler", "mode": "delay", "count": 1, "seconds": SLOW}
                await other.post("/sandbox/faults", json=body, headers=server.sandbox.headers)
        slow = [asyncio.create_task(http.get("/community/_health")) for _ in range(6)]
        await asyncio.sleep(0.4)
        server.process.send_signal(signal.SIGTERM)
        for pid in workers(server):
            os.kill(pid, signal.SIGTERM)  # as a service manager does to all at once
        await asyncio.sleep(0.6)
        with pytest.raises(OSError):
            await asyncio.open_connection(parts.hostname, parts.port)
        assert {(await task).status_code for task in slow} == {200}
    assert await ended(server) == 0
    assert [pid for pid in tree if alive(pid)] == []


async def a_second_signal_ends_everything_at_once(server: Server) -> None:
    tree = children(server.process.pid)
    await server.sandbox.fault("handler", "delay", count=8, seconds=20)
    slow = [asyncio.create_task(server.http.get("/community/_health")) for _ in range(4)]
    await asyncio.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.7)
    server.process.send_signal(signal.SIGINT)
    await asyncio.gather(*slow, return_exceptions=True)
    assert await ended(server, 20) == 1
    assert [pid for pid in tree if alive(pid)] == []
