"""Did the node answer, and is the answer any good? (4.9 of the contract)"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from flux.kernel.faults import Mode, Ports
from flux.kernel.store import SandboxClock
from flux.paygate.chains.nodes import ChainClient, ChainFailure, RpcRefused
from flux.paygate.chains.registry import Chain, Chains
from flux.paygate.chains.service import ChainReader
from flux.paygate.envelope import chain_fault
from flux.settings.paygate import ChainSettings, PaygateSettings, TokenSettings

Answer = Callable[[Any], tuple[int, bytes] | None]
CHAIN_ID = 31337
HASH = "0x" + "ab" * 32
BLOCK = "0x" + "cd" * 32
ADDRESS = "0x" + "12" * 20


class Node:
    """Answers what `answer` says for each decoded request body; None never answers."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Any] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            request = json.loads(await reader.readexactly(length))
            self.asked.append(request)
            answer = self.answer(request)
            if answer is None:
                await asyncio.sleep(30)
            else:
                status, body = answer
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                    % (status, len(body), body)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def node(answer: Answer) -> AsyncIterator[Node]:
    running = Node(answer)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()


def results(**known: Any) -> Answer:
    """A good node: `known` are results by method."""

    def one(request: Any) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            "id": request["id"],
            "result": {"eth_chainId": hex(CHAIN_ID), **known}[request["method"]],
        }

    def answer(request: Any) -> tuple[int, bytes]:
        shown = [one(part) for part in reversed(request)] if isinstance(request, list) else one(request)
        return 200, json.dumps(shown).encode()

    return answer


def always(body: bytes, status: int = 200) -> Answer:
    return lambda _: (status, body)


@asynccontextmanager
async def client(
    *urls: str, seconds: float = 1.0, budget: float = 3.0
) -> AsyncIterator[tuple[ChainClient, SandboxClock]]:
    clock = SandboxClock()
    async with aiohttp.ClientSession() as session:
        yield ChainClient(Chain("local", CHAIN_ID, urls), session, clock, seconds, budget), clock


async def failure(asking: ChainClient) -> ChainFailure:
    with pytest.raises(ChainFailure) as caught:
        await asking.call(("eth_blockNumber", []))
    return caught.value


@pytest.mark.parametrize(
    ("answer", "mode", "reason"),
    [
        (always(b"<html>busy</html>"), Mode.GARBAGE, "bad_response"),
        (always(b"<html>no</html>", 404), Mode.GARBAGE, "bad_response"),
        (always(b'{"jsonrpc":"2.0","id":0,"result":"0x1"}', 403), Mode.GARBAGE, "bad_response"),
        (always(b'"0x1"'), Mode.GARBAGE, "bad_response"),
        (always(b"[]"), Mode.GARBAGE, "bad_response"),
        (always(b'{"jsonrpc":"2.0","id":0}'), Mode.ERROR, "rpc_error"),
        (always(b'{"error":{"code":-32000,"message":"secret"}}'), Mode.ERROR, "rpc_error"),
        (always(b'{"error":{"code":-32000}}', 400), Mode.ERROR, "rpc_error"),
        (always(b'{"jsonrpc":"2.0","id":0,"result":"0x1"}'), Mode.ERROR, "chain_id_mismatch"),
        (always(b'{"jsonrpc":"2.0","id":0,"result":7}'), Mode.GARBAGE, "bad_response"),
        (always(b"", 500), Mode.UNAVAILABLE, "unreachable"),
        (always(b'{"error":{}}', 503), Mode.UNAVAILABLE, "unreachable"),
        (always(b"slow down", 429), Mode.UNAVAILABLE, "unreachable"),
        (lambda _: None, Mode.TIMEOUT, "timeout"),
    ],
)
async def test_what_a_broken_node_is(answer: Answer, mode: Mode, reason: str) -> None:
    async with node(answer) as there, client(there.url, seconds=0.3) as (asking, _):
        found = await failure(asking)
    assert (found.mode, found.reason, found.chain) == (mode, reason, "local")
    fault = chain_fault(found, found.chain).fault
    assert fault.code == (
        "BLOCKCHAIN_UNAVAILABLE" if mode in (Mode.UNAVAILABLE, Mode.TIMEOUT) else "BLOCKCHAIN_ERROR"
    )


async def test_a_node_that_is_not_there_and_a_chain_without_any() -> None:
    async with client("http://127.0.0.1:65431") as (asking, _):
        assert (await failure(asking)).reason == "unreachable"
    async with client() as (asking, _):
        found = await failure(asking)
    assert found.reason == "not_configured"
    assert chain_fault(found, "local").detail == {"retryable": False}


async def test_a_batch_comes_back_in_order() -> None:
    async with (
        node(results(eth_blockNumber="0x7", eth_gasPrice="0x9")) as there,
        client(there.url) as (asking, _),
    ):
        assert await asking.call(("eth_blockNumber", []), ("eth_gasPrice", [])) == ["0x7", "0x9"]
        assert await asking.call(("eth_gasPrice", [])) == ["0x9"]
    assert [request["method"] for request in there.asked if isinstance(request, dict)] == [
        "eth_chainId",
        "eth_gasPrice",
    ]


