"""Whether delivery costs the same however much there is: some requests, from several data directories in turn.

python -m bench.content flat DIR DIR …    filled before, the smallest first

Every directory is served by a process of its own, all on the same core; in each round, each of them has its turn.
"""

from __future__ import annotations

import asyncio
import statistics
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.content import RUNS, SETTINGS, UNCACHED, Case, measured, planned, running
from bench.figures import Figure

_CACHED = ("get one", "list 20 sorted, cached")
_MADE = ("get one", "list 20 sorted, uncached", "list 20 by rating, uncached")
_ROUNDS = 3 * RUNS
_REQUESTS = 2000
_WARMING = 500
_Served = tuple[str, int, int, dict[str, Case]]
"""The directory's name, process, port, and what is asked."""


async def flat(directories: list[Path]) -> list[Figure]:
    """For each request and directory the cost, and its ratio to that of the first directory, round by round."""
    cached = await _asked(directories, SETTINGS, _CACHED)
    return [*cached, *await _asked(directories, UNCACHED, _MADE)]


async def _asked(directories: list[Path], settings: dict[str, Any], names: tuple[str, ...]) -> list[Figure]:
    async with AsyncExitStack() as stack:
        served: list[_Served] = []
        for directory in directories:
            server = await stack.enter_async_context(running(directory, settings))
            found = {case.name: case for case in await planned(server, lambda case: case.name in names)}
            port = int(server.origin.rpartition(":")[2])
            served.append((directory.name, server.process.pid, port, found))
        for name in names:
            for _, pid, port, found in served:
                await asyncio.to_thread(measured, pid, port, found[name].requests, _WARMING, 200)
        for _ in range(_ROUNDS):
            for name in names:
                for _, pid, port, found in served:
                    case = found[name]
                    one = await asyncio.to_thread(measured, pid, port, case.requests, _REQUESTS, 200)
                    case.rounds.append((one, one))
    kept = "cached" if settings is SETTINGS else "nothing kept"
    return [line for name in names for line in _lines(served, name, kept)]


def _lines(served: list[_Served], name: str, kept: str) -> list[Figure]:
    smallest, first = served[0][0], served[0][3][name].rounds
    lines = []
    for directory, _, _, found in served:
        rounds = found[name].rounds
        cpu = statistics.median(one.cpu for one, _ in rounds)
        wall = statistics.median(1e6 / one.rate for one, _ in rounds)
        ratio = statistics.median(
            one.cpu / other.cpu for (one, _), (other, _) in zip(rounds, first, strict=True)
        )
        told = f"{wall:.0f} us wall; {ratio:.2f} x {smallest}"
        lines.append(Figure(f"{name} ({kept}), {directory}", cpu, "us CPU", told))
    return lines
