"""The community plane under load: what a message, an idle session, a page of history, a READY and a reconnect storm cost.

The server is the real one on SQLite, in a process of its own; its clients are in another (`bench/crowd.py`). Parts may be
named (`python -m bench.community messages history`), and the sizes of a history (`history 100000 10000000`).
`FLUX_LONG=1` uses the sizes of the aims; without it smaller ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.harness.server import Server, serve

from bench.crowd import Crowd as Visitors
from bench.figures import Figure, cpu_seconds, load, rss_kib, show
from bench.sockets import raise_file_limit

LONG = bool(os.environ.get("FLUX_LONG"))
API = "/community/v1"
SESSIONS = 5000 if LONG else 1000
STORM = 2000 if LONG else 500
GUILDS = 100
SIZES = (100_000, 1_000_000, 10_000_000) if LONG else (100_000, 1_000_000)
"""Messages in the database, where none are named."""
SETTINGS: dict[str, Any] = {
    "community.rate_limits.enabled": False,
    "community.limits.login_per_ip": "0",
    "community.limits.max_guilds": 1000,
    "server.log_level": "warning",
}
TEXT = "The quick brown fox jumps over the lazy dog. " * 3


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

    async def say(self) -> None:
        """A message that carries the moment it was sent."""
        body = {"content": f"@{time.monotonic_ns()} {TEXT}"}
        (await self.http.post(self.url, json=body)).raise_for_status()


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
    try:
        async with (
            serve(directory, sandbox=False, settings=SETTINGS) as server,
            server.client(timeout=60) as http,
        ):
            owner = await register(http, 60_000)
            http.headers["Authorization"] = owner
            made = (await http.post(f"{API}/guilds", json={"name": "Town"})).raise_for_status().json()
            await http.patch(f"{API}/guilds/{made['id']}", json={"system_channel_flags": 1})
            yield Town(server, http, owner, made["id"], made["system_channel_id"])
    finally:
        shutil.rmtree(directory)


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


class Crowd:
    """The clients' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def do(self, verb: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": verb, **arguments}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 600)
        return dict(json.loads(line))


@asynccontextmanager
async def crowd(port: int) -> AsyncIterator[Crowd]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.crowd", str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Crowd(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


# -- the parts ------------------------------------------------------------------------------------------------


async def messages() -> list[Figure]:
    """One at a time with a listener, then as many as go through."""
    async with town() as place, crowd(place.port) as clients:
        await clients.do("identify", tokens=[place.owner])
        answered, heard = [], []
        for number in range(400):
            began = time.monotonic()
            await place.say()
            answered.append((time.monotonic() - began) * 1e3)
            # The listener measures from the moment in the text: sent, stored, delivered.
            found = (await clients.do("await", events=1))["latencies"][0]
            if number >= 100:
                heard.append(found)
        body = {"content": TEXT}
        rounds, costs = [], []
        for _ in range(3):
            total, cpu, began = 6000, cpu_seconds(place.pid), time.monotonic()
            await load(place.port, place.request("POST", place.url, body), total, connections=64)
            rounds.append(total / (time.monotonic() - began))
            costs.append((cpu_seconds(place.pid) - cpu) / total * 1e6)
    return [
        Figure(
            "POST message to stored and answered, p50", statistics.median(answered[100:]), "ms", "aim <= 3"
        ),
        Figure("POST message to delivered to one listener, p50", statistics.median(heard), "ms", "aim <= 3"),
        Figure("durable messages through REST, 64 connections", max(rounds), "1/s", "aim >= 3,000"),
        Figure("the server's CPU for each", min(costs), "µs"),
    ]


async def fanout() -> list[Figure]:
    """One message to everybody of a guild; then twice as many sessions, idle."""
    async with town() as place, crowd(place.port) as clients, crowd(place.port) as more:
        tokens = await populate(place, SESSIONS)
        await place.say()
        before = rss_kib(place.pid)
        await clients.do("identify", tokens=tokens)
        await asyncio.sleep(2)
        each = (rss_kib(place.pid) - before) / SESSIONS
        worst, costs = [], []
        for _ in range(12):
            cpu = cpu_seconds(place.pid)
            await place.say()
            worst.append((await clients.do("await", events=1))["latencies"][1])
            costs.append((cpu_seconds(place.pid) - cpu) / SESSIONS * 1e6)
        await more.do("identify", tokens=tokens)
        await asyncio.sleep(2)
        held = rss_kib(place.pid) / 1024
    return [
        Figure(
            f"one message to {SESSIONS} sessions of one guild, p99",
            statistics.median(worst),
            "ms",
            "aim <= 150",
        ),
        Figure("CPU per delivery", statistics.median(costs), "µs", "aim <= 20"),
        Figure("memory per idle session", each, "KiB", "aim <= 25"),
        Figure(f"the process with {2 * SESSIONS} idle sessions", held, "MiB", "aim <= 477 with 10,000"),
    ]


async def history(*sizes: int) -> list[Figure]:
    """Pages of 50 at random places of one channel that grows."""
    return await read_back("one channel", 1, 1, sizes or SIZES)


async def talk(*sizes: int) -> list[Figure]:
    """The same where messages of 20 people in 1,000 channels came in turn: no two rows of a page are neighbours."""
    return await read_back("1,000 channels", 1000, 20, sizes or SIZES[:1])