async def test_the_chain_id_is_asked_again_every_five_minutes() -> None:
    async with node(results(eth_blockNumber="0x7")) as there, client(there.url) as (asking, clock):
        for _ in range(3):
            await asking.call(("eth_blockNumber", []))
        clock.advance(301)
        await asking.call(("eth_blockNumber", []))
    assert [request["method"] for request in there.asked].count("eth_chainId") == 2


async def test_a_stumble_is_tried_again_and_another_url_after_that() -> None:
    good = results(eth_blockNumber="0x7")
    count = 0

    def stumbling(request: Any) -> tuple[int, bytes] | None:
        nonlocal count
        count += 1
        return (502, b"") if count <= 2 else good(request)

    async with node(stumbling) as there, client(there.url) as (asking, _):
        assert await asking.call(("eth_blockNumber", [])) == ["0x7"]
    async with (
        node(always(b"", 500)) as first,
        node(good) as second,
        client(first.url, second.url) as (asking, _),
    ):
        assert await asking.call(("eth_blockNumber", [])) == ["0x7"]
        assert len(first.asked) == 3


async def test_a_circuit_opens_after_five_failures_and_tries_again_later() -> None:
    working = False
    good = results(eth_blockNumber="0x7")
    async with (
        node(lambda request: good(request) if working else (500, b"")) as there,
        client(there.url) as (asking, clock),
    ):
        for _ in range(5):
            assert (await failure(asking)).reason == "unreachable"
        asked = len(there.asked)
        assert (await failure(asking)).reason == "circuit_open"
        assert len(there.asked) == asked
        working = True
        clock.advance(10)
        assert await asking.call(("eth_blockNumber", [])) == ["0x7"]


async def test_a_node_that_answers_others_meanwhile_is_there() -> None:
    """Requests it hangs on are theirs alone: the circuit is for nodes that answer nobody."""
    good = results(eth_blockNumber="0x7")

    def choosy(request: Any) -> tuple[int, bytes] | None:
        return None if request["method"] == "eth_getCode" else good(request)

    async with node(choosy) as there, client(there.url, seconds=0.5) as (asking, clock):
        hanging = [asyncio.ensure_future(asking.call(("eth_getCode", []))) for _ in range(8)]
        while sum(request["method"] == "eth_getCode" for request in there.asked) < 8:
            await asyncio.sleep(0.01)
        clock.advance(0.1)
        assert await asking.call(("eth_blockNumber", [])) == ["0x7"]
        failures = await asyncio.gather(*hanging, return_exceptions=True)
        assert {str(failure) for failure in failures} == {"chain: timeout (timeout)"}
        assert await asking.call(("eth_blockNumber", [])) == ["0x7"]


async def test_all_calls_of_a_request_share_a_budget() -> None:
    async with (
        node(lambda _: None) as one,
        node(lambda _: None) as two,
        client(one.url, two.url, seconds=5, budget=0.3) as (asking, _),
    ):
        assert (await failure(asking)).reason == "timeout"


async def test_a_refusal_keeps_its_text_inside() -> None:
    body = b'{"jsonrpc":"2.0","id":0,"error":{"code":3,"message":"execution reverted: secret"}}'
    good = results()

    def answer(request: Any) -> tuple[int, bytes] | None:
        return good(request) if request["method"] == "eth_chainId" else (200, body)

    async with node(answer) as there, client(there.url) as (asking, _):
        with pytest.raises(RpcRefused) as caught:
            await asking.call(("eth_call", []))
    assert "secret" in caught.value.text
    assert "secret" not in str(caught.value)


TX = {
    "hash": HASH,
    "from": ADDRESS,
    "to": ADDRESS,
    "value": "0x5",
    "chainId": hex(CHAIN_ID),
    "blockNumber": "0x5",
}
RECEIPT = {"transactionHash": HASH, "status": "0x1", "blockNumber": "0x5", "blockHash": BLOCK, "logs": []}
SEEN = {"number": "0x5", "hash": BLOCK, "timestamp": "0x65000000"}


@asynccontextmanager
async def reader(
    url: str, ports: Ports | None = None, finality: int = 60
) -> AsyncIterator[tuple[ChainReader, SandboxClock, Chain]]:
    chain = ChainSettings(name="local", chain_id=CHAIN_ID, rpc_urls=[url], finality_depth=finality)
    settings = PaygateSettings(chains=[chain])
    clock, chains = SandboxClock(), Chains(settings)
    reading = ChainReader(chains, settings, clock, ports or Ports())
    await reading.start()
    try:
        yield reading, clock, chains.default
    finally:
        await reading.close()


