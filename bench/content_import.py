"""`flux content import` of articles into an empty server: CPU a row of the server and of the program, and the wall clock. The
server is pinned to one core, the program to another.

python -m bench.content_import [rows]    default 100,000
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.harness.server import serve

from bench.content_filling import AUTHORS, article
from bench.figures import Figure, cpu_seconds, rss_kib, show
from flux.kernel.store import ALPHANUMERIC
from flux.porting import records

ROWS = 100_000
AIM_SECONDS = 60
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, PROGRAM_CORE = CORES[-1], CORES[0]


def _fields(*kinds: tuple[str, str], **meta: dict[str, Any]) -> list[dict[str, Any]]:
    flags = dict.fromkeys(
        ("required", "nullable", "multiple", "localizable", "private", "vectorizable"), False
    )
    return [
        {"path": key, "name": key, "type": kind, "description": None, **flags, "searchable": True,
         "meta": meta.get(key, {})}
        for key, kind in kinds
    ]  # fmt: skip


def write(path: Path, rows: int) -> None:
    """An export of authors and articles, in the order of their keys as exports are, and an API over both."""
    folder = {
        "folder_type": "collection",
        "strict_reference": False,
        "auto_remove_revisions": None,
        "auto_remove_schema_versions": None,
    }
    kinds = (("title", "string"), ("body", "text"), ("status", "string"), ("rating", "number"),
             ("category", "string"), ("released", "date"), ("author", "reference"))  # fmt: skip
    written = _fields(*kinds, author={"folder": "authors"})
    people = _fields(("name", "string"), ("country", "string"))
    structure = {
        "locales": {"en": {"name": "English", "is_default": True}},
        "components": {},
        "folders": {
            "articles": {"name": "articles", **folder, "fields": written},
            "authors": {"name": "authors", **folder, "fields": people},
        },
        "apis": {},
    }
    chance = random.Random(2)
    authors, keys = (
        sorted("".join(chance.choices(ALPHANUMERIC, k=12)) for _ in range(count)) for count in (AUTHORS, rows)
    )
    with path.open("wb") as file:
        file.write(records.line(records.head("bench")))
        file.write(records.line({"structure": structure}))
        for number, key in enumerate(authors):
            data = {"name": f"Author {number}", "country": chance.choice(("DE", "FR", "NG"))}
            file.write(_line("authors", key, f"author-{number}", data))
        for number, key in enumerate(keys):
            file.write(_line("articles", key, f"article-{number}", article(number, chance, authors)))
        file.write(records.line({"end": {"resources": rows + AUTHORS}}))


def _line(folder: str, key: str, external_id: str, data: dict[str, Any]) -> bytes:
    resource = {
        "key": key,
        "external_id": external_id,
        "name": None,
        "resource_owner": None,
        "component": None,
        "created_at": "2026-01-01T00:00:00.000Z",
        "published": data,
        "draft": None,
    }
    return records.line({"folder": folder, "resource": resource})


async def measure(rows: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="flux-bench-") as kept:
        path = Path(kept) / "articles.ndjson"
        write(path, rows)
        async with serve(
            Path(kept) / "data", sandbox=False, settings={"server.log_level": "warning"}
        ) as server:
            pid = server.process.pid
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {SERVER_CORE})
            command = (sys.executable, "-m", "flux.cli", "content", "import", str(path), "--data")
            before, mine, began = cpu_seconds(pid), os.times(), time.perf_counter()
            running = await asyncio.create_subprocess_exec(*command, str(server.data_dir))
            os.sched_setaffinity(running.pid, {PROGRAM_CORE})
            assert await running.wait() == 0
            seconds, after = time.perf_counter() - began, os.times()
            spent = after.children_user + after.children_system - mine.children_user - mine.children_system
            served, memory = cpu_seconds(pid) - before, rss_kib(pid) / 1024
            size = sum(one.stat().st_size for one in server.data_dir.glob("flux.db*")) / 1e6
    total = rows + AUTHORS
    aim = f"aim <= {AIM_SECONDS / ROWS * 1e6:.0f} for both together"
    return [
        Figure("server, CPU a row", served / total * 1e6, "us", aim),
        Figure("program, CPU a row", spent / total * 1e6, "us"),
        Figure(
            "wall clock", seconds, "s", f"{total / seconds:,.0f} rows/s, aim >= {ROWS / AIM_SECONDS:,.0f}"
        ),
        Figure("memory of the server afterwards", memory, "MiB"),
        Figure("database", size, "MB"),
    ]


def main(arguments: list[str]) -> None:
    rows = int(arguments[0]) if arguments else ROWS
    show(f"Importing {rows:,} articles", asyncio.run(measure(rows)))


if __name__ == "__main__":
    main(sys.argv[1:])
