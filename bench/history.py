"""What a page of history costs, and whether it costs the same in a large database.

    python -m bench.history fill DIR MESSAGES [CHANNELS]   a data directory with so many messages, kept for the next
    python -m bench.history DIR DIR …                      measures them in turn, so that a busy machine is busy for each

Measured are pages of 50 at random places, each read for the first time and then once more, over 16 connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import Figure, cpu_seconds, show
from bench.town import TEXT, Town, populate, town

PAGES = 2000
CONNECTIONS = 16
ROUNDS = 9
PEOPLE = 20
BATCH = 250_000


# -- filling --------------------------------------------------------------------------------------------------


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


async def pages(place: Town, requests: list[bytes]) -> None:
    async with place.line() as line:
        for request in requests:
            await line.ask(request)


async def found(directory: Path, size: int, channels: int) -> None:
    """A directory that is kept, with a town and so many messages."""
    async with town(directory) as place:
        await populate(place, PEOPLE if channels > 1 else 1)
        channel = int(place.channel)
    began = time.monotonic()
    fill(directory, channel, channels, size)
    print(f"{size:,} messages after {time.monotonic() - began:.0f} s", flush=True)


# -- measuring ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Round:
    """What the server needed for a page: µs of CPU and of the clock, page faults, reads of files."""

    cpu: float
    wall: float
    faults: float
    reads: float


async def read(place: Town, spots: Sequence[int]) -> Round:
    requests = [place.request("GET", f"{place.url}?limit=50&before={(spot << 22) + 1}") for spot in spots]
    faults, reads = _faults(place.pid), _reads(place.pid)
    cpu, began = cpu_seconds(place.pid), time.monotonic()
    await asyncio.gather(*(pages(place, requests[part::CONNECTIONS]) for part in range(CONNECTIONS)))
    wall, cpu = time.monotonic() - began, cpu_seconds(place.pid) - cpu
    faults, reads = _faults(place.pid) - faults, _reads(place.pid) - reads
    count = len(spots)
    return Round(cpu / count * 1e6, wall / count * 1e6, faults / count, reads / count)


def _faults(pid: int) -> int:
    """Pages that had to be mapped, whether they were in memory or not."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(parts[7]) + int(parts[9])


def _reads(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("syscr"))


def figures(title: str, first: Sequence[Round], again: Sequence[Round]) -> list[Figure]:
    """The medians, and of the clock the best as well: what other work on the machine disturbed least."""
    aim = "aim <= 333, flat"

    def median(rounds: Sequence[Round], name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in rounds))

    return [
        Figure(f"{title}: a page for the first time, CPU", median(first, "cpu"), "µs", aim),
        Figure("least", min(each.cpu for each in first), "µs"),
        Figure("by the clock, least", min(each.wall for each in first), "µs", aim),
        Figure("pages a second, most", 1e6 / min(each.wall for each in first), "1/s", "aim >= 3,000, flat"),
        Figure("read again, CPU", median(again, "cpu"), "µs", aim),
        Figure("read again, pages a second, most", 1e6 / min(each.wall for each in again), "1/s"),
        Figure("page faults", median(first, "faults"), "a page"),
        Figure("reads of files", median(first, "reads"), "a page"),
    ]


async def compare(directories: Sequence[Path]) -> list[Figure]:
    """All servers run; each round asks one after the other."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(town(each)) for each in directories]
        chance = random.Random(1)
        rounds: list[tuple[list[Round], list[Round]]] = [([], []) for _ in places]
        sizes = [_size(each) for each in directories]
        for place in places:
            _pin(place.pid)
        for _ in range(ROUNDS):
            for place, size, (first, again) in zip(places, sizes, rounds, strict=True):
                spots = chance.sample(range(100, size), PAGES)
                first.append(await read(place, spots))
                again.append(await read(place, spots))
        return [
            figure
            for directory, (first, again) in zip(directories, rounds, strict=True)
            for figure in figures(directory.name, first[1:], again[1:])
        ]


def _size(directory: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{directory / 'flux.db'}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT MAX(id) >> 22 FROM community_messages").fetchone()[0])


def _pin(pid: int) -> None:
    """All its threads to the first core; this process keeps to the second."""
    if (os.cpu_count() or 1) > 1:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {0})


async def grown(title: str, channels: int, people: int, sizes: Sequence[int]) -> list[Figure]:
    """One town whose history grows from size to size: one after the other, so only a quiet machine compares them."""
    shown: list[Figure] = []
    async with town() as place:
        await populate(place, people)
        for size in sizes:
            place.server.terminate()
            began = time.monotonic()
            fill(place.server.data_dir, int(place.channel), channels, size)
            print(f"{size:,} messages after {time.monotonic() - began:.0f} s", flush=True)
            await place.server.restart()
            chance, first, again = random.Random(size), [], []
            for _ in range(5):
                spots = chance.sample(range(60 * channels, size), PAGES)
                first.append(await read(place, spots))
                again.append(await read(place, spots))
            shown += figures(f"{size:,} messages in {title}", first, again)
    return shown


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["fill"]:
        asyncio.run(found(Path(arguments[1]), *(int(each) for each in [*arguments[2:], "1"][:2])))
    else:
        show("History", uvloop.run(compare([Path(each) for each in arguments])))


if __name__ == "__main__":
    main(sys.argv[1:])
