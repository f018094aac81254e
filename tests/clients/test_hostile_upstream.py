"""A hostile target: answers meant to confuse whoever parses them, exhaust whoever buffers them, or pay the wrong party."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.clients.paygate_world import PRICE, Purse, chain_settings, purse
from tests.durability.books import Books
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
OK = b"HTTP/1.1 200 OK\r\n"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Call-Id: forged\r\n\r\nstolen"
GARBAGE = ("INVALID_GATEWAY_RESPONSE", "protocol")
TRUNCATED = ("INVALID_GATEWAY_RESPONSE", "truncated")
RESET = ("GATEWAY_ERROR", "reset")
ANSWERS: dict[str, tuple[bytes, tuple[str, str]]] = {
    "not http": (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", GARBAGE),
    "http 2": (b"HTTP/2 200 OK\r\n\r\n", GARBAGE),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", GARBAGE),
    "status 999": (b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", GARBAGE),
    "status 099": (b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", GARBAGE),
    "switching": (b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", GARBAGE),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\nokabc", GARBAGE),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\nok", GARBAGE),
    "a length in hex": (OK + b"Content-Length: 0x2\r\n\r\nok", GARBAGE),
    "a length and chunks": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", GARBAGE),
    "a bad chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nok\r\n", GARBAGE),
    "a huge chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok\r\n", GARBAGE),
    "a broken name": (OK + b"Bad Name: 1\r\nContent-Length: 2\r\n\r\nok", GARBAGE),
    "a nul": (OK + b"X-Nul: a\x00b\r\nContent-Length: 2\r\n\r\nok", GARBAGE),
    "a bare line feed": (b"HTTP/1.1 200 OK\r\nX: 1\n\rY: 2\r\n\r\n", GARBAGE),
    "endless head": (OK + b"X: " + b"x" * 200_000, GARBAGE),
    "many headers": (OK + b"X: 123456789012345\r\n" * 5_000 + b"\r\n", GARBAGE),
    "short": (OK + b"Content-Length: 10\r\n\r\nok", TRUNCATED),
    "short chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", TRUNCATED),
    "too long": (OK + b"Content-Length: 99999999999\r\n\r\n", ("INVALID_GATEWAY_RESPONSE", "response_too_large")),
    "interim for ever": (b"HTTP/1.1 103 X\r\n\r\n" * 3, RESET),
    "silence": (b"", RESET),
    "pay me instead": (
        b"HTTP/1.1 402 X\r\nPAYMENT-REQUIRED: e30=\r\nContent-Length: 0\r\n\r\n",
        ("INVALID_GATEWAY_RESPONSE", "upstream_payment_required"),
    ),
}  # fmt: skip


@dataclass
class Hostile:
    """Answers every request with `answer`, and hangs up unless told to keep the connection."""

    port: int = 0
    answer: bytes = b""
    keep: bool = False
    asked: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"HEAD"):
                    writer.write(OK + b"\r\n")
                    break
                self.asked += 1
                writer.write(self.answer)
                await writer.drain()
                if not self.keep:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    made = Hostile()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in list(made.writers):
            writer.close()


@dataclass
class World:
    server: Server
    chain: Anvil
    target: Hostile
    provider: Purse
    consumer: Purse
    numbers: Any = field(default_factory=itertools.count)

    async def paid(self) -> tuple[str, str]:
        """A new listing of the target, and a payment for it."""
        listing = await self.provider.list_api(f"http://127.0.0.1:{self.target.port}/h{next(self.numbers)}")
        return listing["id"], await self.chain.pay(self.consumer.account, listing["recipient"], PRICE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("hostile")
    async with (
        anvil() as chain,
        hostile() as there,
        serve(directory, settings=chain_settings(chain)) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        yield World(server, chain, there, provider, consumer)
        await provider.http.aclose()
        await consumer.http.aclose()


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_none_costs_nothing(world: World, name: str) -> None:
    answer, expected = ANSWERS[name]
    api, tx_hash = await world.paid()
    world.target.answer, world.target.keep = answer, False
    before = world.target.asked
    refused = await world.consumer.call(api, "/a", tx_hash)
    told = refused.json()
    assert (told["error"], told["details"]["reason"]) == expected, told
    assert told["details"]["paymentStatus"] == "released"
    assert world.target.asked == before + 1
    world.target.answer = OK + b"Content-Length: 2\r\n\r\nok"
    served = await world.consumer.call(api, "/a", tx_hash)
    assert (served.status_code, served.content) == (200, b"ok")


async def test_a_second_answer_is_nobodys(world: World) -> None:
    """What follows an answer on a kept connection must not become the answer to the next consumer."""
    world.target.answer, world.target.keep = OK + b"Content-Length: 2\r\n\r\nok" + SMUGGLED, True
    for _ in range(3):
        api, tx_hash = await world.paid()
        served = await world.consumer.call(api, "/a", tx_hash)
        assert (served.status_code, served.content) == (200, b"ok")
        assert served.headers["x-call-id"].startswith("call_")


async def test_a_body_without_an_end_is_what_came(world: World) -> None:
    world.target.answer, world.target.keep = OK + b"Content-Type: text/plain\r\n\r\nuntil the end", False
    api, tx_hash = await world.paid()
    served = await world.consumer.call(api, "/a", tx_hash)
    assert (served.status_code, served.content) == (200, b"until the end")


async def test_interim_answers_are_passed_over(world: World) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    world.target.answer, world.target.keep = interim + OK + b"Content-Length: 2\r\n\r\nok", False
    api, tx_hash = await world.paid()
    served = await world.consumer.call(api, "/a", tx_hash)
    assert (served.status_code, served.content) == (200, b"ok")
    assert "link" not in served.headers


async def test_the_books_add_up_after_all_that(world: World) -> None:
    (await Books.of(world.server)).check()
