"""Calls to addresses that others chose never reach a neighbour, whatever its name resolves to."""

from __future__ import annotations

import asyncio

import pytest

from flux.kernel.faults import PortFailure, Ports
from flux.kernel.outside.calling import Caller
from flux.kernel.outside.fetching import REDIRECTS, Fetcher
from flux.kernel.outside.guard import Guard, NotAllowed
from flux.kernel.outside.vetting import _Resolver


async def _reason(caller: Caller, url: str) -> str:
    with pytest.raises(PortFailure) as failed:
        await caller.post(url, b"{}", {})
    assert failed.value.port == "upstream"
    return failed.value.reason


async def test_a_neighbour_is_never_connected_to() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    strict = Caller(Guard(), Ports(), seconds=5)
    exempt = Caller(Guard([f"127.0.0.1:{port}"]), Ports(), seconds=5)
    try:
        for host in ("127.0.0.1", "localhost", "0x7f.1"):
            assert await _reason(strict, f"http://{host}:{port}/") == "address_not_allowed"
        assert seen == []
        assert await exempt.post(f"http://127.0.0.1:{port}/hook", b"{}", {"X-One": "1"}) == 204
        assert seen[0].startswith(b"POST /hook ") and b"X-One: 1" in seen[0]
    finally:
        await strict.close()
        await exempt.close()
        server.close()


async def test_what_a_name_resolves_to_is_judged() -> None:
    """The name alone is harmless to the resolver; its address is not."""
    resolver = _Resolver(Guard())
    with pytest.raises(NotAllowed):
        await resolver.resolve("localhost", 443)
    await resolver.close()


async def test_nobody_there_and_nobody_answering() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"not http\r\n\r\n")
        writer.close()

    servers = [await asyncio.start_server(one, "127.0.0.1", 0) for one in (silent, garbage)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    caller = Caller(Guard(["127.0.0.0/8"]), Ports(), seconds=0.5)
    try:
        assert await _reason(caller, f"http://127.0.0.1:{ports[0]}/") == "timeout"
        assert await _reason(caller, f"http://127.0.0.1:{ports[1]}/") in ("protocol", "connect")
        servers[0].close()
        await servers[0].wait_closed()
        assert await _reason(caller, f"http://127.0.0.1:{ports[0]}/") == "connect"
    finally:
        await caller.close()
        for server in servers:
            server.close()


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n")
        writer.close()

    servers = [await asyncio.start_server(one, "127.0.0.1", 0) for one in (proxy, target)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{ports[0]}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    caller = Caller(Guard(["127.0.0.0/8"]), Ports(), seconds=5)
    try:
        assert await caller.post(f"http://127.0.0.1:{ports[1]}/", b"{}", {}) == 204
        assert asked == []
    finally:
        await caller.close()
        for server in servers:
            server.close()


async def test_fetching_ends_however_long_the_answer_or_the_way() -> None:
    asked: list[bytes] = []

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        if b"round" in asked[-1]:
            writer.write(b"HTTP/1.1 302 X\r\nLocation: /round/%d\r\nContent-Length: 0\r\n\r\n" % len(asked))
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 10_000)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fetcher = Fetcher(Guard(["127.0.0.0/8"]), Ports(), seconds=20)
    try:
        page = await fetcher.get(f"{url}/page", {}, most=50_000)
        assert (len(page.body), page.whole) == (50_000, False)
        asked.clear()
        with pytest.raises(PortFailure) as failed:
            await fetcher.get(f"{url}/round", {}, most=50_000)
        assert (failed.value.reason, len(asked)) == ("protocol", REDIRECTS + 1)
    finally:
        await fetcher.close()
        server.close()