def facts_of(**change: Any) -> Answer:
    known = {
        "eth_getTransactionByHash": TX,
        "eth_getTransactionReceipt": RECEIPT,
        "eth_blockNumber": "0x7",
        "eth_getBlockByNumber": SEEN,
    }
    return results(**{**known, **change})


async def test_facts_are_read_once_and_kept_for_seconds() -> None:
    async with node(facts_of()) as there, reader(there.url) as (reading, clock, chain):
        found = await asyncio.gather(*(reading.facts(chain, HASH) for _ in range(10)))
        assert {facts.confirmations for facts in found if facts} == {3}
        assert len(there.asked) == 3
        await reading.facts(chain, HASH)
        assert len(there.asked) == 3
        clock.advance(11)
        await reading.facts(chain, HASH)
        assert len(there.asked) == 5


@pytest.mark.parametrize(("finality", "read_again"), [(3, True), (2, False)])
async def test_facts_that_are_final_are_kept_for_a_day(finality: int, read_again: bool) -> None:
    async with node(facts_of()) as there, reader(there.url, finality=finality) as (reading, clock, chain):
        await reading.facts(chain, HASH)
        clock.advance(3_600)
        there.asked.clear()
        found = await reading.facts(chain, HASH)
        assert found is not None
        assert found.confirmations == 3
        methods = [
            one["method"] for asked in there.asked for one in (asked if isinstance(asked, list) else [asked])
        ]
        assert ("eth_getTransactionReceipt" in methods) is read_again


async def test_unknown_and_pending_transactions() -> None:
    async with (
        node(facts_of(eth_getTransactionByHash=None, eth_getTransactionReceipt=None)) as there,
        reader(there.url) as (reading, clock, chain),
    ):
        assert await reading.facts(chain, HASH) is None
        asked = len(there.asked)
        assert await reading.facts(chain, HASH) is None
        assert len(there.asked) == asked
        clock.advance(3)
        await reading.facts(chain, HASH)
        assert len(there.asked) == asked + 1
    pending = {**TX, "blockNumber": None}
    async with (
        node(facts_of(eth_getTransactionByHash=pending, eth_getTransactionReceipt=None)) as there,
        reader(there.url) as (reading, _, chain),
    ):
        facts = await reading.facts(chain, HASH)
        assert facts is not None
        assert (facts.receipt, facts.confirmations) == (None, 0)


@pytest.mark.parametrize(
    ("change", "mode"),
    [
        ({"eth_getTransactionByHash": {**TX, "hash": "0x" + "ee" * 32}}, Mode.ERROR),
        ({"eth_getTransactionByHash": {**TX, "chainId": "0x1"}}, Mode.ERROR),
        ({"eth_getTransactionReceipt": {**RECEIPT, "transactionHash": "0x" + "ee" * 32}}, Mode.ERROR),
        ({"eth_getTransactionByHash": "x"}, Mode.GARBAGE),
        ({"eth_getTransactionReceipt": {}}, Mode.GARBAGE),
        ({"eth_blockNumber": 7}, Mode.GARBAGE),
        ({"eth_getBlockByNumber": {"number": "0x5"}}, Mode.GARBAGE),
    ],
)  # fmt: skip
async def test_inconsistent_answers(change: dict[str, Any], mode: Mode) -> None:
    async with node(facts_of(**change)) as there, reader(there.url) as (reading, _, chain):
        with pytest.raises(ChainFailure) as caught:
            await reading.facts(chain, HASH)
    assert caught.value.mode is mode


async def test_a_tokens_decimals_are_looked_at_again() -> None:
    decimals = 6
    token = TokenSettings(address=ADDRESS)

    def answer(request: Any) -> tuple[int, bytes] | None:
        return results(eth_call=f"0x{decimals:064x}")(request)

    async with node(answer) as there:
        chain = ChainSettings(name="local", chain_id=CHAIN_ID, rpc_urls=[there.url], tokens={"USDC": token})
        settings, clock = PaygateSettings(chains=[chain]), SandboxClock()
        chains = Chains(settings)
        reading = ChainReader(chains, settings, clock, Ports())
        await reading.start()
        await reading.check_decimals(chains.default)
        decimals = 18
        await reading.check_decimals(chains.default)
        clock.advance(301)
        with pytest.raises(ChainFailure) as caught:
            await reading.check_decimals(chains.default)
        assert caught.value.reason == "inconsistent"
        await reading.close()


async def test_caches_stand_aside_while_a_fault_is_armed() -> None:
    ports = Ports(enabled=True, deadline_seconds=0.05)
    async with node(facts_of()) as there, reader(there.url, ports) as (reading, _, chain):
        await reading.facts(chain, HASH)
        for mode in (Mode.ERROR, Mode.GARBAGE, Mode.UNAVAILABLE, Mode.TIMEOUT):
            ports.arm("chain", mode)
            with pytest.raises(ChainFailure) as caught:
                await reading.facts(chain, HASH)
            assert caught.value.mode is mode
        assert await reading.facts(chain, HASH) is not None
