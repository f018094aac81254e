"""One message to 2,000 WebSocket sessions of one guild: CPU per delivery, memory per idle session.

The server is the real one, in a process of its own; 2,000 members, one connection each, are held by another process
(`python -m bench.fanout clients`). The floor is what cannot be avoided here: uvicorn's `websockets-sansio` sending the
same text to the same clients in a bare loop (`python -m bench.fanout floor`).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import uvicorn
import uvloop
from tests.harness.server import Server, free_port, serve

from bench.figures import Figure, cpu_seconds, rss_kib, show
from bench.sockets import SocketClient, raise_file_limit

SESSIONS = 2000
MESSAGES = 20
ROUNDS = 7
PAYLOAD_BYTES = 1100
"""About what the real payload has."""
SETTINGS: dict[str, Any] = {
    "community.rate_limits.enabled": False,
    "community.limits.login_per_ip": "0",
    "server.log_level": "warning",
}
TEXT = "The quick brown fox jumps over the lazy dog. " * 4


# -- the clients' process -------------------------------------------------------------------------------------


class Client(SocketClient):
    """Counts messages by how they begin, and answers nothing."""

    longest = 40

    def __init__(self, crowd: Crowd, path: str, token: str) -> None:
        super().__init__(path)
        self._crowd = crowd
        self._token = token

    def opened(self) -> None:
        self._crowd.opened()
        if self._token:
            self.identify(self._token)

    def heard(self, message: bytes) -> None:
        self._crowd.heard(message)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost += 1


class Crowd:
    """All clients. Prints `open`, `ready` and one `heard` for each message that reached everybody."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lost = 0
        self._opened = 0
        self._ready = 0
        self._heard = 0

    def opened(self) -> None:
        self._opened += 1
        if self._opened == self.size:
            print("open", flush=True)

    def heard(self, start: bytes) -> None:
        if b"MESSAGE_CREATE" in start:
            self._heard += 1
            if self._heard % self.size == 0:
                print("heard", flush=True)
        elif b"READY" in start:
            self._ready += 1
            if self._ready == self.size:
                print("ready", flush=True)


async def crowd(port: int, path: str, tokens: list[str]) -> None:
    clients = Crowd(len(tokens))
    loop = asyncio.get_running_loop()
    for token in tokens:
        await Client(clients, path, token).connect(port)
    await loop.run_in_executor(None, sys.stdin.read)


