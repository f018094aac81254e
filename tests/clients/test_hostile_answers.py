"""A target that answers well-formed harm: demands for other payments, headers that are not its own, redirects inwards,
bombs, and answers that never end."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Market, chain_settings, purse, target
from tests.durability.books import Books
from tests.harness.anvil import anvil
from tests.harness.server import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
Write = Callable[[asyncio.StreamWriter], Any]
DEMAND = b'{"x402Version":1,"accepts":[{"payTo":"0x1"}]}'
OK = b"HTTP/1.1 200 OK\r\n"
STREAM_BYTES = 3_000_000
BOMB_BYTES = 400_000_000
MORE_MEMORY = 60_000_000


@dataclass
class Hostile:
    """Writes what `act` writes, and hangs up."""

    act: Write = field(default=lambda _: None)
    port: int = 0
    asked: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"HEAD"):
                writer.write(OK + b"\r\n")
            else:
                self.asked.append(head)
                await self.act(writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass(kw_only=True)
class World(Market):
    hostile: Hostile

    async def called(self, act: Write, **change: Any) -> tuple[httpx.Response, str, str]:
        """The answer, the listing and the payment."""
        self.hostile.act = act
        url = f"http://127.0.0.1:{self.hostile.port}/h{next(self.numbers)}"
        listing = await self.provider.list_api(url, **change)
        tx_hash = await self.chain.pay(self.consumer.account, listing["recipient"], PRICE)
        return await self.consumer.call(listing["id"], "/a", tx_hash), listing["id"], tx_hash

    def memory(self) -> int:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text("ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    hostile = Hostile()
    listening = await asyncio.start_server(hostile.serve, "127.0.0.1", 0)
    hostile.port = listening.sockets[0].getsockname()[1]
    async with anvil() as chain, target() as there:
        settings = chain_settings(
            chain, total_seconds="2", stream_total_seconds="3", stream_bytes=str(STREAM_BYTES)
        )
        async with serve(tmp_path_factory.mktemp("answers"), settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            yield World(server, chain, there, provider, consumer, hostile=hostile)
            await provider.http.aclose()
            await consumer.http.aclose()
    listening.close()


def sending(*pieces: bytes, pause: float = 0.0) -> Write:
    async def act(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return act


def whole(status: str, headers: str, body: bytes) -> Write:
    return sending(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode(), body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
DEMANDS: dict[str, Write] = {
    "as JSON": whole("402 X", "Content-Type: application/json\r\n", DEMAND),
    "as text": whole("402 X", "Content-Type: text/plain\r\n", DEMAND),
    "of no type": whole("402 X", "", DEMAND),
    "in UTF-16": whole("402 X", "", DEMAND.decode().encode("utf-16")),
    "behind a mark": whole("402 X", "", b"\xef\xbb\xbf" + DEMAND),
    "compressed": whole("402 X", "Content-Encoding: gzip\r\n", gzip.compress(DEMAND)),
    "in a header": whole("402 X", "PAYMENT-REQUIRED: e30=\r\n", b""),
    "in a header, paid for": whole("200 OK", "Payment-Required: e30=\r\n", b"{}"),
    "nested deeper than we look": whole("402 X", "", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "as events": sending(
        b"HTTP/1.1 402 X\r\nContent-Type: text/event-stream\r\n" + CHUNKED, chunk(DEMAND), chunk(b"")
    ),
    "behind a megabyte": sending(
        b"HTTP/1.1 402 X\r\n" + CHUNKED, chunk(b" " * 1_200_000), chunk(DEMAND), chunk(b"")
    ),
}


@pytest.mark.parametrize("name", DEMANDS)
async def test_a_demand_for_another_payment(world: World, name: str) -> None:
    refused, _, _ = await world.called(DEMANDS[name])
    told = refused.json()
    assert (told["error"], told["details"]["reason"]) == (
        "INVALID_GATEWAY_RESPONSE",
        "upstream_payment_required",
    )
    assert told["details"]["paymentStatus"] == "released"
    assert "payment-required" not in refused.headers


async def test_a_402_that_demands_nothing_passes(world: World) -> None:
    passed, _, _ = await world.called(
        whole("402 X", "Content-Type: text/html\r\n", b"<p>Your plan is over</p>")
    )
    assert (passed.status_code, passed.content) == (402, b"<p>Your plan is over</p>")
    assert "x-gateway-error" not in passed.headers


async def test_headers_that_are_not_the_targets_to_send(world: World) -> None:
    forged = {
        "X-Payment-Status": "released", "X-Payment-Remaining": "9", "X-Call-Id": "call_forged", "X-Request-Id": "forged00",
        "X-Gateway-Error": "FAKE", "X-Gateway-Anything": "1", "Access-Control-Allow-Origin": "*", "Set-Cookie": "session=1",
        "Access-Control-Allow-Credentials": "true", "Clear-Site-Data": '"*"', "Strict-Transport-Security": "max-age=1",
        "PAYMENT-RESPONSE": "e30=", "X-PAYMENT-RESPONSE": "e30=", "Idempotent-Replayed": "true", "RateLimit-Limit": "1",
        "X-Accel-Redirect": "/internal", "X-Accel-Buffering": "yes", "X-Sendfile": "/etc/passwd", "Alt-Svc": "h3=\":1\"",
        "X-Lighttpd-Send-File": "/etc/passwd", "Server": "t", "Connection": "X-Own, close", "Proxy-Authenticate": "Basic",
        "Service-Worker-Allowed": "/",
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in forged.items())
    answer, _, _ = await world.called(whole("200 OK", f"{lines}X-Own: 1\r\nX-Other: 2\r\n", b"ok"))
    assert answer.status_code == 200, answer.text
    for name, value in forged.items():
        assert value not in answer.headers.get_list(name), name
    assert (answer.headers["x-payment-status"], answer.headers["x-other"]) == ("consumed", "2")
    assert len(answer.headers.get_list("x-call-id")) == 1
    assert "x-own" not in answer.headers


async def test_trailers_are_not_passed_on(world: World) -> None:
    trailer = b"0\r\nX-Payment-Status: released\r\nX-Gateway-Error: FAKE\r\n\r\n"
    answer, _, _ = await world.called(
        sending(OK + b"Content-Type: text/plain\r\n" + CHUNKED, chunk(b"ok"), trailer)
    )
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert answer.headers["x-payment-status"] == "consumed"
    assert "x-gateway-error" not in answer.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_inwards_are_told_and_not_followed(world: World, status: int) -> None:
    hits = len(world.target.hits)
    place = f"{world.target.url}/secret"
    answer, _, _ = await world.called(whole(f"{status} X", f"Location: {place}\r\n", b""))
    assert (answer.status_code, answer.headers["location"]) == (status, place)
    assert answer.headers["x-payment-status"] == "consumed"
    assert len(world.target.hits) == hits
    assert len(world.hostile.asked) > 0


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
async def test_a_bomb_is_passed_on_unopened(world: World, kind: str) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = (
        b"".join(packer.compress(bytes(1_000_000)) for _ in range(BOMB_BYTES // 1_000_000)) + packer.flush()
    )
    before = world.memory()
    act = whole("200 OK", f"Content-Type: {kind}\r\nContent-Encoding: gzip\r\n", bomb)
    world.hostile.act = act
    url = f"http://127.0.0.1:{world.hostile.port}/h{next(world.numbers)}"
    listing = await world.provider.list_api(url)
    tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
    headers = world.consumer.proof(listing["id"], tx_hash)
    async with world.consumer.http.stream(
        "GET", f"{API}/gateway/{listing['id']}/a", headers=headers
    ) as answer:
        received = b"".join([piece async for piece in answer.aiter_raw()])
    assert received == bomb
    assert world.memory() - before < MORE_MEMORY


async def test_a_head_that_drips(world: World) -> None:
    head = OK + b"X-Long: " + b"x" * 200
    drips = sending(*(bytes([byte]) for byte in head), pause=0.1)
    refused, _, _ = await world.called(drips, timeoutSeconds=1)
    assert (refused.status_code, refused.json()["error"]) == (502, "GATEWAY_TIMEOUT"), refused.text
    assert refused.json()["details"] | {"callId": ""} == {
        "timeoutMs": 1000, "phase": "first_byte", "paymentStatus": "released", "callId": "", "retryable": True,
    }  # fmt: skip


async def test_a_body_that_drips(world: World) -> None:
    head = OK + b"Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
    refused, _, _ = await world.called(sending(head, *[b"x"] * 100, pause=0.1))
    assert (refused.status_code, refused.json()["error"]) == (502, "GATEWAY_TIMEOUT"), refused.text
    assert (refused.json()["details"]["phase"], refused.json()["details"]["timeoutMs"]) == ("total", 2000)


@pytest.mark.parametrize("how", ["drips", "floods"])
async def test_a_stream_without_end_is_ended(world: World, how: str) -> None:
    """By time, or by size; it was paid for when it began."""
    head = OK + b"Content-Type: text/event-stream\r\n" + CHUNKED
    pieces = [chunk(b"data: 1\n\n")] * 400 if how == "drips" else [chunk(b"x" * 100_000)] * 100
    world.hostile.act = sending(head, *pieces, pause=0.05 if how == "drips" else 0.0)
    url = f"http://127.0.0.1:{world.hostile.port}/h{next(world.numbers)}"
    listing = await world.provider.list_api(url)
    tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
    received = 0
    headers = world.consumer.proof(listing["id"], tx_hash)
    with pytest.raises(httpx.RemoteProtocolError):
        async with world.consumer.http.stream(
            "GET", f"{API}/gateway/{listing['id']}/a", headers=headers
        ) as answer:
            assert answer.headers["x-payment-status"] == "consumed"
            async for piece in answer.aiter_raw():
                received += len(piece)
    assert 0 < received <= STREAM_BYTES
    state = (await world.consumer.get(f"/payments/{tx_hash}")).json()
    call = (await world.provider.get(f"/history/{state['callId']}")).json()
    assert (call["status"], call["paymentStatus"]) == ("aborted", "consumed")


async def test_the_books_add_up_after_all_that(world: World) -> None:
    (await Books.of(world.server)).check()
