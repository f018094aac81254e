"""What the paygate's benchmark needs around it: a target, a chain node that knows every transaction, and a loader.

`python -m bench.paygate_world target|node …` is one of the servers in a process of its own; it prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import cast

import uvloop

CHAIN_ID = 84532
BLOCK = "0x" + "cd" * 32
BODY = b'{"answer":42}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = _HEAD % len(BODY) + BODY
PIECE = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


class TargetProtocol(asyncio.Protocol):
    """Answers every request with the same bytes; `/stream/<mebibytes>` with that many, chunked."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.seen = b""
        self.body_left = 0
        self.streaming: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        if self.body_left >= len(data):
            self.body_left -= len(data)
            if self.body_left == 0:
                self.transport.write(ANSWER)
            return
        self.seen += data
        while (end := self.seen.find(b"\r\n\r\n")) >= 0:
            head, self.seen = self.seen[:end], self.seen[end + 4 :]
            at = head.find(b"/stream/", 0, head.find(b"\r\n"))
            if head.startswith(b"POST"):
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.body_left, self.seen = length - len(self.seen), b""
                if self.body_left == 0:
                    self.transport.write(ANSWER)
            elif head.startswith(b"HEAD"):
                self.transport.write(_HEAD % len(BODY))
            elif at >= 0:
                self.streaming = asyncio.ensure_future(self.stream(int(head[at + 8 :].split()[0])))
            else:
                self.transport.write(ANSWER)

    async def stream(self, mebibytes: int) -> None:
        assert self.transport is not None
        kind = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self.transport.write(kind)
        for _ in range(mebibytes * 16):
            await self.writable.wait()
            self.transport.write(PIECE)
        self.transport.write(b"0\r\n\r\n")

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()


async def serve_target() -> None:
    server = await asyncio.get_running_loop().create_server(TargetProtocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def serve_node(payer: str, recipient: str, value: int) -> None:
    """Every transaction is a payment from `payer`, mined long ago."""

    def answer(one: dict[str, object]) -> dict[str, object]:
        method, params = one["method"], one["params"]
        first = params[0] if isinstance(params, list) and params else None
        results: dict[str, object] = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_blockNumber": hex(1000),
            "eth_getTransactionByHash": {
                "hash": first, "from": payer, "to": recipient, "value": hex(value), "blockNumber": "0x1",
                "blockHash": BLOCK, "chainId": hex(CHAIN_ID), "input": "0x", "nonce": "0x0",
            },
            "eth_getTransactionReceipt": {
                "transactionHash": first, "status": "0x1", "blockNumber": "0x1", "blockHash": BLOCK, "logs": [],
                "from": payer, "to": recipient,
            },
            "eth_getBlockByNumber": {"number": "0x1", "hash": BLOCK, "timestamp": hex(int(time.time()))},
        }  # fmt: skip
        return {"jsonrpc": "2.0", "id": one["id"], "result": results[str(method)]}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                asked = json.loads(await reader.readexactly(length))
                told = [answer(one) for one in asked] if isinstance(asked, list) else answer(asked)
                body = json.dumps(told).encode()
                writer.write(_HEAD % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Loader(asyncio.Protocol):
    """One connection: sends the next request when the last is answered."""

    def __init__(self, requests: Iterator[bytes], times: list[float], statuses: dict[int, int]) -> None:
        self.requests = requests
        self.times = times
        self.statuses = statuses
        self.done = asyncio.get_running_loop().create_future()
        self.seen = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.seen += data
        end = self.seen.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.seen[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0])
        if len(self.seen) < end + 4 + length:
            return
        self.times.append(time.perf_counter() - self.began)
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.seen = self.seen[end + 4 + length :]
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server hung up"))


async def load(
    port: int, requests: Sequence[bytes], connections: int
) -> tuple[float, list[float], dict[int, int]]:
    """Seconds for all of them, the time of each, and how often each status was answered."""
    line, times, statuses = iter(requests), [], {}  # type: ignore[var-annotated]
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Loader(line, times, statuses), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    return time.perf_counter() - began, times, statuses


if __name__ == "__main__":
    if sys.argv[1] == "target":
        uvloop.run(serve_target())
    else:
        uvloop.run(serve_node(sys.argv[2], sys.argv[3], int(sys.argv[4])))
