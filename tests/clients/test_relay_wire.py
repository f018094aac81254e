"""The relay below HTTP clients: what streams, what hangs, what is smuggled, and what that does to the payment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Purse, chain_settings, purse
from tests.clients.raw_target import Asked, RawTarget, plain, raw_target, until, wire
from tests.durability.books import Books
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\n" + CHUNKED + b"\r\n"


@dataclass
class World:
    server: Server
    chain: Anvil
    target: RawTarget
    provider: Purse
    consumer: Purse
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def paid(self, **change: Any) -> tuple[str, str]:
        """A new listing of the target, and a payment for it."""
        listing = await self.provider.list_api(f"{self.target.url}/w{next(self.numbers)}", **change)
        return listing["id"], await self.chain.pay(self.consumer.account, listing["recipient"], PRICE)

    async def request(self, *lines: str, method: str = "GET", **change: Any) -> tuple[bytes, str]:
        """The bytes of a paid request without its empty line, and its transaction."""
        api, tx_hash = await self.paid(**change)
        return self.head(api, tx_hash, *lines, method=method), tx_hash

    def head(self, api: str, tx_hash: str, *lines: str, method: str = "GET") -> bytes:
        proof = [f"{name}: {value}" for name, value in self.consumer.proof(api, tx_hash).items()]
        start = f"{method} {API}/gateway/{api}/x HTTP/1.1"
        return "\r\n".join([start, "Host: gateway.example", *proof, *lines, ""]).encode()

    async def state(self, tx_hash: str) -> str:
        return str((await self.consumer.get(f"/payments/{tx_hash}")).json()["state"])

    async def call_of(self, tx_hash: str) -> dict[str, Any]:
        calls = (await self.consumer.get("/history?limit=200")).json()["calls"]
        found: dict[str, Any] = next(call for call in calls if call["txHash"] == tx_hash)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("relay-wire")
    async with anvil() as chain, raw_target() as there:
        settings = chain_settings(chain, total_seconds=3, gateway_per_minute=0)
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = await purse(server, chain.accounts[1]).login()
            yield World(server, chain, there, provider, consumer)
            await provider.http.aclose()
            await consumer.http.aclose()
    assert there.failures == []


# -- streams --------------------------------------------------------------------------------------------------


def event(number: int) -> bytes:
    return b"data: %d\n\n" % number


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def test_each_event_passes_before_the_next_is_sent(world: World) -> None:
    """The target sends an event only once the one before has reached the consumer, so that none can be held back."""
    permits: asyncio.Queue[bytes] = asyncio.Queue()

    async def act(asked: Asked) -> None:
        await asked.send(EVENTS)
        while data := await permits.get():
            await asked.send(chunk(data))
        await asked.send(b"0\r\n\r\n")

    world.target.act = act
    request, tx_hash = await world.request()
    async with wire(world.server) as consumer:
        permits.put_nowait(event(0))
        await consumer.send(request + b"\r\n")
        head = (await consumer.head()).lower()
        assert b"x-accel-buffering: no" in head and b"x-payment-status: consumed" in head
        assert await world.state(tx_hash) == "consumed"
        for number in range(5):
            assert await consumer.chunk() == event(number)
            permits.put_nowait(event(number + 1) if number < 4 else b"")
        assert await consumer.chunk() == b""

    async def ended() -> bool:
        return (await world.call_of(tx_hash))["status"] == "success"

    await until(ended)


@pytest.mark.parametrize("leave", ["close", "reset"])
async def test_a_consumer_who_leaves_a_stream_ends_it_at_the_target(world: World, leave: str) -> None:
    gone = asyncio.Event()

    async def act(asked: Asked) -> None:
        await asked.send(EVENTS + chunk(event(1)))
        await asked.hung_up()
        gone.set()

    world.target.act = act
    request, tx_hash = await world.request()
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n")
        await consumer.head()
        assert await consumer.chunk() == event(1)
        getattr(consumer, leave)()
        async with asyncio.timeout(30):
            await gone.wait()

    async def aborted() -> bool:
        return (await world.call_of(tx_hash))["status"] == "aborted"

    await until(aborted)
    assert await world.state(tx_hash) == "consumed"


async def test_a_stream_that_breaks_off_breaks_off(world: World) -> None:
    """No end is made up for what the target did not end."""

    async def act(asked: Asked) -> None:
        await asked.send(EVENTS + chunk(event(1)))
        asked.writer.close()

    world.target.act = act
    request, tx_hash = await world.request()
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n")
        await consumer.head()
        assert await consumer.chunk() == event(1)
        assert await consumer.rest() == b""

    async def aborted() -> bool:
        return (await world.call_of(tx_hash))["status"] == "aborted"

    await until(aborted)


# -- targets that take their time -----------------------------------------------------------------------------


async def dripping_head(asked: Asked) -> None:
    await asked.send(OK)
    while not asked.reader.at_eof():
        await asked.send(b"X-Drop: 1\r\n")
        await asyncio.sleep(0.1)


async def dripping_body(asked: Asked) -> None:
    await asked.send(OK + b"Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\n")
    while not asked.reader.at_eof():
        await asked.send(b".")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(("act", "phase"), [(dripping_head, "first_byte"), (dripping_body, "total")])
async def test_a_target_that_drips(world: World, act: Any, phase: str) -> None:
    world.target.act = act
    api, tx_hash = await world.paid(timeoutSeconds=1)
    refused = (await world.consumer.call(api, "/x", tx_hash)).json()
    assert (refused["error"], refused["details"]["phase"]) == ("GATEWAY_TIMEOUT", phase), refused
    assert await world.state(tx_hash) == "released"
    await world.target.asked[-1].hung_up()
    world.target.act = plain
    assert (await world.consumer.call(api, "/x", tx_hash)).status_code == 200


# -- what surrounds an answer ---------------------------------------------------------------------------------


async def test_trailers_say_nothing(world: World) -> None:
    """What stands behind the body must not become a header: the head was judged without it."""

    async def act(asked: Asked) -> None:
        trailers = b"X-Late: 1\r\nSet-Cookie: a=1\r\nPAYMENT-REQUIRED: e30=\r\nContent-Type: text/html\r\n"
        body = chunk(b"ok") + b"0\r\n" + trailers + b"\r\n"
        await asked.send(OK + b"Content-Type: text/plain\r\nTrailer: X-Late\r\n" + CHUNKED + b"\r\n" + body)

    world.target.act = act
    api, tx_hash = await world.paid()
    served = await world.consumer.call(api, "/x", tx_hash)
    assert (served.status_code, served.content, served.headers["content-type"]) == (200, b"ok", "text/plain")
    assert not {"x-late", "set-cookie", "payment-required", "trailer"} & set(served.headers)


@pytest.mark.parametrize("what", ["trailers", "a trailer", "a chunk extension"])
async def test_what_is_neither_head_nor_body_has_a_bound(world: World, what: str) -> None:
    begin = {"trailers": b"0\r\n", "a trailer": b"0\r\nX: ", "a chunk extension": b"2;x="}[what]
    more = {"trailers": b"X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 100}.get(what, b"y" * 4_000)

    async def act(asked: Asked) -> None:
        await asked.send(OK + b"Content-Type: text/plain\r\n" + CHUNKED + b"\r\n" + chunk(b"ok") + begin)
        while not asked.writer.is_closing() and not asked.reader.at_eof():
            await asked.send(more)

    world.target.act = act
    api, tx_hash = await world.paid()
    refused = (await world.consumer.call(api, "/x", tx_hash)).json()
    assert (refused["error"], refused["details"]["reason"]) == ("INVALID_GATEWAY_RESPONSE", "protocol"), (
        refused
    )
    assert await world.state(tx_hash) == "released"


async def test_interim_answers_of_every_kind(world: World) -> None:
    async def act(asked: Asked) -> None:
        for status in (100, 102, 103, 199):
            await asked.send(b"HTTP/1.1 %d X\r\nX-Interim: 1\r\n\r\n" % status)
        await plain(asked)

    world.target.act = act
    api, tx_hash = await world.paid()
    served = await world.consumer.call(api, "/x", tx_hash)
    assert (served.status_code, served.content) == (200, b"ok")
    assert "x-interim" not in served.headers


async def test_interim_answers_without_end(world: World) -> None:
    async def act(asked: Asked) -> None:
        while not asked.writer.is_closing() and not asked.reader.at_eof():
            await asked.send(b"HTTP/1.1 102 X\r\nX-Interim: 1\r\n\r\n" * 100)

    world.target.act = act
    api, tx_hash = await world.paid()
    refused = (await world.consumer.call(api, "/x", tx_hash)).json()
    assert (refused["error"], refused["details"]["reason"]) == ("INVALID_GATEWAY_RESPONSE", "protocol"), (
        refused
    )


async def test_head_has_the_length_and_no_body(world: World) -> None:
    async def act(asked: Asked) -> None:
        assert asked.lines[0].startswith(b"HEAD ")
        await asked.send(OK + b"Content-Type: text/plain\r\nContent-Length: 12345\r\n\r\n")

    world.target.act = act
    request, _ = await world.request(method="HEAD")
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n")
        head = (await consumer.head()).lower()
        assert head.startswith(b"http/1.1 200") and b"\r\ncontent-length: 12345\r\n" in head
        # The connection is good for the next request: nothing came behind the head.
        await consumer.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await consumer.answer())[0] == 200


async def test_long_and_repeated_headers_pass_as_they_are(world: World) -> None:
    long = b"y" * 40_000

    async def act(asked: Asked) -> None:
        assert asked.values(b"x-own") == [b"1, 2", b"3"]
        await asked.send(
            OK + b"X-Long: " + long + b"\r\nX-Two: a, b\r\nX-Two: c\r\nContent-Length: 2\r\n\r\nok"
        )

    world.target.act = act
    request, _ = await world.request("X-Own: 1, 2", "X-Own: 3")
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n")
        head = await consumer.head()
    assert long in head
    assert [line for line in head.split(b"\r\n") if line.startswith(b"x-two")] == [
        b"x-two: a, b",
        b"x-two: c",
    ]


# -- requests -------------------------------------------------------------------------------------------------


async def test_a_body_is_asked_for_before_it_is_sent(world: World) -> None:
    async def act(asked: Asked) -> None:
        assert asked.body == b"hello"
        assert not asked.values(b"expect") and asked.values(b"content-length") == [b"5"]
        await plain(asked)

    world.target.act = act
    request, _ = await world.request("Content-Length: 5", "Expect: 100-continue", method="POST")
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n")
        assert (await consumer.head()).startswith(b"HTTP/1.1 100 ")
        await consumer.send(b"hello")
        assert (await consumer.answer())[0] == 200


async def test_a_refused_call_does_not_ask_for_its_body(world: World) -> None:
    api, _ = await world.paid()
    lines = (
        f"POST {API}/gateway/{api}/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    async with wire(world.server) as consumer:
        await consumer.send(lines.encode())
        assert (await consumer.answer())[0] == 401


async def test_chunks_go_on_with_a_length(world: World) -> None:
    world.target.act = plain
    request, _ = await world.request("Transfer-Encoding: chunked", method="POST")
    async with wire(world.server) as consumer:
        await consumer.send(request + b"\r\n" + chunk(b"hel") + chunk(b"lo") + b"0\r\nX-Late: 1\r\n\r\n")
        assert (await consumer.answer())[0] == 200
    asked = world.target.asked[-1]
    assert (asked.body, asked.values(b"content-length")) == (b"hello", [b"5"])
    assert not asked.values(b"transfer-encoding") and not asked.values(b"x-late")


SMUGGLING: dict[str, list[str]] = {
    "a length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked"],
    "chunks and a length": ["Transfer-Encoding: chunked", "Content-Length: 5"],
    "two lengths": ["Content-Length: 5", "Content-Length: 6"],
    "a list of lengths": ["Content-Length: 5, 6"],
    "a signed length": ["Content-Length: +5"],
    "a folded coding": ["Transfer-Encoding:", " chunked", "Content-Length: 5"],
    "an unknown coding": ["Transfer-Encoding: xchunked"],
    "two codings": ["Transfer-Encoding: chunked, identity"],
    "a space before the colon": ["Transfer-Encoding : chunked"],
    "a bare line feed": ["X: 1\nTransfer-Encoding: chunked"],
    "a nul": ["X: a\x00b"],
}


@pytest.mark.parametrize("name", SMUGGLING)
async def test_nothing_is_smuggled_past_the_gateway(world: World, name: str) -> None:
    """Whatever a second reader could read as a second request never reaches the target, and nothing is charged."""
    world.target.act = plain
    api, tx_hash = await world.paid()
    before = len(world.target.asked)
    inner = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\nX-Call-Id: 1\r\n\r\n"
    async with wire(world.server) as consumer:
        await consumer.send(world.head(api, tx_hash, *SMUGGLING[name], method="POST") + b"\r\n" + inner)
        told = await consumer.rest()
    assert told.startswith(b"HTTP/1.1 400 "), told[:200]
    assert told.count(b"HTTP/1.1 ") == 1
    assert len(world.target.asked) == before
    assert await world.state(tx_hash) == "available"


# -- connections ----------------------------------------------------------------------------------------------


async def test_a_connection_serves_again_until_something_went_wrong(world: World) -> None:
    api, _ = await world.paid()

    async def call(act: Any, method: str = "GET") -> int:
        world.target.act = act
        tx_hash = await world.chain.pay(world.consumer.account, world.provider.address, PRICE)
        await world.consumer.call(api, "/x", tx_hash, method=method)
        return world.target.asked[-1].connection

    async def too_much(asked: Asked) -> None:
        await asked.send(OK + b"Content-Length: 2\r\n\r\nok" + b"HTTP/1.1 200 OK\r\n")

    async def last(asked: Asked) -> None:
        await asked.send(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok")

    async def broken(asked: Asked) -> None:
        await asked.send(OK + b"Content-Length: x\r\n\r\nok")

    async def error(asked: Asked) -> None:
        await asked.send(b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\nno")

    first = await call(plain)
    assert await call(plain) == first
    assert await call(error) == first
    assert await call(too_much) == first
    for act in (last, broken, plain):
        second = await call(act)
        assert second != first
        first = second
    assert await call(plain) == first


async def test_what_the_ledger_knows_comes_before_who_signed(world: World) -> None:
    """Also when the chain's facts are at hand and the ledger is asked last."""
    world.target.act = plain
    api, tx_hash = await world.paid()
    assert (await world.consumer.call(api, "/x", tx_hash)).status_code == 200
    for who in (world.consumer, world.provider):
        refused = (await who.call(api, "/x", tx_hash)).json()
        assert refused["details"]["reason"] == "payment_already_used", refused
    _, other = await world.paid()
    assert (await world.consumer.get(f"/payments/{other}")).json()["state"] == "available"
    assert (await world.provider.call(api, "/x", other)).json()["details"]["reason"] == "signer_mismatch"


async def test_the_books_add_up_after_all_that(world: World) -> None:
    (await Books.of(world.server)).check()
