"""Printing and measuring what every benchmark needs."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report. `aim` says what the issue or the design asks for, in words."""

    name: str
    value: float
    unit: str
    aim: str = ""

    def __str__(self) -> str:
        return f"{self.name:<58} {self.value:>12,.2f} {self.unit:<16} {self.aim}"


def show(title: str, figures: Sequence[Figure]) -> None:
    print(f"\n## {title}\n", flush=True)
    for figure in figures:
        print(figure, flush=True)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, by the scheduler's own clock: /proc counts ticks, which come in step with
    what is measured. (A process's clock is `~pid << 3` with the kind of clock in the low bits; 2 is the scheduler's.)"""
    return time.clock_gettime(~pid << 3 | 2)


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def median_of(runs: int, *measured: Callable[[], float]) -> list[float]:
    """Each measured in turn, `runs` times; the median of each."""
    values: list[list[float]] = [[] for _ in measured]
    for _ in range(runs):
        for index, measure in enumerate(measured):
            values[index].append(measure())
    return [statistics.median(series) for series in values]


async def load(port: int, request: bytes, total: int, connections: int = 16) -> None:
    """`total` keep-alive requests over a few connections, each answered before the next is sent."""

    async def one(count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            start = head.lower().find(b"content-length: ")
            if start >= 0:
                await reader.readexactly(int(head[start + 16 : head.find(b"\r", start)]))
        writer.close()

    await asyncio.gather(*(one(total // connections) for _ in range(connections)))


def child(module: str, *arguments: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A server in a process of its own: `python -m module …`, which prints one line when ready."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()
