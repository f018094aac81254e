"""How long until `/health` answers, and how much memory an idle process holds."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.harness.server import serve

from bench.figures import Figure, rss_kib, show

RUNS = 5


async def once(directory: Path) -> tuple[float, float]:
    """Seconds from the command to the first 200 of `/health`, and MiB two seconds later."""
    began = time.perf_counter()
    async with serve(directory, sandbox=False) as server:
        answered = time.perf_counter() - began
        await asyncio.sleep(2)
        return answered, rss_kib(server.process.pid) / 1024


def measure() -> list[Figure]:
    first, again, memory = [], [], []
    for _ in range(RUNS):
        directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
        try:
            seconds, _ = asyncio.run(once(directory))
            first.append(seconds)
            seconds, mib = asyncio.run(once(directory))
            again.append(seconds)
            memory.append(mib)
        finally:
            shutil.rmtree(directory)
    return [
        Figure("first start on an empty data directory", statistics.median(first), "s"),
        Figure("start on existing data", statistics.median(again), "s", "aim < 3"),
        Figure("idle memory of the default process", statistics.median(memory), "MiB", "aim <= 120"),
    ]


if __name__ == "__main__":
    show("Start-up and memory", measure())
