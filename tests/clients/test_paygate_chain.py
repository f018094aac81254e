"""What a chain and its nodes can do to a payment, seen at the door, on both databases: every time the same payment pays in
the end, or the answer says why it cannot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.paygate_world import PRICE, Market, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.node import HostileNode, hostile_node
from tests.harness.server import serve
from tests.harness.token import Usdc

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRETS = ("secret text", "127.0.0.1", "http://")


@dataclass(kw_only=True)
class World(Market):
    other: Anvil
    node: HostileNode
    usdc: Usdc = field(repr=False)

    async def call(self, listing: dict[str, Any], tx_hash: str) -> httpx.Response:
        answer = await self.consumer.call(listing["id"], "/a", tx_hash)
        if "x-gateway-error" in answer.headers:
            assert not [word for word in SECRETS if word in answer.text], answer.text
        return answer

    async def until_served(self, listing: dict[str, Any], tx_hash: str) -> None:
        """A circuit may still be open, and what a node said before may be believed for seconds."""
        deadline = time.monotonic() + 40
        while (answer := await self.call(listing, tx_hash)).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.3)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("chain")
    async with AsyncExitStack() as stack:
        chain = await stack.enter_async_context(anvil(state=directory / "chain.json"))
        other = await stack.enter_async_context(anvil(31337))
        node = await stack.enter_async_context(hostile_node(chain.url))
        there = await stack.enter_async_context(target())
        settings = chain_settings(chain, other, rpc_seconds="1", reorg_check_seconds="0.5")
        settings["paygate.chains"][0]["rpcUrls"] = [node.url]
        usdc = await Usdc(chain).deploy()
        server = await stack.enter_async_context(
            serve(directory / "flux", database=request.param, settings=settings)
        )
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        yield World(server, chain, there, provider, consumer, other=other, node=node, usdc=usdc)
        await provider.http.aclose()
        await consumer.http.aclose()


def told(answer: httpx.Response) -> tuple[int, str, Any]:
    body = answer.json()
    assert (body["code"], answer.headers["x-gateway-error"]) == (answer.status_code, body["error"])
    return answer.status_code, body["error"], body["details"].get("reason")


@pytest.mark.parametrize(
    ("mood", "error", "reason"),
    [
        ("error", "BLOCKCHAIN_ERROR", "rpc_error"),
        ("html", "BLOCKCHAIN_ERROR", "bad_response"),
        ("404", "BLOCKCHAIN_ERROR", "bad_response"),
        ("empty", "BLOCKCHAIN_ERROR", "bad_response"),
        ("deep", "BLOCKCHAIN_ERROR", "bad_response"),
        ("redirect", "BLOCKCHAIN_ERROR", "bad_response"),
        ("another", "BLOCKCHAIN_ERROR", "inconsistent"),
        ("503", "BLOCKCHAIN_UNAVAILABLE", "unreachable"),
        ("429", "BLOCKCHAIN_UNAVAILABLE", "unreachable"),
        ("drop", "BLOCKCHAIN_UNAVAILABLE", "unreachable"),
        ("hang", "BLOCKCHAIN_UNAVAILABLE", "timeout"),
    ],
)
async def test_a_node_that_answers_nonsense_or_not_at_all(
    world: World, mood: str, error: str, reason: str
) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    hits = len(world.target.hits)
    # Each attempt at the node meets it: the first and two more.
    world.node.fates[tx_hash] = [mood] * 3
    refused = await world.call(listing, tx_hash)
    world.node.fates.clear()
    status = 500 if error == "BLOCKCHAIN_ERROR" else 503
    assert told(refused) == (status, error, reason), refused.text
    assert refused.json()["details"]["chain"] == "base-sepolia"
    assert (refused.headers.get("retry-after") == "5") == (status == 503)
    assert len(world.target.hits) == hits
    await world.until_served(listing, tx_hash)


async def test_a_node_that_answers_without_end(world: World) -> None:
    """More than is read of any answer: no good, or not there in time on a slow machine."""
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    world.node.fates[tx_hash] = ["flood"] * 3
    status, error, reason = told(await world.call(listing, tx_hash))
    world.node.fates.clear()
    assert (status, error, reason) in (
        (500, "BLOCKCHAIN_ERROR", "bad_response"),
        (503, "BLOCKCHAIN_UNAVAILABLE", "timeout"),
    )
    await world.until_served(listing, tx_hash)


async def test_a_node_that_is_suddenly_on_another_chain(world: World) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    world.node.fates[tx_hash] = ["drop"] * 3
    assert told(await world.call(listing, tx_hash))[1] == "BLOCKCHAIN_UNAVAILABLE"
    world.node.behind = world.other.url
    refused = await world.call(listing, tx_hash)
    world.node.behind = world.chain.url
    assert told(refused) == (500, "BLOCKCHAIN_ERROR", "chain_id_mismatch")
    await world.until_served(listing, tx_hash)


async def test_a_node_that_stops_and_comes_back(world: World) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    world.chain.stop()
    stopped = await world.call(listing, tx_hash)
    assert (told(stopped)[:2], stopped.headers["retry-after"]) == ((503, "BLOCKCHAIN_UNAVAILABLE"), "5")
    ready = await world.consumer.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["details"]["chains"]["base-sepolia"] != "ok"
    assert (await world.consumer.get("/apis")).status_code == 200
    await world.chain.start()
    await world.until_served(listing, tx_hash)
    assert (await world.call(listing, tx_hash)).json()["details"]["reason"] == "payment_already_used"


async def test_a_payment_that_is_pending_and_then_mined(world: World) -> None:
    listing = await world.listed()
    await world.chain.automine(False)
    try:
        tx_hash = await world.chain.send(world.consumer.account, listing["recipient"], PRICE, gas=100_000)
        pending = await world.call(listing, tx_hash)
        assert told(pending)[:2] == (402, "PAYMENT_NOT_CONFIRMED")
        details = pending.json()["details"]
        assert (details["confirmations"], details["required"], details["retryable"]) == (0, 1, True)
        assert (details["retryAfterSeconds"], pending.headers["retry-after"]) == (2, "2")
        state = (await world.consumer.get(f"/payments/{tx_hash}")).json()
        assert state["state"] == "pending"
    finally:
        await world.chain.automine(True)
        await world.chain.mine()
    await world.until_served(listing, tx_hash)


async def test_payments_that_reverted(world: World) -> None:
    listing = await world.listed(currency="USDC", pricePerRequest="0.01")
    failed = await world.usdc.transfer(world.consumer.account, listing["recipient"], 10_000)
    reverted = await world.call(listing, failed)
    assert told(reverted)[:2] == (402, "PAYMENT_REVERTED")
    receipt = await world.chain.rpc("eth_getTransactionReceipt", failed)
    assert reverted.json()["details"] == {"txHash": failed, "blockNumber": int(receipt["blockNumber"], 16)}
    assert (await world.consumer.get(f"/payments/{failed}")).json()["state"] == "reverted"


async def test_a_payment_that_a_reorganisation_took_before_it_was_used(world: World) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    raw = await world.chain.rpc("eth_getRawTransactionByHash", tx_hash)
    await world.chain.reorg(1)
    assert told(await world.call(listing, tx_hash))[:2] == (402, "PAYMENT_NOT_FOUND")
    await world.chain.rpc("eth_sendRawTransaction", raw)
    await world.chain.mined(tx_hash)
    await world.until_served(listing, tx_hash)


async def test_a_payment_that_moves_to_another_block_stays_spent(world: World) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    raw = await world.chain.rpc("eth_getRawTransactionByHash", tx_hash)
    await world.until_served(listing, tx_hash)
    await world.chain.rpc("anvil_reorg", 1, [[raw, 0]])
    world.node.asked.clear()
    deadline = time.monotonic() + 30
    while world.node.asked.count("eth_getTransactionReceipt") < 3:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert (await world.consumer.get(f"/payments/{tx_hash}")).json()["state"] == "consumed"
    assert (await world.call(listing, tx_hash)).json()["details"]["reason"] == "payment_already_used"


async def test_a_payment_on_the_wrong_chain(world: World) -> None:
    listing = await world.listed()
    elsewhere = await world.other.pay(world.consumer.account, listing["recipient"], PRICE)
    refused = await world.call(listing, elsewhere)
    assert told(refused)[:2] == (402, "INVALID_PAYMENT_CHAIN")
    assert refused.json()["details"] == {
        "expected": {"chain": "base-sepolia", "chainId": 84532},
        "actual": {"chain": "local", "chainId": 31337},
    }
    named = await world.consumer.call(
        listing["id"], "/a", elsewhere, headers={"X-Payment-Chain": "eip155:31337"}
    )
    assert told(named)[:2] == (402, "INVALID_PAYMENT_CHAIN")
    there = await world.listed(chain="local")
    paid = await world.other.pay(world.consumer.account, there["recipient"], PRICE)
    await world.until_served(there, paid)
