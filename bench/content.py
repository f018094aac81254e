"""Delivery of 100,000 articles: CPU a request, requests a second, and each as a ratio to a raw ASGI app that returns the
same bytes from the same server.

    python -m bench.content [rows]           fill and measure (default 100,000)
    python -m bench.content fill DIR ROWS    only fill a data directory
    python -m bench.content measure DIR      measure one that was filled before
    python -m bench.content flat DIR DIR …   whether some requests cost the same in all of them (content_flat.py)

The server is pinned to one core, the loader to another; 16 connections (a text search 8), each with one request under way.
"Cached" is a server with its defaults, "uncached" one that keeps neither answers (`content.delivery_cache_entries=0`) nor
requests as they were understood (`content.reading_cache_bytes=0`): there every request is read, asks the database and is
encoded again, and parameters vary from request to request. What is kept by shape stays: plans, slots, counts of words.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import uvloop
from tests.harness.server import Server, serve

from bench.content_filling import WORDS, fill
from bench.figures import Figure, child, cpu_seconds, rss_kib, show

ROWS = 100_000
RUNS = 5
CONNECTIONS = 16
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOADER_CORE = CORES[-1], CORES[0]
SETTINGS: dict[str, Any] = {"server.log_level": "warning"}
UNCACHED = {**SETTINGS, "content.delivery_cache_entries": 0, "content.reading_cache_bytes": 0}


# -- the loader -----------------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is complete."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = bytearray()
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end]).lower()
            at = head.find(b"content-length: ")
            size = (
                int(head[at + 16 : (head.find(b"\r", at) if head.find(b"\r", at) > 0 else None)])
                if at > 0
                else 0
            )
            self._missing = end + 4 + size - len(self._buffer)
            self._buffer.clear()
            self._run.statuses.add(int(head[9:12]))
        if self._missing == 0:
            self._run.latencies.append(time.perf_counter() - self._began)
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._run.ended()


class Run:
    """`total` requests, taken in turn from a list."""

    def __init__(self, requests: Sequence[bytes], total: int, connections: int) -> None:
        self._requests = requests
        self._left = total
        self._open = connections
        self.latencies: list[float] = []
        self.statuses: set[int] = set()
        self.done = asyncio.Event()

    def next(self) -> bytes | None:
        if self._left == 0:
            return None
        self._left -= 1
        return self._requests[self._left % len(self._requests)]

    def ended(self) -> None:
        self._open -= 1
        if self._open == 0:
            self.done.set()


@dataclass
class Measured:
    """Of one run: microseconds of the server's CPU, requests a second on the wall clock, milliseconds at p99."""

    cpu: float
    rate: float
    p99: float


def measured(
    pid: int, port: int, requests: Sequence[bytes], total: int, status: int, connections: int = CONNECTIONS
) -> Measured:
    async def go() -> Run:
        loop = asyncio.get_running_loop()
        run = Run(requests, total, connections)
        for _ in range(connections):
            await loop.create_connection(lambda: Client(run), "127.0.0.1", port)
        await run.done.wait()
        return run

    before, began = cpu_seconds(pid), time.perf_counter()
    run = uvloop.run(go())
    seconds = time.perf_counter() - began
    assert run.statuses == {status}, run.statuses
    p99 = statistics.quantiles(run.latencies, n=100)[98] * 1000
    return Measured((cpu_seconds(pid) - before) / total * 1e6, total / seconds, p99)


# -- what is asked --------------------------------------------------------------------------------------------


@dataclass
class Case:
    """`aim` is in requests a second of one core; `cached` says which server is asked."""

    name: str
    requests: list[bytes]
    aim: int
    cached: bool = True
    status: int = 200
    total: int = 8000
    connections: int = CONNECTIONS
    body: bytes = b""
    ratio_aim: float | None = None
    rounds: list[tuple[Measured, Measured]] = field(default_factory=list)


