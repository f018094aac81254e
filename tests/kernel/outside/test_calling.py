"""Calls to addresses that others chose never reach a neighbour, whatever its name resolves to."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

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


class Turning:
    """Who is asked for a name: each answer in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = answers
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[dict[str, Any]]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            {"hostname": host, "host": each, "port": port, "family": 2, "proto": 0, "flags": 0}
            for each in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_name_that_turns_to_us_is_judged_anew_for_each_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rebinding: the connection goes where the answer said that was judged, and nobody asks a second time."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(f"{writer.get_extra_info('sockname')[0]} {head.split()[1].decode()}")
        away = b"/away" in head
        status = b"302 X\r\nLocation: /here" if away else b"200 X\r\nContent-Type: text/html"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    good, bad = "127.0.0.2", "127.0.0.1"
    try:
        for answers, path, met in (
            ([[good], [bad]], "/once", [f"{good} /once"]),
            ([[good], [bad]], "/away", [f"{good} /away"]),
            ([[good, bad]], "/both", []),
            ([[bad, good]], "/both", []),
            ([["169.254.169.254"]], "/metadata", []),
            ([["10.0.0.1"]], "/private", []),
        ):
            names = Turning(*answers)
            monkeypatch.setattr("aiohttp.ThreadedResolver", lambda names=names: names)
            fetcher = Fetcher(Guard([f"{good}/32"]), Ports(), seconds=5)
            asked.clear()
            try:
                await fetcher.get(f"http://rebind.test:{port}{path}", {}, most=100)
                assert path == "/once"
            except PortFailure as failure:
                assert (failure.reason, path != "/once") == ("address_not_allowed", True), path
            finally:
                await fetcher.close()
            assert asked == met
            assert names.asked == (2 if path == "/away" else 1)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("encoding", "sent", "body"),
    [
        ("identity", b"plain", b"plain"),
        ("gzip", gzip.compress(b"packed"), b"packed"),
        ("GZIP", gzip.compress(b"packed"), b"packed"),
        ("deflate", zlib.compress(b"packed"), b"packed"),
        ("gzip", gzip.compress(b"\0" * 50_000_000), b"\0" * 9),
        ("gzip", gzip.compress(b"cut short")[:-12], b"cut short"[:-4]),
        ("gzip", b"no gzip", None),
        ("br", b"x", None),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x")), None),
    ],
    ids=["plain", "gzip", "capitals", "deflate", "bomb", "cut", "lie", "unknown", "twice"],
)
async def test_a_page_that_is_packed_is_unpacked_and_no_further_than_wanted(
    encoding: str, sent: bytes, body: bytes | None
) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        head = f"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Encoding: {encoding}\r\n"
        writer.write(head.encode() + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(sent) + sent)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    fetcher = Fetcher(Guard(["127.0.0.0/8"]), Ports(), seconds=20)
    try:
        if body is None:
            with pytest.raises(PortFailure) as failed:
                await fetcher.get(url, {}, most=9)
            assert failed.value.reason == "protocol"
        else:
            assert (await fetcher.get(url, {}, most=9)).body[: len(body)] == body
        assert b"accept-encoding: identity\r\n" in heads[0].lower()
        assert heads[0].lower().count(b"accept-encoding") == 1
    finally:
        await fetcher.close()
        server.close()
