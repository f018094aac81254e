"""A chain node that can be made to misbehave: an HTTP relay in front of a real one.

    async with hostile_node(chain.url) as node:
        node.mood = "hang"                       # error · html · 404 · 429 · 503 · empty · deep · flood · redirect · drop
                                             # hang · null (knows nothing) · another (transaction) · pass
        node.on["eth_sendRawTransaction"] = act  # awaited before a request with that method is passed on

    node.lies["eth_getTransactionReceipt"] = alter   # what becomes of a result before it is passed back
    node.fates[tx_hash] = ["hang", "null"]   # moods for the next requests that name this transaction
    node.named[text] = [("eth_call", "503")] # moods, or something to be awaited first, for the next requests of that
                                             # method in which the text occurs; "lost": passed on, and nobody hears of it

`act` may return "stop": the request goes no further, or "drop": it is passed on and its answer is lost; `afterwards` is
called then.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

HANG_SECONDS = 60
Act = Callable[[], Awaitable[str | None]]
_ERROR = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "secret text of the node"}}


class HostileNode:
    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.mood = "pass"
        self.on: dict[str, Act] = {}
        self.fates: dict[str, list[str]] = {}
        self.named: dict[str, list[tuple[str, str | Callable[[], Awaitable[None]]]]] = {}
        self.lies: dict[str, Callable[[Any], Any]] = {}
        self.afterwards: Callable[[], None] = lambda: None
        self.asked: list[str] = []
        """Methods, in the order they came."""
        self.port = 0
        self._session: aiohttp.ClientSession | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._stopped = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        assert self._session is not None
        self._server.close()
        self._stopped.set()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._session.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, aiohttp.ClientError, RuntimeError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        body = await reader.readexactly(length)
        requests = _requests(body)
        methods = [str(one["method"]) for one in requests]
        self.asked += methods
        mood = self._fate(requests) or await self._name_mood(requests, body) or self.mood
        if mood == "hang":
            await asyncio.wait({asyncio.ensure_future(self._stopped.wait())}, timeout=HANG_SECONDS)
        if mood in ("hang", "drop"):
            return False
        if mood == "flood":
            await _write(writer, 200, b'"' + b"x" * FLOOD_BYTES + b'"')
            return False
        if mood in _WORDS:
            status, answer = _WORDS[mood]
            await _write(writer, status, answer)
            return True
        acts = [act for method in methods if (act := self.on.get(method)) is not None]
        verdicts = [await act() for act in acts]
        if "stop" in verdicts:
            return False
        assert self._session is not None
        headers = {"Content-Type": "application/json"}
        async with self._session.post(self.behind, data=body, headers=headers) as passed:
            answer = await passed.read()
            status = passed.status
        if mood == "lost":
            return False
        if "drop" in verdicts:
            self.afterwards()
            return False
        if mood == "null":
            answer = _forgetful(answer)
        if mood == "another":
            answer = answer.replace(requests[0]["params"][0].encode(), b"0x" + b"ee" * 32)
        if self.lies:
            answer = self._told(requests, answer)
        await _write(writer, status, answer)
        return True

    def _told(self, requests: list[Any], answer: bytes) -> bytes:
        told: Any = json.loads(answer)
        methods = {one["id"]: one["method"] for one in requests}
        for one in told if isinstance(told, list) else [told]:
            lie = self.lies.get(methods.get(one.get("id"), ""))
            if lie is not None and one.get("result") is not None:
                one["result"] = lie(one["result"])
        return json.dumps(told).encode()

    def _fate(self, requests: list[Any]) -> str | None:
        if not self.fates:
            return None
        for one in requests:
            # Not who only looks after what is paid for already.
            named = one.get("params") or [""] if one["method"] == "eth_getTransactionByHash" else [""]
            fates = self.fates.get(named[0]) if isinstance(named[0], str) else None
            if fates:
                return fates.pop(0)
        return None

    async def _name_mood(self, requests: list[Any], body: bytes) -> str | None:
        if not self.named:
            return None
        text, methods = body.decode("latin-1"), {one["method"] for one in requests}
        for name, moods in self.named.items():
            if moods and moods[0][0] in methods and name in text:
                _, mood = moods.pop(0)
                if isinstance(mood, str):
                    return mood
                await mood()
                return "pass"
        return None


_WORDS = {
    "error": (200, json.dumps(_ERROR).encode()),
    "html": (200, b"<html>busy</html>"),
    "503": (503, b"overloaded"),
    "429": (429, b"slow down"),
    "404": (404, b"<html>no such page</html>"),
    "empty": (200, b""),
    "redirect": (302, b""),
    "deep": (200, b"[" * 200_000),
}
FLOOD_BYTES = 20_000_000


def _requests(body: bytes) -> list[Any]:
    asked: Any = json.loads(body)
    return asked if isinstance(asked, list) else [asked]


def _forgetful(answer: bytes) -> bytes:
    """What a node that lags behind says: it knows nothing but numbers."""
    told: Any = json.loads(answer)
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one.get("result"), dict):
            one["result"] = None
    return json.dumps(told).encode()


async def _write(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


@asynccontextmanager
async def hostile_node(behind: str) -> AsyncIterator[HostileNode]:
    """In front of the node at `behind`; gone in the end."""
    node = HostileNode(behind)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
