"""The store: keyed reads and durable units on both databases, medians of alternated runs.

    python -m bench.store [runs]

A unit reads one row by its key and inserts one, and is over when it is durable (`synchronous=FULL`, `fsync` on).
The "disk" row is what the machine allows: one 4 KiB append and fdatasync at a time.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import Figure, show
from flux.kernel.store import (
    Database,
    EmbeddedPostgres,
    MigrationSet,
    PostgresDatabase,
    SqliteDatabase,
    Transaction,
    migrate,
)

TABLE = """CREATE TABLE messages (
    id {{bigint}} PRIMARY KEY, author {{text}} NOT NULL, body {{blob}} NOT NULL, edited {{bigint}}
) {{strict}};"""
ROW = "SELECT id, author, body, edited FROM messages WHERE id = :id"
INSERT = "INSERT INTO messages (id, author, body, edited) VALUES (:id, :author, :body, :edited)"
ROWS = 10_000
READS = {"sqlite": 20_000, "postgres": 3_000}
AIMS = {
    ("sqlite: durable units, 32 tasks", "a second"): "30,000 on two free cores",
    ("sqlite: keyed read", "µs CPU each"): "15",
}
UNITS = {"sqlite": {1: 1_000, 32: 20_000, 256: 30_000}, "postgres": {1: 400, 32: 3_000, 256: 3_000}}


Series = dict[tuple[str, str], list[float]]
"""`(what, unit)` to one value a run."""


@dataclass
class Bench:
    database: Database
    last: int = ROWS

    async def fill(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "0001_messages.sql").write_text(TABLE)
            await migrate(self.database, [MigrationSet("bench", Path(place))])

        async def work(tx: Transaction) -> None:
            await tx.run_many(INSERT, [_message(number) for number in range(ROWS)])

        await self.database.transact(work)

    async def read(self) -> int:
        count = READS[self.database.dialect]
        for number in range(count):
            await self.database.one(ROW, {"id": number * 7919 % ROWS}, _row)
        return count

    async def write(self, tasks: int) -> int:
        count = left = UNITS[self.database.dialect][tasks]

        async def writer() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                self.last += 1
                await self.database.transact(_unit(self.last))

        await asyncio.gather(*(writer() for _ in range(tasks)))
        return count


def _message(number: int) -> dict[str, Any]:
    return {"id": number, "author": "someone or other", "body": b"x" * 120, "edited": number}


def _row(*columns: Any) -> Any:
    return columns


def _unit(number: int) -> Callable[[Transaction], Coroutine[Any, Any, int]]:
    async def work(tx: Transaction) -> int:
        await tx.one(ROW, {"id": number % ROWS}, _row)
        await tx.run(INSERT, _message(number))
        return number

    return work


def disk(place: Path, count: int = 300) -> int:
    file = os.open(place / "disk", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(count):
            os.write(file, b"x" * 4096)
            os.fdatasync(file)
    finally:
        os.close(file)
    return count


async def measure(runs: int, place: Path, dsn: str) -> Series:
    benches = [Bench(SqliteDatabase(place / "bench.db")), Bench(await PostgresDatabase.connect(dsn))]
    for bench in benches:
        await bench.fill()
    series: Series = {}

    async def note(what: str, act: Coroutine[Any, Any, int]) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        count = await act
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        series.setdefault((what, "a second"), []).append(count / wall)
        series.setdefault((what, "µs CPU each"), []).append(cpu / count * 1e6)

    for _ in range(runs):
        await note("disk: append 4 KiB and fdatasync", asyncio.to_thread(disk, place))
        for bench in benches:
            await note(f"{bench.database.dialect}: keyed read", bench.read())
        for tasks in UNITS["sqlite"]:
            for bench in benches:
                await note(f"{bench.database.dialect}: durable units, {tasks} tasks", bench.write(tasks))
    for bench in benches:
        await bench.database.close()
    return series


def run(runs: int = 5) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="flux-bench-") as name:
        place = Path(name)
        place.chmod(0o755)
        with EmbeddedPostgres.start(place / "postgres") as server:
            series = uvloop.run(measure(runs, place, server.dsn()))
    return [
        Figure(what, statistics.median(values), unit, AIMS.get((what, unit), ""))
        for (what, unit), values in sorted(series.items())
    ]


def main() -> None:
    show("Store: medians of alternated runs", run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))


if __name__ == "__main__":
    main()