async def read_back(title: str, channels: int, people: int, sizes: Sequence[int]) -> list[Figure]:
    found = []
    async with town() as place:
        await populate(place, people)
        for size in sizes:
            place.server.terminate()
            began = time.monotonic()
            fill(place.server.data_dir, int(place.channel), channels, size)
            print(f"{size:,} messages after {time.monotonic() - began:.0f} s", flush=True)
            await place.server.restart()
            spots = random.Random(size).sample(range(60 * channels, size), 2000)
            requests = [
                place.request("GET", f"{place.url}?limit=50&before={(spot << 22) + 1}") for spot in spots
            ]
            rates, costs = [], []
            for _ in range(5):
                cpu, began = cpu_seconds(place.pid), time.monotonic()
                await asyncio.gather(*(pages(place.port, requests[part::16]) for part in range(16)))
                rates.append(len(spots) / (time.monotonic() - began))
                costs.append((cpu_seconds(place.pid) - cpu) / len(spots) * 1e6)
            aim = "aim >= 3,000, flat"
            found += [
                Figure(f"history pages of 50, {size:,} in {title}", max(rates), "1/s", aim),
                Figure("the server's CPU for each, first time", costs[0], "µs", "aim <= 333"),
                Figure("the server's CPU for each, again", statistics.median(costs[1:]), "µs", "aim <= 333"),
            ]
    return found


BATCH = 250_000


def fill(directory: Path, channel_id: int, channels: int, size: int) -> None:
    """Messages with the ids 1 << 22, 2 << 22 …, straight into the stopped server's database. Each is of another account
    than the one before, and the next channel's: the given one, and copies of it made here."""
    path = next(directory.glob("*.db"), None) or next(directory.glob("**/*.sqlite*"))
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous=OFF")
        columns = [row[1] for row in db.execute("PRAGMA table_info(community_messages)") if row[3] or row[5]]
        have = db.execute("SELECT COUNT(*) FROM community_messages").fetchone()[0]
        authors = [row[0] for row in db.execute("SELECT id FROM community_users WHERE bot = 0")]
        places = [channel_id, *copies(db, channel_id, channels - 1)]
        fixed: dict[str, Any] = {
            "content": TEXT, "mentions": b"[]", "mention_roles": b"[]", "embeds": b"[]", "attachments": b"[]",
        }  # fmt: skip
        varying = ("id", "channel_id", "author_id")
        names = [*varying, *(name for name in columns if name not in varying)]
        rest = tuple(fixed.get(name, 0) for name in names[len(varying) :])
        sql = f"INSERT INTO community_messages ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        for start in range(have + 1, size + 1, BATCH):
            with db:
                db.executemany(
                    sql,
                    (
                        (each << 22, places[each % channels], authors[each // channels % len(authors)], *rest)
                        for each in range(start, min(start + BATCH, size + 1))
                    ),
                )


def copies(db: sqlite3.Connection, channel_id: int, count: int) -> list[int]:
    names = [row[1] for row in db.execute("PRAGMA table_info(community_channels)") if row[1] != "id"]
    listed = ", ".join(names)
    with db:
        db.executemany(
            f"INSERT INTO community_channels (id, {listed}) SELECT ?, {listed} FROM community_channels WHERE id = ? "
            "ON CONFLICT DO NOTHING",
            ((number, channel_id) for number in range(1, count + 1)),
        )
    return list(range(1, count + 1))


async def pages(port: int, requests: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        start = head.lower().find(b"content-length: ")
        await reader.readexactly(int(head[start + 16 : head.find(b"\r", start)]))
    writer.close()


async def ready() -> list[Figure]:
    """READY for somebody in a hundred guilds: alone, and while others are in the same guilds."""
    async with town() as place:
        for number in range(GUILDS - 1):
            made = await place.http.post(f"{API}/guilds", json={"name": f"Guild {number}"})
            made.raise_for_status()
        cpu = cpu_seconds(place.pid)
        alone = [await one_ready(place) for _ in range(20)]
        each = (cpu_seconds(place.pid) - cpu) / 20 * 1e3
        async with crowd(place.port) as clients:
            await clients.do("identify", tokens=[place.owner])
            beside = [await one_ready(place) for _ in range(20)]
    return [
        Figure(
            f"READY in {GUILDS} guilds, nobody else there, p50",
            statistics.median(alone) * 1e3,
            "ms",
            "aim <= 30",
        ),
        Figure("the server's CPU for each", each, "ms"),
        Figure(
            "the same with another session in each of them",
            statistics.median(beside) * 1e3,
            "ms",
            "aim <= 30",
        ),
    ]


async def one_ready(place: Town) -> float:
    visitor = Visitors(place.port)
    taken = float((await visitor.do({"do": "identify", "tokens": [place.owner]}))["seconds"])
    await visitor.do({"do": "drop"})
    return taken


async def storm() -> list[Figure]:
    """Everybody's connection falls, twenty messages come, everybody is back at once."""
    async with town() as place, crowd(place.port) as clients:
        tokens = await populate(place, STORM)
        await clients.do("identify", tokens=tokens)
        await place.say()
        await clients.do("await", events=1)
        await clients.do("drop")
        for _ in range(20):
            await place.say()
        back = await clients.do("resume", events=20)
        assert back["resumed"] == STORM, back
    return [
        Figure(f"{STORM} resumes of 20 missed messages each, until all are done", back["seconds"], "s"),
        Figure("events lost", back["lost"], "", "aim 0"),
        Figure("events repeated", back["repeated"], "", "aim 0"),
    ]


PARTS: dict[str, Callable[..., Awaitable[list[Figure]]]] = {
    "messages": messages, "fanout": fanout, "history": history, "talk": talk, "ready": ready, "storm": storm,
}  # fmt: skip


def main(arguments: list[str]) -> None:
    raise_file_limit()
    sizes = [int(each) for each in arguments if each.isdigit()]
    for name in [each for each in arguments if not each.isdigit()] or PARTS:
        taken = sizes if name in ("history", "talk") else []
        show(f"Community: {name}", asyncio.run(PARTS[name](*taken)))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])