@asynccontextmanager
async def held(port: int, path: str, tokens: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The clients' process, connected; it ends when its input closes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.fanout", "clients", str(port), path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(tokens).encode() + b"\n")
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def told(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(120):
        while (line := (await process.stdout.readline()).decode().strip()) != word:
            if not line:
                raise RuntimeError("the clients ended early")


# -- the floor: a bare send loop ------------------------------------------------------------------------------


def floor(port: int) -> None:
    """`POST /` sends its body to every socket, one after the other."""
    sends: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            sends.append(send)
            while (await receive())["type"] != "websocket.disconnect":
                pass
        elif scope["type"] == "http":
            text = (await receive())["body"].decode()
            for each in sends:
                await each({"type": "websocket.send", "text": text})
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(
        app, port=port, ws="websockets-sansio", ws_ping_interval=None, ws_per_message_deflate=False, loop="none",
        lifespan="off", access_log=False, log_level="critical",
    )  # fmt: skip
    uvloop.run(uvicorn.Server(config).serve())


# -- measuring ------------------------------------------------------------------------------------------------


class Speak(Protocol):
    async def __call__(self) -> None: ...


async def cpu_per_delivery(pid: int, clients: asyncio.subprocess.Process, speak: Speak) -> float:
    """Microseconds of the server's CPU for each of `MESSAGES` × `SESSIONS` deliveries."""
    before = cpu_seconds(pid)
    for _ in range(MESSAGES):
        await speak()
        await told(clients, "heard")
    return (cpu_seconds(pid) - before) / (MESSAGES * SESSIONS) * 1e6


async def members(server: Server) -> tuple[str, str, list[str]]:
    """The owner's token, a channel, and the tokens of the guild's members. Accounts without passwords, so that making
    them is not all password hashing."""
    api = "/community/v1"
    body = {"date_of_birth": "1990-01-01", "consent": True}
    async with server.client(timeout=60) as http:

        async def register(index: int) -> str:
            headers = {"X-Forwarded-For": f"10.1.{index >> 8}.{index & 255}"}
            named = {**body, "username": f"member_{index}"}
            answer = await http.post(f"{api}/auth/register", json=named, headers=headers)
            return str(answer.raise_for_status().json()["token"])

        owner = await register(60_000)
        mine = {"Authorization": owner}
        guild = (await http.post(f"{api}/guilds", json={"name": "Crowd"}, headers=mine)).json()
        await http.patch(f"{api}/guilds/{guild['id']}", json={"system_channel_flags": 1}, headers=mine)
        channel = guild["system_channel_id"]
        invited = await http.post(f"{api}/channels/{channel}/invites", json={"max_age": 0}, headers=mine)
        code = invited.json()["code"]

        async def join(index: int) -> str:
            token = await register(index)
            (await http.post(f"{api}/invites/{code}", headers={"Authorization": token})).raise_for_status()
            return token

        tokens: list[str] = []
        for start in range(0, SESSIONS, 50):
            tokens += await asyncio.gather(
                *(join(index) for index in range(start, min(start + 50, SESSIONS)))
            )
    return owner, channel, tokens


@dataclass
class Side:
    """One of the two servers under measurement: its process, its clients, and how to make it speak."""

    pid: int
    clients: asyncio.subprocess.Process
    speak: Speak
    per_session: float = 0.0


@asynccontextmanager
async def flux(directory: Path) -> AsyncIterator[Side]:
    async with serve(directory, sandbox=False, settings=SETTINGS) as server, server.client() as http:
        owner, channel, tokens = await members(server)
        pid, port = server.process.pid, int(server.origin.rpartition(":")[2])
        url, mine = f"/community/v1/channels/{channel}/messages", {"Authorization": owner}

        async def speak() -> None:
            (await http.post(url, json={"content": TEXT}, headers=mine)).raise_for_status()

        await speak()
        idle = rss_kib(pid)
        async with held(port, "/community/gateway?v=1&encoding=json", tokens) as clients:
            await told(clients, "ready")
            await asyncio.sleep(1)
            yield Side(pid, clients, speak, (rss_kib(pid) - idle) / SESSIONS)


@asynccontextmanager
async def bare() -> AsyncIterator[Side]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.fanout", "floor", str(port)])
    text = ('{"op":0,"t":"MESSAGE_CREATE","d":"' + "x" * PAYLOAD_BYTES)[: PAYLOAD_BYTES - 2] + '"}'
    try:
        await _listening(port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

            async def speak() -> None:
                (await http.post("/", content=text.encode())).raise_for_status()

            idle = rss_kib(process.pid)
            async with held(port, "/", [""] * SESSIONS) as clients:
                await told(clients, "open")
                await asyncio.sleep(1)
                yield Side(process.pid, clients, speak, (rss_kib(process.pid) - idle) / SESSIONS)
    finally:
        process.terminate()
        process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


async def measure(directory: Path) -> list[Figure]:
    """Both sides are up at once and take turns, so that a busy machine is busy for both."""
    async with flux(directory) as ours, bare() as theirs:
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(
                [await cpu_per_delivery(side.pid, side.clients, side.speak) for side in (ours, theirs)]
            )
    mine = statistics.median(round_[0] for round_ in rounds)
    least = statistics.median(round_[1] for round_ in rounds)
    ratio = statistics.median(round_[0] / round_[1] for round_ in rounds)
    return [
        Figure(f"CPU per delivery, {SESSIONS} sessions of one guild", mine, "µs", "aim <= 20"),
        Figure("the floor: a bare uvicorn send loop", least, "µs"),
        Figure("ratio to the floor", ratio, "x"),
        Figure("memory per idle session", ours.per_session, "KiB", "aim <= 25"),
        Figure("the floor: a bare socket", theirs.per_session, "KiB"),
    ]


def main(arguments: list[str]) -> None:
    raise_file_limit()
    if arguments[:1] == ["clients"]:
        tokens = json.loads(sys.stdin.readline())
        uvloop.run(crowd(int(arguments[1]), arguments[2], tokens))
    elif arguments[:1] == ["floor"]:
        floor(int(arguments[1]))
    else:
        directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
        try:
            show("Fan-out of one message", asyncio.run(measure(directory)))
        finally:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