def get(path: str, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{lines}\r\n".encode()


def post(path: str, body: Any) -> bytes:
    raw = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


def cases(at: str, keys: list[str], etag: str) -> list[Case]:
    """`keys` are of some articles; `etag` is that of the first."""
    chance = random.Random(7)
    listed = "limit=20&sort=-_sys.created_at"
    filters = []
    for _ in range(50):
        categories = chance.sample([f"category-{number}" for number in range(20)], 3)
        filters.append(
            f"limit=20&sort=-rating&where__status=published&where__rating__gte={chance.randrange(1, 9)}"
            f"&where__category__in={','.join(categories)}"
        )
    words = [chance.sample(WORDS, 2) for _ in range(50)]
    items = f"{at}/articles"
    bodies = [{"find_text": {"query": " ".join(pair)}, "limit": 20} for pair in words]
    wrong = {"where": {"$": {"all_of": [{"rating__gte": "abc"}]}}, "find_text": {"query": ""}}
    pages = [f"limit=20&sort=-_sys.created_at&offset={number}" for number in range(50)]
    return [
        Case("get one", [get(f"{items}/{key}") for key in keys], 10_000, ratio_aim=0.6),
        Case("get one, 304", [get(f"{items}/{keys[0]}", If_None_Match=etag)], 10_000, status=304),
        Case("list 20 sorted, cached", [get(f"{items}?{listed}")], 10_000, ratio_aim=0.6),
        Case("list 20 sorted, uncached", [get(f"{items}?{one}") for one in pages], 4_000, cached=False),
        Case("list 20 by rating, uncached", [get(f"{items}?limit=20&sort=-rating")], 4_000, cached=False),
        Case("three conditions, sorted, uncached", [get(f"{items}?{one}") for one in filters], 3_000, cached=False),
        Case("the same with populate, uncached", [get(f"{items}?{one}&populate=author") for one in filters], 2_000,
             cached=False),
        Case("text search, top 20, uncached", [post(f"{items}/_search", one) for one in bodies], 500, cached=False,
             total=1000, connections=8),
        Case("invalid query", [post(f"{items}/_search", wrong)], 10_000, status=422),
    ]  # fmt: skip


# -- the servers ----------------------------------------------------------------------------------------------


@contextmanager
def raw(bodies: dict[str, bytes]) -> Iterator[tuple[int, int]]:
    """An ASGI app that answers with these bytes, by path; its process and port."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as kept:
        json.dump({path: body.decode() for path, body in bodies.items()}, kept)
        kept.flush()
        process, ready = child("bench.content", "raw", kept.name)
        try:
            yield process.pid, int(ready[0])
        finally:
            process.terminate()
            process.wait()


def serve_raw(kept: str) -> None:
    import uvicorn

    from flux.kernel.wire.listening import listen

    bodies = {path: body.encode() for path, body in json.loads(Path(kept).read_text()).items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = bodies[scope["path"]]
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    listener = listen("127.0.0.1", 0)
    options: dict[str, Any] = {"http": "httptools", "interface": "asgi3", "loop": "none", "lifespan": "off"}
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, **options)
    print(listener.getsockname()[1], flush=True)
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


@asynccontextmanager
async def running(directory: Path, settings: dict[str, Any]) -> AsyncIterator[Server]:
    async with serve(directory, sandbox=False, settings=settings) as server:
        os.sched_setaffinity(server.process.pid, {SERVER_CORE})
        for thread in Path(f"/proc/{server.process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {SERVER_CORE})
        yield server


async def planned(server: Server, wanted: Callable[[Case], bool]) -> list[Case]:
    """The wanted cases, with what the server answers to the first request of each."""
    content = json.loads((server.data_dir / "operator.json").read_text())["content"]
    at = f"/content/flux/{content['environment']}/bench"
    async with httpx.AsyncClient(base_url=server.origin, headers={"Host": "bench"}, timeout=120) as http:
        listed = (
            (await http.get(f"{at}/articles", params={"limit": 100})).raise_for_status().json()["results"]
        )
        keys = [one["_sys"]["key"] for one in listed]
        etag = (await http.get(f"{at}/articles/{keys[0]}")).headers["etag"]
        found = [case for case in cases(at, keys, etag) if wanted(case)]
        for case in found:
            head, _, body = case.requests[0].partition(b"\r\n\r\n")
            method, path, _ = head.decode().split("\r\n")[0].split(" ")
            answer = await http.request(
                method, path, content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (200, case.status), answer.text
            case.body = answer.content
    return found


def alternate(case: Case, ours: int, our_port: int, raw_: int, raw_port: int) -> None:
    plain = get("/" + case.name.replace(" ", "-"))
    one = measured(ours, our_port, case.requests, case.total, case.status, case.connections)
    other = measured(raw_, raw_port, [plain], case.total, 200, case.connections)
    case.rounds.append((one, other))


def figures(case: Case) -> list[Figure]:
    cpu = statistics.median(one.cpu for one, _ in case.rounds)
    ratio = statistics.median(other.cpu / one.cpu for one, other in case.rounds)
    rate = statistics.median(one.rate for one, _ in case.rounds)
    p99 = statistics.median(one.p99 for one, _ in case.rounds)
    wanted = f"aim >= {case.ratio_aim}" if case.ratio_aim else ""
    return [
        Figure(case.name, 1e6 / cpu, "req/s of a core", f"aim >= {case.aim:,} ({cpu:.0f} us CPU)"),
        Figure(f"  on the wall clock, {case.connections} connections", rate, "req/s", f"p99 {p99:.1f} ms"),
        Figure("  share of the raw ASGI app's speed", ratio, "x", wanted),
    ]


async def measure(directory: Path, only: str = "") -> list[Figure]:
    found: list[Figure] = []
    for settings, cached in ((SETTINGS, True), (UNCACHED, False)):
        async with running(directory, settings) as server:
            pid, port = server.process.pid, int(server.origin.rpartition(":")[2])
            mine = await planned(server, lambda case: case.cached is cached and only in case.name)  # noqa: B023 - asked at once
            with raw({"/" + case.name.replace(" ", "-"): case.body for case in mine}) as (raw_pid, raw_port):
                os.sched_setaffinity(raw_pid, {SERVER_CORE})
                for case in mine:
                    await asyncio.to_thread(measured, pid, port, case.requests, case.total // 4, case.status)
                    for _ in range(RUNS):
                        await asyncio.to_thread(alternate, case, pid, port, raw_pid, raw_port)
                    found += figures(case)
            found.append(
                Figure(
                    f"memory afterwards, {'defaults' if cached else 'uncached'}", rss_kib(pid) / 1024, "MiB"
                )
            )
    return found


def main(arguments: list[str]) -> None:
    os.sched_setaffinity(0, {LOADER_CORE} if arguments[:1] != ["raw"] else {SERVER_CORE})
    if arguments[:1] == ["raw"]:
        serve_raw(arguments[1])
    elif arguments[:1] == ["fill"]:
        show("Filling", uvloop.run(fill(Path(arguments[1]), int(arguments[2]))))
    elif arguments[:1] == ["flat"]:
        from bench.content_flat import flat

        show("Content: the same from more", asyncio.run(flat([Path(one) for one in arguments[1:]])))
    elif arguments[:1] == ["measure"]:
        show(f"Content: {arguments[1]}", asyncio.run(measure(Path(arguments[1]), *arguments[2:])))
    else:
        rows = int(arguments[0]) if arguments else ROWS
        directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
        try:
            show(f"Filling {rows:,} articles", uvloop.run(fill(directory, rows)))
            show(f"Content: {rows:,} articles", asyncio.run(measure(directory)))
        finally:
            shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1:])
