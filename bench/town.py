"""A community server with one guild, its owner and a channel: what the benches of the plane start from."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.harness.server import Server, serve

API = "/community/v1"
SETTINGS: dict[str, Any] = {
    "community.rate_limits.enabled": False,
    "community.limits.login_per_ip": "0",
    "community.limits.max_guilds": 1000,
    "server.log_level": "warning",
}
TEXT = "The quick brown fox jumps over the lazy dog. " * 3
_DEED = "town.json"


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> None:
        """Until its answer has come, which must be good and have a length."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        start = head.lower().find(b"content-length: ")
        await self.reader.readexactly(int(head[start + 16 : head.find(b"\r", start)]))


@dataclass
class Town:
    """A server with one guild, its owner's client and a channel."""

    server: Server
    http: httpx.AsyncClient
    owner: str
    guild: str
    channel: str

    @property
    def pid(self) -> int:
        return self.server.process.pid

    @property
    def port(self) -> int:
        return int(self.server.origin.rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"{API}/channels/{self.channel}/messages"

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """As it stands on the wire."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {self.owner}\r\n"
        if data:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        return head.encode() + b"\r\n" + data

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection by hand: a client that takes its time would be measured too."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        yield Line(reader, writer)
        writer.close()

    def message(self) -> bytes:
        """A request that sends a message with this moment in it."""
        return self.request("POST", self.url, {"content": f"@{time.monotonic_ns()} {TEXT}"})

    async def say(self) -> None:
        """A message that carries the moment it was sent."""
        body = {"content": f"@{time.monotonic_ns()} {TEXT}"}
        (await self.http.post(self.url, json=body)).raise_for_status()


@asynccontextmanager
async def town(directory: Path | None = None) -> AsyncIterator[Town]:
    """A new one, gone in the end; or the one of a directory, made there the first time, which stays."""
    where = directory or Path(tempfile.mkdtemp(prefix="flux-bench-"))
    try:
        async with (
            serve(where, sandbox=False, settings=SETTINGS) as server,
            server.client(timeout=60) as http,
        ):
            deed = await _deed(http, where / _DEED)
            http.headers["Authorization"] = deed["owner"]
            yield Town(server, http, **deed)
    finally:
        if directory is None:
            shutil.rmtree(where)


async def _deed(http: httpx.AsyncClient, path: Path) -> dict[str, str]:
    """Owner's token, guild and channel, as `path` has them or as they are made now."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    owner = await register(http, 60_000)
    http.headers["Authorization"] = owner
    made = (await http.post(f"{API}/guilds", json={"name": "Town"})).raise_for_status().json()
    await http.patch(f"{API}/guilds/{made['id']}", json={"system_channel_flags": 1})
    deed = {"owner": owner, "guild": made["id"], "channel": made["system_channel_id"]}
    path.write_text(json.dumps(deed))
    return deed


async def register(http: httpx.AsyncClient, index: int) -> str:
    """An account without a password, so that making thousands is not all password hashing; its token."""
    headers = {"X-Forwarded-For": f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}"}
    body = {"date_of_birth": "1990-01-01", "consent": True, "username": f"citizen_{index}"}
    answer = await http.post(f"{API}/auth/register", json=body, headers=headers)
    return str(answer.raise_for_status().json()["token"])


async def populate(place: Town, count: int) -> list[str]:
    """Tokens of so many new members."""
    code = (await place.http.post(f"{API}/channels/{place.channel}/invites", json={"max_age": 0})).json()[
        "code"
    ]

    async def join(index: int) -> str:
        token = await register(place.http, index)
        headers = {"Authorization": token}
        (await place.http.post(f"{API}/invites/{code}", headers=headers)).raise_for_status()
        return token

    tokens: list[str] = []
    for start in range(0, count, 32):
        tokens += await asyncio.gather(*(join(index) for index in range(start, min(start + 32, count))))
    return tokens
