"""The paygate: unpaid answers, fully verified paid calls, the bare relay, a long stream. CPU is the server's own.

A paid call is one with a transaction of its own: signature recovered, chain facts judged (from the cache, warmed by
asking for the payment's state), ledger reserved and settled durably on SQLite, relayed to a target over a kept-alive
connection. Nothing is repeated, nothing is prepaid.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from eth_account import Account
from tests.clients.paygate_world import API, PRICE, purse
from tests.harness.server import Server, serve

from bench.figures import Figure, child, cpu_seconds, rss_kib, show
from bench.paygate_world import CHAIN_ID, load
from flux.paygate.signing.curve import sign
from flux.paygate.signing.message import call_digest

CALLS = 6_000
UNPAID = 20_000
WARM = 500
CONNECTIONS = 32
MEBIBYTES = 1024


def settings(node_port: int) -> dict[str, Any]:
    node = f"http://127.0.0.1:{node_port}"
    return {
        "paygate.chains": [{"name": "base-sepolia", "chainId": CHAIN_ID, "rpcUrls": [node]}],
        "paygate.allow_http_targets": "true",
        "paygate.allowed_targets": ["127.0.0.0/8"],
        "paygate.management_per_minute": "0",
        "paygate.gateway_per_minute": "0",
        "paygate.facilitator_key": "0x" + "11" * 32,
        "server.log_level": "error",
        "paygate.stream_bytes": str((MEBIBYTES + 1) * 2**20),
    }


class Bench:
    def __init__(self, server: Server, target_port: int, consumer: Any, api_id: str) -> None:
        self.server = server
        self.pid = server.process.pid
        self.port = int(server.origin.rpartition(":")[2])
        self.target_port = target_port
        self.consumer = consumer
        self.api_id = api_id
        self.number = 0

    def request(self, mount: str, path: str, headers: str = "") -> bytes:
        head = f"GET {API}/{mount}/{self.api_id}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"
        return head.encode()

    async def paid(self, count: int, path: str = "/weather") -> list[bytes]:
        """Requests with payments that the server has looked up already."""
        hashes = [f"0x{self.number + index:064x}" for index in range(1, count + 1)]
        self.number += count
        line = iter(hashes)
        async with aiohttp.ClientSession() as http:

            async def look() -> None:
                for tx_hash in line:
                    async with http.get(f"{self.server.origin}{API}/payments/{tx_hash}") as answer:
                        assert (await answer.json())["state"] == "available"

            await asyncio.gather(*(look() for _ in range(16)))
        now, key = int(time.time()), bytes(self.consumer.key)
        made = []
        for tx_hash in hashes:
            signature = sign(call_digest(self.api_id, tx_hash, now), key)
            proof = f"X-Payment-Tx: {tx_hash}\r\nX-Signature: {signature}\r\nX-Timestamp: {now}\r\n"
            made.append(self.request("gateway", path, proof))
        return made

    async def run(
        self, requests: Sequence[bytes], status: int, connections: int = CONNECTIONS
    ) -> tuple[float, float, list[float]]:
        """CPU microseconds of the server a request, requests a second, and the times in milliseconds."""
        before = cpu_seconds(self.pid)
        seconds, times, statuses = await load(self.port, requests, connections)
        spent = cpu_seconds(self.pid) - before
        assert statuses == {status: len(requests)}, statuses
        return spent / len(requests) * 1e6, len(requests) / seconds, [one * 1000 for one in times]


async def unpaid(bench: Bench) -> list[Figure]:
    figures = []
    for mount, status in (("gateway", 401), ("x402", 402)):
        request = bench.request(mount, "/weather")
        await bench.run([request] * WARM, status)
        cpu, rate, _ = await bench.run([request] * UNPAID, status)
        figures += [
            Figure(f"unpaid {status}: CPU", cpu, "us", "aim <= 125 us"),
            Figure(f"unpaid {status}: a core", 1e6 / cpu, "req/s", "aim >= 8,000"),
            Figure(f"unpaid {status}: seen by the loader", rate, "req/s"),
        ]
    return figures


async def paid(bench: Bench) -> list[Figure]:
    await bench.run(await bench.paid(WARM), 200)
    requests = await bench.paid(CALLS)
    cpu, rate, _ = await bench.run(requests, 200)
    direct_request = b"GET /weather HTTP/1.1\r\nHost: x\r\n\r\n"
    _, direct, _ = await load(bench.target_port, [direct_request] * 1000, 1)
    _, _, alone = await bench.run(await bench.paid(1000), 200, connections=1)
    _, _, eight = await bench.run(await bench.paid(2000), 200, connections=8)
    straight = statistics.median(direct) * 1000
    return [
        Figure("paid call: CPU", cpu, "us", "aim <= 500 us"),
        Figure("paid call: a core", 1e6 / cpu, "calls/s", "aim >= 2,000"),
        Figure("paid call: seen by the loader", rate, "calls/s"),
        Figure("target called directly: p50", straight, "ms"),
        Figure("paid call, one at a time: p50 added", statistics.median(alone) - straight, "ms", "aim <= 3 ms"),
        Figure("paid call, eight at a time: p50 added", statistics.median(eight) - straight, "ms"),
    ]  # fmt: skip


async def stream(bench: Bench) -> list[Figure]:
    """How much the server grows while a gibibyte passes through it."""
    [request] = await bench.paid(1, f"/stream/{MEBIBYTES}")
    before, peak, size = rss_kib(bench.pid), 0, 0
    spent = cpu_seconds(bench.pid)
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port, limit=2**20)
    began = time.perf_counter()
    writer.write(request)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    last = b""
    while not last.endswith(b"\r\n0\r\n\r\n"):
        data = await reader.read(2**20)
        assert data
        last = (last + data)[-16:]
        size += len(data)
        peak = max(peak, rss_kib(bench.pid))
    seconds = time.perf_counter() - began
    writer.close()
    assert size >= MEBIBYTES * 2**20
    return [
        Figure("1 GiB streamed: growth", (peak - before) / 1024, "MiB", "aim <= 32"),
        Figure("1 GiB streamed: rate", MEBIBYTES / seconds, "MiB/s"),
        Figure("1 GiB streamed: CPU", (cpu_seconds(bench.pid) - spent) / MEBIBYTES * 1e3, "ms/MiB"),
    ]


async def upload(bench: Bench) -> list[Figure]:
    """How much the server grows while a gibibyte of the largest bodies there may be passes, one after the other: each is
    held whole, because the origin signature in front of it covers it."""
    body = b"x" * (8 * 2**20)
    requests = [
        b"POST"
        + one.removeprefix(b"GET").removesuffix(b"\r\n")
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
        for one in await bench.paid(MEBIBYTES // 8)
    ]
    before, peak = rss_kib(bench.pid), 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, rss_kib(bench.pid))
            await asyncio.sleep(0.005)

    watching = asyncio.ensure_future(watch())
    spent, _, _ = await bench.run(requests, 200, connections=1)
    watching.cancel()
    return [
        Figure("1 GiB sent in bodies of 8 MiB: growth", (peak - before) / 1024, "MiB", "aim <= 32"),
        Figure("1 GiB sent in bodies of 8 MiB: CPU", spent / 8 / 1e3, "ms/MiB"),
    ]


async def measure() -> list[Figure]:
    provider_account, consumer = Account.create(), Account.create()
    target, [target_port] = child("bench.paygate_world", "target")
    node, [node_port] = child(
        "bench.paygate_world", "node", consumer.address.lower(), provider_account.address.lower(), str(PRICE)
    )
    directory = Path(tempfile.mkdtemp(prefix="flux-bench-paygate-"))
    try:
        async with serve(directory, sandbox=False, settings=settings(int(node_port))) as server:
            provider = await purse(server, provider_account).login(CHAIN_ID)
            usdc = {"x402": {"enabled": True, "amount": "0.01"}}
            listing = await provider.list_api(f"http://127.0.0.1:{target_port}", **usdc)
            await provider.http.aclose()
            bench = Bench(server, int(target_port), consumer, listing["id"])
            return [*await unpaid(bench), *await paid(bench), *await stream(bench), *await upload(bench)]
    finally:
        for process in (target, node):
            process.terminate()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    show("Paygate: unpaid answers, paid calls, a long stream (SQLite, one process)", uvloop.run(measure()))
