"""The community plane under load: what a message, an idle session, a page of history, a READY and a reconnect storm cost.

The server is the real one on SQLite, in a process of its own; its clients are in another (`bench/crowd.py`). Parts may be
named (`python -m bench.community messages history`), and the sizes of a history (`history 100000 10000000`).
`FLUX_LONG=1` uses the sizes of the aims; without it smaller ones.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bench.crowd import Crowd as Visitors
from bench.figures import Figure, cpu_seconds, load, rss_kib, show
from bench.history import grown
from bench.sockets import raise_file_limit
from bench.town import API, TEXT, Town, populate, town

LONG = bool(os.environ.get("FLUX_LONG"))
SESSIONS = 5000 if LONG else 1000
STORM = 2000 if LONG else 500
GUILDS = 100
SIZES = (100_000, 1_000_000, 10_000_000) if LONG else (100_000, 1_000_000)
"""Messages in the database, where none are named."""


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
    async with town() as place, crowd(place.port) as clients, place.line() as line:
        await clients.do("identify", tokens=[place.owner])
        answered, heard = [], []
        for number in range(400):
            began = time.monotonic()
            await line.ask(place.message())
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
    return await grown("one channel", 1, 1, sizes or SIZES)


async def talk(*sizes: int) -> list[Figure]:
    """The same where messages of 20 people in 1,000 channels came in turn: no two rows of a page are neighbours."""
    return await grown("1,000 channels", 1000, 20, sizes or SIZES[:1])


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
