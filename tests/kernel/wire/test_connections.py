"""Connections as clients use and misuse them: one answer a request, in order, and none left hanging."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.kernel.wire import small

from flux.kernel.wire import Call, Raw, Reply, Routes, Socket, Stream
from flux.kernel.wire import protocol as wire_protocol
from flux.kernel.wire.protocol import LimitedProtocol

GET = b"GET /small/things/%d HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


class Peer:
    """One connection by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *pieces: bytes, pause: float = 0.05) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)

    async def rest(self, seconds: float = 5.0) -> bytes:
        """Until the server closes."""
        return await asyncio.wait_for(self.reader.read(), seconds)

    async def answer(
        self, seconds: float = 5.0, *, head_only: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), seconds)
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        body = b"" if head_only else await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(lines[0].split()[1]), headers, body


@asynccontextmanager
async def connected(origin: str) -> AsyncIterator[Peer]:
    parts = urlsplit(origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def serving(*extra: Routes, **options: Any) -> AsyncIterator[str]:
    plane = small.build(routes=Routes.joined([small.routes, *extra]))
    application = small.Application([plane, small.build_root()], ports=small.Ports(), **options)
    async with small.serving(application) as origin:
        yield origin


def statuses(answers: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", answers)]


async def until(true: Callable[[], bool], seconds: float = 3.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


# -- pipelining -------------------------------------------------------------------------------------------------


async def test_pipelined_requests_are_answered_in_order(origin: str) -> None:
    async with connected(origin) as peer:
        await peer.say(b"".join(GET % number for number in range(50)))
        for number in range(50):
            status, _, body = await peer.answer()
            assert (status, json.loads(body)) == (200, {"id": str(number)})


async def test_many_small_heads_in_one_piece_are_not_one_large_head(origin: str) -> None:
    """The limit of this server is 5 KiB a head; 100 requests of 60 bytes and the first half of another are more."""
    async with connected(origin) as peer:
        whole = b"".join(GET % number for number in range(100))
        await peer.say(whole + b"GET /small/things/100 HTTP/1.1\r\nHo", b"st: x\r\n\r\n")
        answers = [await peer.answer() for _ in range(101)]
        assert {status for status, _, _ in answers} == {200}


async def test_a_head_behind_the_end_of_a_body_is_measured_alone(origin: str) -> None:
    body = json.dumps(["x" * 9000]).encode()
    head = b"POST /small/echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with connected(origin) as peer:
        await peer.say(head + body[:10], body[10:] + b"GET /small/things/1 HT", b"TP/1.1\r\nHost: x\r\n\r\n")
        assert [(await peer.answer())[0] for _ in range(2)] == [200, 200]


async def test_garbage_behind_a_request_does_not_overtake_its_answer() -> None:
    routes, release = Routes(), asyncio.Event()

    @routes.get("/waits")
    async def waits(call: Call) -> Reply:
        await release.wait()
        return Reply({"mine": True}, 203)

    async with serving(routes) as origin, connected(origin) as peer:
        await peer.say(b"GET /small/waits HTTP/1.1\r\nHost: x\r\n\r\n", b"garbage\r\n\r\n")
        release.set()
        assert statuses(await peer.rest()) == [203]


async def test_a_broken_body_is_refused_once() -> None:
    routes = Routes()
    seen: list[str] = []

    @routes.post("/reads")
    async def reads(call: Call) -> Reply:
        try:
            await call.body()
        finally:
            seen.append("done")
        return Reply({})

    async with serving(routes) as origin, connected(origin) as peer:
        head = b"POST /small/reads HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        await peer.say(head, b"5\r\nhello\r\n", b"nonsense\r\n")
        assert statuses(await peer.rest()) == [400]
        await until(lambda: seen == ["done"])


async def test_too_many_pipelined_requests_end_the_connection_after_their_answers(origin: str) -> None:
    async with connected(origin) as peer:
        await peer.say(b"".join(GET % number for number in range(1000)))
        found = statuses(await peer.rest())
    assert set(found) == {200}
    assert wire_protocol.MOST_PIPELINED <= len(found) < 1000


async def test_whoever_leaves_is_known_to_every_request_it_made() -> None:
    routes = Routes()
    left: list[int] = []

    @routes.get("/stays/{number}")
    async def stays(call: Call, number: int) -> None:
        await asyncio.sleep(0.3)
        await call.gone()
        left.append(number)

    async with serving(routes) as origin, connected(origin) as peer:
        await peer.say(*(b"GET /small/stays/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in (1, 2)))
        peer.writer.close()
        await until(lambda: 1 in left)


# -- what is left of a body -------------------------------------------------------------------------------------


async def test_the_rest_of_an_unwanted_body_may_still_come(origin: str) -> None:
    async with connected(origin) as peer:
        await peer.say(b"POST /small/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert (await peer.answer())[0] == 404
        await peer.say(b"0123456789", GET % 1)
        assert (await peer.answer())[0] == 200


async def test_a_body_that_never_comes_does_not_keep_the_connection(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_protocol, "LEFTOVER_SECONDS", 0.4)
    async with connected(origin) as peer:
        await peer.say(b"POST /small/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert (await peer.answer())[0] == 404
        await peer.say(b"0", b"1")
        assert await peer.rest(2.0) == b""


async def test_an_idle_connection_that_sends_line_ends_is_still_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as origin:
        made = LimitedProtocol.connection_made

        def short(self: LimitedProtocol, transport: asyncio.Transport) -> None:
            made(self, transport)
            self.timeout_keep_alive = 1

        monkeypatch.setattr(LimitedProtocol, "connection_made", short)
        async with connected(origin) as idle:
            await idle.say(GET % 1)
            assert (await idle.answer())[0] == 200
            await idle.say(b"\r\n")
            assert await idle.rest(3.0) == b""


async def test_a_refusal_survives_what_the_client_is_still_sending(origin: str) -> None:
    flood = b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 8_000_000
    async with connected(origin) as peer:
        peer.writer.write(flood)
        assert (await peer.answer())[0] == 431


async def test_a_closing_client_hears_the_refusal_of_its_body(origin: str) -> None:
    head = b"POST /small/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n"
    async with connected(origin) as peer:
        peer.writer.write(head + b"x" * 2_000_000)
        status, headers, _ = await peer.answer()
        assert (status, headers["connection"]) == (413, "close")


# -- one protocol after another -----------------------------------------------------------------------------------


async def test_http_1_0_is_answered_and_closed(origin: str) -> None:
    async with connected(origin) as peer:
        await peer.say(b"GET /small/stream HTTP/1.0\r\n\r\n")
        head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head.lower()
        assert body == b"012"


async def test_connection_close_is_honoured(origin: str) -> None:
    async with connected(origin) as peer:
        await peer.say((GET % 1)[:-2] + b"Connection: close\r\n\r\n" + GET % 2)
        assert statuses(await peer.rest()) == [200]


async def test_a_body_is_asked_for_only_when_it_is_wanted(origin: str) -> None:
    head = b"Host: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    async with connected(origin) as peer:
        await peer.say(b"POST /small/echo HTTP/1.1\r\n" + head % 2)
        assert await peer.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.say(b"[]")
        assert (await peer.answer())[2] == b"[]"
        await peer.say(b"POST /small/things HTTP/1.1\r\n" + head % 100_000)
        assert (await peer.answer())[0] == 413


CHUNKED = (
    b"POST /small/seen HTTP/1.1\r\nHost: x\r\nX-Early: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"
)


def seen() -> Routes:
    routes = Routes(tag="seen")

    @routes.post("/seen")
    async def names(call: Call) -> list[str]:
        await call.body()
        return sorted(name.decode() for name, _ in call.scope["headers"])

    return routes


@pytest.mark.parametrize("pause", [0.0, 0.05])
async def test_a_trailer_is_no_header(pause: float) -> None:
    """Whoever stands in front and judges heads has not seen it."""
    trailers = (b"0\r\nX-Forwarded-For: 1.2.3.4\r\n", b"X-Late: 1\r\n\r\n")
    async with serving(seen()) as origin, connected(origin) as peer:
        pieces = (CHUNKED, *trailers) if pause else (CHUNKED + b"".join(trailers),)
        await peer.say(*pieces, pause=pause)
        status, _, body = await peer.answer()
        assert (status, json.loads(body)) == (200, ["host", "transfer-encoding", "x-early"])
        await peer.say(GET % 1)
        assert (await peer.answer())[0] == 200


@pytest.mark.parametrize("begin", [b"0\r\nX: ", b"0\r\n", b"2;x="])
async def test_what_is_neither_head_nor_body_has_a_bound(begin: bytes) -> None:
    more = b"X-Filler: y\r\n" * 300 if begin == b"0\r\n" else b"y" * 4_000
    async with serving(seen()) as origin, connected(origin) as peer:
        await peer.say(CHUNKED + begin)
        answer = asyncio.ensure_future(peer.answer(30.0))
        sent = 0
        while not answer.done() and sent < 4_000_000:
            peer.writer.write(more)
            await peer.writer.drain()
            sent += len(more)
            await asyncio.sleep(0)
        assert sent < 4_000_000
        assert (await answer)[0] == 400


@pytest.mark.parametrize("path", ["nowhere", "broken", "things?limit=x", "things/1"])
async def test_head_is_answered_without_a_body(origin: str, path: str) -> None:
    async with connected(origin) as peer:
        await peer.say(b"HEAD /small/%s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        _, headers, _ = await peer.answer(head_only=True)
        assert int(headers["content-length"]) > 0
        assert headers["x-request-id"]
        await peer.say((GET % 7)[:-2] + b"Connection: close\r\n\r\n")
        rest = await peer.rest()
        assert rest.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n", 431),
        (b"GET /small/" + b"a" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"nonsense\r\n\r\n", 400),
        (b"CONNECT example.test:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ],
)
async def test_a_refused_head_ends_the_connection(origin: str, head: bytes, status: int) -> None:
    async with connected(origin) as peer:
        await peer.say(head)
        found, headers, body = await peer.answer()
        assert (found in (status, 400), headers["connection"]) == (True, "close")
        assert headers["x-request-id"]
        assert set(json.loads(body)) == {"code", "message", "detail"}
        assert await peer.rest(1.0) == b""


async def test_an_upgrade_to_something_else_is_an_ordinary_request(origin: str) -> None:
    head = (GET % 3)[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    async with connected(origin) as peer:
        await peer.say(head)
        assert (await peer.answer())[0] == 200


# -- WebSocket ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        UPGRADE,
        UPGRADE + b"Sec-WebSocket-Key: short\r\n",
        UPGRADE.replace(b"13", b"8") + KEY,
        UPGRADE + KEY + KEY,
    ],
)
async def test_a_handshake_that_cannot_succeed_is_refused_in_the_envelope(
    origin: str, headers: bytes
) -> None:
    async with connected(origin) as peer:
        await peer.say(b"GET /small/socket HTTP/1.1\r\n" + headers + b"\r\n")
        status, found, body = await peer.answer()
        assert 400 <= status < 500
        assert found["content-type"] == "application/json"
        assert set(json.loads(body)) == {"code", "message", "detail"}


@pytest.mark.parametrize("size", [3_900, 8_300, 20_000])
async def test_a_handshake_with_a_long_header_is_served_or_refused(origin: str, size: int) -> None:
    async with connected(origin) as peer:
        cookie = b"Cookie: " + b"c" * size + b"\r\n"
        await peer.say(b"GET /small/socket HTTP/1.1\r\n" + UPGRADE + KEY + cookie + b"\r\n")
        assert (await peer.answer(head_only=True))[0] == (101 if size < 4096 else 431)


async def test_a_refused_socket_gets_the_whole_answer() -> None:
    async with serving(sandbox=True) as origin, connected(origin) as peer:
        await peer.say(b"GET /small/socket HTTP/1.1\r\n" + UPGRADE + KEY + b"X-Flux-Simulate: TEAPOT\r\n\r\n")
        status, headers, body = await peer.answer()
        assert (status, json.loads(body)["code"]) == (418, "TEAPOT")
        assert (headers["content-type"], headers["x-kettle"]) == ("application/json", "a teapot")
        assert headers["x-request-id"]


async def test_a_socket_that_is_gone_before_it_is_accepted_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    routes = Routes()
    ended: list[bool] = []

    @routes.socket("/late")
    async def late(call: Call, socket: Socket) -> None:
        await asyncio.sleep(0.3)
        try:
            await socket.accept()
        finally:
            ended.append(True)

    async with serving(routes) as origin:
        async with connected(origin) as peer:
            await peer.say(b"GET /small/late HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n")
        await until(lambda: bool(ended))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# -- answers --------------------------------------------------------------------------------------------------


async def test_no_header_value_can_break_an_answer() -> None:
    routes = Routes()

    @routes.get("/odd")
    async def odd(call: Call) -> Raw:
        call.reply_headers["X-Odd"] = "a\r\nInjected: yes\x00\x7f\u2028"
        return Raw(b"ok", "text/plain\r\nInjected: yes", headers={"X-More": "b\x01\x0b"})

    async with serving(routes) as origin, httpx.AsyncClient(base_url=origin) as http:
        answer = await http.get("/small/odd")
        assert (answer.status_code, answer.text) == (200, "ok")
        assert "injected" not in answer.headers


async def test_a_stream_ends_when_its_reader_is_gone() -> None:
    routes = Routes()
    closed: list[bool] = []

    @routes.get("/endless")
    async def endless(call: Call) -> Stream:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 1000
                    await asyncio.sleep(0.01)
            finally:
                closed.append(True)

        return Stream(chunks())

    async with serving(routes) as origin:
        async with connected(origin) as peer:
            await peer.say(b"GET /small/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: bool(closed))


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_has_no_body_by_its_status_has_none(status: int) -> None:
    routes = Routes()

    @routes.get("/streamed")
    async def streamed(call: Call) -> Stream:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"body"

        return Stream(chunks(), status=status, raw_headers=[(b"content-length", b"4")])

    @routes.get("/replied")
    async def replied(call: Call) -> Reply:
        return Reply({"a": 1}, status)

    async with serving(routes) as origin, connected(origin) as peer:
        for path in (b"streamed", b"replied"):
            await peer.say(b"GET /small/%s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            assert (await peer.answer())[0] == status


async def test_work_cancelled_from_within_is_an_internal_error_in_the_envelope() -> None:
    routes = Routes()

    @routes.get("/cancelled")
    async def cancelled(call: Call) -> None:
        task = asyncio.create_task(asyncio.sleep(10))
        asyncio.get_running_loop().call_soon(task.cancel)
        await task

    async with serving(routes) as origin, httpx.AsyncClient(base_url=origin) as http:
        answer = await http.get("/small/cancelled")
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")


async def test_five_hundred_connections_at_once(origin: str) -> None:
    everyone = asyncio.Barrier(500)

    async def one(number: int) -> str:
        async with connected(origin) as peer:
            peer.writer.write(GET % number)
            found = json.loads((await peer.answer(20.0))[2])["id"]
            async with asyncio.timeout(20):
                await everyone.wait()
            peer.writer.write(GET % number)
            assert json.loads((await peer.answer(20.0))[2])["id"] == found
            return str(found)

    answers = await asyncio.gather(*(one(number) for number in range(500)))
    assert answers == [str(number) for number in range(500)]
