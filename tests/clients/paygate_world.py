"""A provider's target and a consumer's wallet, for tests that pay on a real chain."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

API = "/paygate/api/v2"
PRICE = 10**15


@dataclass
class Hit:
    """One request as the target saw it; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """An HTTP server that answers by the last segments of the path, rightly and wrongly, and remembers what it was asked."""

    port: int = 0
    hits: list[Hit] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._connections):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        hit = Hit(method, target, headers, body)
        if "x-gateway-signature" in headers:
            self.hits.append(hit)
        return await self._answer(hit, writer)

    async def _answer(self, hit: Hit, writer: asyncio.StreamWriter) -> bool:
        *_, before, last = ["", *hit.target.partition("?")[0].split("/")]
        if before == "status":
            return await _send(writer, int(last), b'{"from":"target"}', hit.method)
        if last in _BROKEN:
            writer.write(_BROKEN[last])
            await writer.drain()
            return False
        if last == "slow":
            await asyncio.sleep(3)
        if last == "gate":
            await self.gate.wait()
        if last == "events":
            return await self._events(writer)
        if last in _PLAIN:
            status, body, kind, extra = _PLAIN[last]
            return await _send(writer, status, body, hit.method, kind=kind, extra=extra)
        shown = {
            "method": hit.method,
            "target": hit.target,
            "headers": hit.headers,
            "body": hit.body.decode("latin-1"),
        }
        return await _send(writer, 200, json.dumps(shown).encode(), hit.method)

    async def _events(self, writer: asyncio.StreamWriter) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(3):
            event = b"data: %d\n\n" % number
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.05)
        await self.gate.wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


_BROKEN = {
    "garbage": b"\x00\x01 this is not HTTP\r\n\r\n",
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
    "hangup": b"",
    "badlength": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n01234",
    "badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
}
_JSON = "application/json"
_MESSY = (
    "Set-Cookie: a=1\r\nServer: t\r\nX-Gateway-Error: FAKE\r\nX-Own: 1\r\nX-Own: 2\r\nLocation: /weather\r\n"
)
_PLAIN: dict[str, tuple[int, bytes, str, str]] = {
    "badjson": (200, b"{oops", _JSON, ""),
    "large": (200, b"x" * 3_000_000, "application/octet-stream", ""),
    "huge": (200, b"x" * 100, "text/plain", "X-Filler: " + "y" * 70_000 + "\r\n"),
    "x402": (402, b'{"x402Version":1,"accepts":[]}', _JSON, ""),
    "headers": (200, b"{}", _JSON, _MESSY),
}


async def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, method: str, *, kind: str = _JSON, extra: str = ""
) -> bool:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    writer.write(head.encode() + (b"" if method == "HEAD" else body))
    await writer.drain()
    return True


@asynccontextmanager
async def target() -> AsyncIterator[Target]:
    running = Target()
    await running.start()
    try:
        yield running
    finally:
        running.gate.set()
        await running.stop()


def chain_settings(*chains: Anvil, **change: Any) -> dict[str, Any]:
    """Settings of a paygate on these chains (the first is its default), which may call targets on loopback."""
    names = ["base-sepolia", "local", "third"]
    entries = [
        {"name": names[index], "chainId": chain.chain_id, "rpcUrls": [chain.url]}
        for index, chain in enumerate(chains)
    ]
    return {
        "paygate.chains": entries,
        "paygate.allow_http_targets": "true",
        "paygate.allowed_targets": ["127.0.0.0/8"],
        "paygate.management_per_minute": "0",
        "paygate.writes_per_minute": "0",
        **{f"paygate.{name}": value for name, value in change.items()},
    }


@dataclass
class Purse:
    """A wallet: it logs in, lists, pays, signs and calls."""

    account: LocalAccount
    server: Server
    http: httpx.AsyncClient
    token: str = ""
    ahead: int = 0
    """Seconds the sandbox clock was advanced."""

    @property
    def address(self) -> str:
        return str(self.account.address)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def login(self, chain_id: int = 84532) -> Purse:
        made = await self.http.post(f"{API}/auth/nonce", json={"address": self.address, "chainId": chain_id})
        message = made.json()["message"]
        signature = "0x" + self.account.sign_message(encode_defunct(text=message)).signature.hex()
        opened = await self.http.post(f"{API}/auth/verify", json={"message": message, "signature": signature})
        assert opened.status_code == 200, opened.text
        self.http.cookies.clear()
        self.token = opened.json()["token"]
        return self

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.http.post(f"{API}{path}", json=body, headers=self.headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(f"{API}{path}", headers=self.headers, **options)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.http.patch(f"{API}{path}", json=body, headers=self.headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.http.put(f"{API}{path}", json=body, headers=self.headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.http.delete(f"{API}{path}", headers=self.headers)

    async def list_api(self, endpoint: str, **change: Any) -> dict[str, Any]:
        body = {
            "name": f"API {time.time_ns()}",
            "endpoint": endpoint,
            "pricePerRequest": "0.001",
            "currency": "ETH",
        }
        made = await self.post("/apis", {**body, **change})
        assert made.status_code == 201, made.text
        listing: dict[str, Any] = made.json()
        return listing

    def sign(self, api_id: str, tx_hash: str, timestamp: int) -> str:
        inner = keccak(api_id.encode() + tx_hash.encode() + timestamp.to_bytes(32, "big"))
        return "0x" + self.account.sign_message(encode_defunct(primitive=inner)).signature.hex()

    def proof(self, api_id: str, tx_hash: str, *, age: int = 0, timestamp: bool = True) -> dict[str, str]:
        """Payment headers; `age` in seconds."""
        at = int(time.time()) + self.ahead - age
        headers = {"X-Payment-Tx": tx_hash, "X-Signature": self.sign(api_id, tx_hash, at)}
        return {**headers, "X-Timestamp": str(at)} if timestamp else headers

    async def call(
        self,
        api_id: str,
        path: str,
        tx_hash: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        **options: Any,
    ) -> httpx.Response:
        sent = {**self.proof(api_id, tx_hash, **options), **(headers or {})}
        return await self.http.request(method, f"{API}/gateway/{api_id}{path}", headers=sent, content=content)


def purse(server: Server, account: LocalAccount | None = None, **options: Any) -> Purse:
    """A wallet with a client of its own; anvil's accounts have money, fresh ones have not."""
    limits = httpx.Limits(max_connections=100)
    return Purse(account or Account.create(), server, server.client(limits=limits, **options))


@dataclass
class Market:
    """A server on a chain of its own, a target, and a wallet on either side."""

    server: Server
    chain: Anvil
    target: Target
    provider: Purse
    consumer: Purse
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def listed(self, **change: Any) -> dict[str, Any]:
        """A listing with a target path of its own, so that targets do not collide."""
        return await self.provider.list_api(f"{self.target.url}/l{next(self.numbers)}", **change)

    async def paid(self, listing: dict[str, Any], amount: int = PRICE) -> str:
        return await self.chain.pay(self.consumer.account, listing["recipient"], amount)


M = TypeVar("M", bound=Market)


@asynccontextmanager
async def market(directory: Path, database: str, kind: type[M], **change: str) -> AsyncIterator[M]:
    async with (
        anvil() as chain,
        target() as there,
        serve(directory, database=database, settings=chain_settings(chain, **change)) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        yield kind(server, chain, there, provider, consumer)
        await provider.http.aclose()
        await consumer.http.aclose()
