"""A real server process for tests: free port, data directory of its own, no process left behind.

    async with serve(tmp_path, database="postgres", settings={"community.limits.max_guilds": 3}) as server:
        answer = await server.http.get("/health")
        mails = await server.sandbox.outbox("ada@example.test")

`database` is "sqlite", or "postgres" for a fresh database on the suite's PostgreSQL (tests/harness/databases.py).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class Sandbox:
    """The sandbox control of a server, as `/sandbox/*` offers it."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def outbox(self, to: str | None = None) -> list[dict[str, Any]]:
        answer = await self.http.get(
            "/sandbox/outbox", params={"to": to} if to else None, headers=self.headers
        )
        answer.raise_for_status()
        return list(answer.json()["messages"])

    async def clock(self, seconds: float) -> None:
        (
            await self.http.post("/sandbox/clock", json={"advance_seconds": seconds}, headers=self.headers)
        ).raise_for_status()

    async def fault(self, port: str, mode: str, count: int = 1, seconds: float = 0.0) -> None:
        body = {"port": port, "mode": mode, "count": count, "seconds": seconds}
        (await self.http.post("/sandbox/faults", json=body, headers=self.headers)).raise_for_status()

    async def clear(self) -> None:
        (await self.http.delete("/sandbox/faults", headers=self.headers)).raise_for_status()

    async def dns(self, name: str, *txt: str) -> None:
        body = {"name": name, "txt": list(txt)}
        (await self.http.put("/sandbox/dns", json=body, headers=self.headers)).raise_for_status()

    async def maintenance(self, on: bool, *planes: str) -> None:
        body = {"planes": list(planes), "on": on}
        (await self.http.put("/operator/maintenance", json=body, headers=self.headers)).raise_for_status()


@dataclass
class Server:
    """A running server. `http` has the origin as its base URL and follows no redirect."""

    origin: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    operator: dict[str, Any]
    command: list[str]
    environment: dict[str, str]
    http: httpx.AsyncClient = field(init=False)
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.client()
        self.sandbox = Sandbox(self.http, {"Authorization": f"Bearer {self.operator['admin_token']}"})

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Another client; `await` its `aclose` or use it as a context."""
        return httpx.AsyncClient(base_url=self.origin, timeout=options.pop("timeout", 30), **options)

    def kill(self) -> None:
        """As by kill -9."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and wait for the orderly end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    async def restart(self) -> None:
        """Start again on the same port and data after `kill` or `terminate`."""
        self.process = _launch(self.command, self.environment, self.data_dir)
        await _answering(self.origin, self.process, self.data_dir)

    def log(self) -> str:
        return (self.data_dir / "server.log").read_text("utf-8", "replace")


@asynccontextmanager
async def serve(
    directory: Path,
    *,
    sandbox: bool = True,
    database: str = "sqlite",
    settings: Mapping[str, Any] | None = None,
    workers: int = 1,
    arguments: tuple[str, ...] = (),
    first_on_path: Path | None = None,
) -> AsyncIterator[Server]:
    """Start `flux serve` and yield once `/health` answers; end it in the end, whatever happened."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FLUX_") or name == "FLUX_RECORD"
    }
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2] / "src")
    if first_on_path is not None:
        environment["PYTHONPATH"] = f"{first_on_path}{os.pathsep}{environment['PYTHONPATH']}"
    environment["FLUX_SERVER__DRAIN_SECONDS"] = "5"
    for key, value in (settings or {}).items():
        environment["FLUX_" + key.replace(".", "__").upper()] = (
            value if isinstance(value, str) else json.dumps(value)
        )
    command = [sys.executable, "-m", "flux.cli", "serve", "--data", str(directory), "--port", str(port)]
    if sandbox:
        command.append("--sandbox")
    if workers > 1:
        command += ["--workers", str(workers)]
    async with _database(database) as url:
        if url:
            command += ["--database", url]
        command += arguments
        process = _launch(command, environment, directory)
        server = None
        try:
            origin = f"http://127.0.0.1:{port}"
            await _answering(origin, process, directory)
            operator = json.loads((directory / "operator.json").read_text("utf-8"))
            server = Server(origin, directory, process, operator, command, environment)
            yield server
        finally:
            if server is not None:
                process = server.process
                await server.http.aclose()
            _end(process)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _database(kind: str) -> AsyncIterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    if kind != "postgres":
        yield kind
        return
    from tests.harness.databases import fresh_postgres_url

    async with fresh_postgres_url() as url:
        yield url


def _launch(command: list[str], environment: dict[str, str], directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "server.log").open("ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


async def _answering(origin: str, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    async with httpx.AsyncClient(timeout=2) as probe:
        while True:
            if process.poll() is not None:
                log = (directory / "server.log").read_text("utf-8", "replace")
                raise RuntimeError(f"the server ended with {process.returncode}:\n{log[-4000:]}")
            try:
                if (await probe.get(f"{origin}/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if asyncio.get_running_loop().time() > deadline:
                process.kill()
                raise RuntimeError("the server does not answer")
            await asyncio.sleep(0.03)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
