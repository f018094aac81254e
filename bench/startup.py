"""How long until `/health` answers, what it costs, and how much memory an idle process holds."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from tests.harness.server import serve

from bench.figures import Figure, cpu_seconds, rss_kib, show

RUNS = 5


async def once(directory: Path) -> tuple[float, float, float]:
    """Seconds from the command to the first 200 of `/health`, processor seconds until then, and MiB two seconds later."""
    began = time.perf_counter()
    async with serve(directory, sandbox=False) as server:
        answered, spent = time.perf_counter() - began, cpu_seconds(server.process.pid)
        await asyncio.sleep(2)
        return answered, spent, rss_kib(server.process.pid) / 1024


def measure() -> list[Figure]:
    first, again, memory = [], [], []
    first_cpu, again_cpu = [], []
    for _ in range(RUNS):
        directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
        try:
            seconds, spent, mib = asyncio.run(once(directory))
            first.append(seconds)
            first_cpu.append(spent)
            memory.append(mib)
            seconds, spent, _ = asyncio.run(once(directory))
            again.append(seconds)
            again_cpu.append(spent)
        finally:
            shutil.rmtree(directory)
    return [
        Figure("first start on an empty data directory", statistics.median(first), "s"),
        Figure("  its processor time", statistics.median(first_cpu), "s CPU", "aim <= 1.0"),
        Figure("start on existing data", statistics.median(again), "s", "aim < 3"),
        Figure("  its processor time", statistics.median(again_cpu), "s CPU"),
        Figure("idle memory after a first start", statistics.median(memory), "MiB", "aim <= 120"),
    ]


if __name__ == "__main__":
    show("Start-up and memory", measure())
