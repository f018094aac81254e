"""Many gateway clients in a process of their own, told what to do line by line (`python -m bench.crowd PORT`).

A command is a JSON object on standard input, its answer a JSON object on standard output:

    {"do": "identify", "tokens": [...]}     connect and identify them all → {"seconds"}
    {"do": "await", "events": n}            until every client has had n messages → {"seconds", "latencies": [p50, p99, max]}
    {"do": "drop"}                          cut every connection
    {"do": "resume", "events": n}           all come back at once; n messages were missed →
                                            {"seconds", "lost", "repeated", "resumed"}

A message's content begins with the moment it was sent (`time.monotonic_ns`, which all processes of a machine share).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from bench.sockets import SocketClient, raise_file_limit

PATH = "/community/gateway?v=1&encoding=json"
CONTENT = b'"content":"@'
SEQUENCE = b',"s":'


class Client(SocketClient):
    """One session. It looks only at what it must, so that the clients cost little of the machine they share."""

    def __init__(self, crowd: Crowd, token: str) -> None:
        super().__init__(PATH)
        self.crowd = crowd
        self.token = token
        self.session = ""
        self.sequence = 0
        self.repeated = 0
        self.lost = 0

    def opened(self) -> None:
        if self.session:
            self.say(6, {"token": self.token, "session_id": self.session, "seq": self.sequence})
        else:
            self.identify(self.token)

    def heard(self, payload: bytes) -> None:
        if not payload.startswith(b'{"op":0'):
            return
        name = payload[13 : payload.index(b'"', 13)]
        if name == b"RESUMED":
            self.crowd.resumed()
            return
        number = int(payload[payload.rindex(SEQUENCE) + len(SEQUENCE) : -1])
        if number <= self.sequence:
            self.repeated += 1
        self.lost += max(0, number - self.sequence - 1)
        self.sequence = max(number, self.sequence)
        if name == b"READY":
            self.session = json.loads(payload)["d"]["session_id"]
            self.crowd.ready()
        elif name == b"MESSAGE_CREATE" and CONTENT in payload:
            start = payload.index(CONTENT) + len(CONTENT)
            self.crowd.message(int(payload[start : payload.index(b" ", start)]))


class Crowd:
    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[Client] = []
        self._ready = 0
        self._resumed = 0
        self._latencies: list[int] = []
        self._news = asyncio.Event()

    def ready(self) -> None:
        self._ready += 1
        self._news.set()

    def resumed(self) -> None:
        self._resumed += 1
        self._news.set()

    def message(self, sent_ns: int) -> None:
        self._latencies.append(time.monotonic_ns() - sent_ns)
        self._news.set()

    async def _until(self, done: Any) -> None:
        async with asyncio.timeout(300):
            while not done():
                self._news.clear()
                await self._news.wait()

    async def _connect(self) -> None:
        for start in range(0, len(self._clients), 200):
            await asyncio.gather(*(each.connect(self._port) for each in self._clients[start : start + 200]))

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        answer = await getattr(self, "_" + command.pop("do"))(**command)
        return {"seconds": time.monotonic() - began, **answer}

    async def _identify(self, tokens: list[str]) -> dict[str, Any]:
        self._clients = [Client(self, token) for token in tokens]
        await self._connect()
        await self._until(lambda: self._ready == len(tokens))
        return {}

    async def _await(self, events: int) -> dict[str, Any]:
        wanted = events * len(self._clients)
        await self._until(lambda: len(self._latencies) >= wanted)
        times = sorted(self._latencies)
        self._latencies = []
        return {
            "latencies": [times[len(times) // 2] / 1e6, times[int(len(times) * 0.99)] / 1e6, times[-1] / 1e6]
        }

    async def _drop(self) -> dict[str, Any]:
        for each in self._clients:
            assert each.transport is not None
            each.transport.abort()
        await asyncio.sleep(0.5)
        return {}

    async def _resume(self, events: int) -> dict[str, Any]:
        self._resumed = 0
        wanted = events * len(self._clients)
        await self._connect()
        await self._until(lambda: self._resumed == len(self._clients) and len(self._latencies) >= wanted)
        surplus = len(self._latencies) - wanted
        self._latencies = []
        lost = sum(each.lost for each in self._clients)
        return {
            "resumed": self._resumed,
            "lost": lost,
            "repeated": sum(each.repeated for each in self._clients) + surplus,
        }


async def work(port: int) -> None:
    crowd = Crowd(port)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await crowd.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(work(int(sys.argv[1])))
