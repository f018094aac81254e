"""A loopback server that answers what a test tells it to, and both clients behind one face."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web

from flux.client import AsyncFluxClient, FluxClient, RetryPolicy


@dataclass
class Reply:
    """An answer to give. `cut` drops the connection instead; `hang` waits that many seconds first."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: float = 0.0

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Peer:
    """Answers with the scripted replies in turn, then with 200 `{}`; remembers what it was asked."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self.origin = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def script(self, *replies: Reply) -> None:
        self.replies.clear()
        self.seen.clear()
        self.replies.extend(replies)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._open())
        self._loop.run_forever()
        self._loop.run_until_complete(self._close(runner))
        self._loop.close()

    async def _open(self) -> web.AppRunner:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        return runner

    async def _close(self, runner: web.AppRunner) -> None:
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.raw_path, headers, body))
        reply = self.replies.popleft() if self.replies else Reply(200, {})
        if reply.hang:
            await asyncio.sleep(reply.hang)
        if reply.cut:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        kind = {"Content-Type": "application/json"}
        return web.Response(status=reply.status, body=reply.encoded(), headers={**kind, **reply.headers})


class FakeTime:
    """A clock that only sleeping moves. `random` always draws the greatest wait."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def policy(self, **changes: Any) -> RetryPolicy:
        clock = lambda: self.now  # noqa: E731
        return RetryPolicy(**{"random": lambda: 1.0, "monotonic": clock, "wall_clock": clock, **changes})


class Caller:
    """Runs the same words through the blocking and the async client."""

    def __init__(self, kind: str, origin: str, time: FakeTime) -> None:
        self.kind = kind
        self.origin = origin
        self.time = time

    def __call__(
        self, words: Callable[[Any], Any], policy: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """`words` gets the client and returns what its call returns (awaited here when it is awaitable)."""
        retry = self.time.policy(**(policy or {}))
        # Loading the system's certificates for every test is slow, and the peer has none.
        if self.kind == "sync":
            with httpx.Client(verify=False) as http:
                flux = FluxClient(self.origin, retry=retry, sleep=self.time.sleep, http=http, **options)
                return words(flux)

        async def run() -> Any:
            async with httpx.AsyncClient(verify=False) as http:
                sleep = self.time.async_sleep
                outcome = words(AsyncFluxClient(self.origin, retry=retry, sleep=sleep, http=http, **options))
                return await outcome if inspect.isawaitable(outcome) else outcome

        return asyncio.run(run())
