"""A gateway client for tests that shows every payload and lies when asked to."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import zstandard
from tests.community.actors import Actor

PROPERTIES = {"os": "linux", "browser": "tests", "device": "tests"}
SECONDS = 10.0


class Closed(Exception):
    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class GatewayClient:
    """`async with GatewayClient(actor) as client`: connected, hello read. `identify` gives READY's data."""

    def __init__(self, actor: Actor, *, version: str = "1", compress: str = "", origin: str = "") -> None:
        self.actor = actor
        self.url = (origin or actor.server.origin).replace("http", "ws", 1) + "/community/gateway"
        self.query = {"v": version, "encoding": "json"} | ({"compress": compress} if compress else {})
        self.compress = compress
        self.seen: list[dict[str, Any]] = []
        self.sequence: int | None = None
        self.session_id = ""
        self.hello: dict[str, Any] = {}
        self._inflate: Any = None
        self._http: aiohttp.ClientSession | None = None

    @property
    def token(self) -> str:
        return (self.actor.authorization or "").removeprefix("Bot ")

    async def __aenter__(self) -> GatewayClient:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, *, hello: bool = True) -> None:
        self._http = self._http or aiohttp.ClientSession()
        headers = {"X-Forwarded-For": self.actor.address}
        self.socket = await self._http.ws_connect(
            self.url, params=self.query, headers=headers, autoping=True, max_msg_size=0
        )
        if self.compress == "zlib-stream":
            self._inflate = zlib.decompressobj().decompress
        elif self.compress == "zstd-stream":
            self._inflate = zstandard.ZstdDecompressor().decompressobj().decompress
        if hello:
            self.hello = await self.receive()
            assert self.hello["op"] == 10

    async def send(self, op: int, data: Any = None) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def receive(self, seconds: float = SECONDS) -> dict[str, Any]:
        """The next payload. Raises `Closed`, TimeoutError."""
        message = await asyncio.wait_for(self.socket.receive(), seconds)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            raise Closed(self.socket.close_code)
        if message.type is aiohttp.WSMsgType.ERROR:
            raise Closed(None)
        text = message.data if self._inflate is None else self._inflate(message.data).decode()
        payload: dict[str, Any] = json.loads(text)
        if payload.get("s") is not None:
            self.sequence = payload["s"]
        self.seen.append(payload)
        return payload

    async def event(self, name: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The data of the next event of that name; others are skipped and stay in `seen`."""
        async with asyncio.timeout(seconds):
            while True:
                payload = await self.receive(seconds)
                if payload["op"] == 0 and payload["t"] == name:
                    return dict(payload["d"]) if payload["d"] is not None else {}

    async def identify(self, **more: Any) -> dict[str, Any]:
        await self.send(2, {"token": self.token, "properties": PROPERTIES, **more})
        ready = await self.event("READY")
        self.session_id = ready["session_id"]
        return ready

    async def resume(self, after: int | None = None) -> None:
        seq = self.sequence if after is None else after
        await self.send(6, {"token": self.token, "session_id": self.session_id, "seq": seq})

    async def heartbeat(self, number: int | None = None) -> None:
        await self.send(1, self.sequence if number is None else number)
        while (await self.receive())["op"] != 11:
            pass

    async def nothing(self, *names: str, seconds: float = 0.3) -> None:
        """None of these events arrives within a moment."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    payload = await self.receive(seconds + 1)
                    assert payload.get("t") not in names, payload
        except TimeoutError:
            return

    async def closed_with(self) -> int | None:
        """Read until the server closes; the code."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed.code

    def drop(self) -> None:
        """Cut the connection without a goodbye."""
        assert self.socket._response.connection is not None
        transport = self.socket._response.connection.transport
        assert transport is not None
        transport.abort()

    async def close(self, code: int = 1000) -> None:
        if not self.socket.closed:
            await self.socket.close(code=code)
        if self._http is not None:
            await self._http.close()
            self._http = None
