"""Authorisations under fire: a hostile facilitator, a node that loses answers, a process that dies in between.

Whatever happens, the money of an authorisation moves at most once, and who has paid is served.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, Purse, Target, chain_settings, purse, target
from tests.clients.test_x402 import payer
from tests.durability.books import Books
from tests.harness.anvil import Anvil, anvil
from tests.harness.node import HostileNode, hostile_node
from tests.harness.server import Server, serve
from tests.harness.token import Usdc, call_data
from x402.http.utils import encode_payment_signature_header
from x402.schemas import PaymentRequired

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRICE = 10_000


@dataclass
class World:
    server: Server
    chain: Anvil
    node: HostileNode
    usdc: Usdc
    target: Target
    provider: Purse
    consumer: Purse
    listing: dict[str, Any]

    async def authorisation(self) -> tuple[str, dict[str, Any]]:
        """A fresh PAYMENT-SIGNATURE header, and what it says."""
        unpaid = await self.consumer.http.get(f"{API}/x402/{self.listing['id']}/a")
        wanted = json.loads(base64.b64decode(unpaid.headers["payment-required"]))
        signer = payer(self.consumer.account)
        payload = await signer.create_payment_payload(PaymentRequired.model_validate(wanted))
        header = encode_payment_signature_header(payload)
        return header, json.loads(base64.b64decode(header))["payload"]

    async def present(self, header: str, **more: str) -> httpx.Response:
        return await self.consumer.http.get(
            f"{API}/x402/{self.listing['id']}/a", headers={"PAYMENT-SIGNATURE": header, **more}
        )

    async def steal(self, payload: dict[str, Any]) -> str:
        """Somebody else broadcasts the authorisation."""
        wanted, signature = payload["authorization"], payload["signature"][2:]
        numbers = [int(wanted[name]) for name in ("value", "validAfter", "validBefore")]
        data = call_data("0xe3ee160e", wanted["from"], wanted["to"], *numbers)
        data += wanted["nonce"][2:] + f"{int(signature[128:], 16):064x}" + signature[:128]
        tx_hash = await self.chain.send(self.chain.accounts[5], self.usdc.address, data=data, gas=300_000)
        assert (await self.chain.mined(tx_hash))["status"] == "0x1"
        return tx_hash

    async def received(self) -> int:
        return await self.usdc.balance(self.provider.address)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("x402-fire")
    async with anvil() as chain, hostile_node(chain.url) as node, target() as there:
        settings = chain_settings(
            chain, facilitator_key="0x" + chain.accounts[8].key.hex(), connect_seconds="1", total_seconds="1",
            lease_slack_seconds="4", rpc_seconds="2",
            facilitator_raise_seconds="1",
        )  # fmt: skip
        settings["paygate.chains"][0]["rpcUrls"] = [node.url]
        settings["jobs.lease_seconds"] = "2"
        usdc = await Usdc(chain).deploy()
        async with serve(directory, database=request.param, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            await usdc.mint(consumer.address, 1_000 * PRICE)
            listing = await provider.list_api(
                f"{there.url}/x", currency="USDC", pricePerRequest="0.01", timeoutSeconds=1
            )
            yield World(server, chain, node, usdc, there, provider, consumer, listing)
            await provider.http.aclose()
            await consumer.http.aclose()


async def test_a_facilitator_that_broadcasts_before_us(world: World) -> None:
    """The consumer has paid, though not through us: it is served, once, and the theft pays for nothing else."""
    header, payload = await world.authorisation()
    stolen: list[str] = []

    async def steal() -> None:
        if not stolen:
            stolen.append("under way")
            stolen[:] = [await world.steal(payload)]

    before, hits = await world.received(), len(world.target.hits)
    world.node.on["eth_estimateGas"] = steal
    try:
        served = await world.present(header)
    finally:
        world.node.on.clear()
    assert served.status_code == 200, served.text
    receipt = json.loads(base64.b64decode(served.headers["payment-response"]))
    assert (receipt["success"], receipt["transaction"]) == (True, stolen[0])
    assert await world.received() == before + PRICE
    again = await world.present(header)
    assert again.json()["details"]["reason"] == "payment_already_used"
    assert len(world.target.hits) == hits + 1
    books = await Books.of(world.server)
    books.check()
    claimed = books.of_transaction(world.chain.chain_id, stolen[0])
    assert claimed is not None
    assert claimed["state"] == "consumed"


async def test_an_authorisation_used_before_it_was_presented(world: World) -> None:
    """Whatever that paid for, it was not this call."""
    header, payload = await world.authorisation()
    await world.steal(payload)
    hits = len(world.target.hits)
    refused = await world.present(header)
    assert (refused.status_code, refused.json()["error"]) == (402, "INSUFFICIENT_PAYMENT")
    assert refused.json()["details"]["x402Reason"] == "invalid_exact_evm_nonce_already_used"
    assert len(world.target.hits) == hits


async def test_a_broadcast_whose_answer_is_lost_is_not_repeated(world: World) -> None:
    lost: list[str] = []

    async def lose() -> str | None:
        lost.append("once")
        return "drop" if len(lost) == 1 else None

    header, _ = await world.authorisation()
    before = await world.received()
    world.node.on["eth_sendRawTransaction"] = lose
    try:
        served = await world.present(header)
    finally:
        world.node.on.clear()
    assert lost
    assert served.status_code == 200, served.text
    assert await world.received() == before + PRICE


async def test_a_broadcast_that_is_not_known_is_not_called_unsent(world: World) -> None:
    """Its answer is lost, the second try meets the first one mined, and the node is away when that is asked about."""
    lost: list[str] = []
    away: list[str] = []

    async def lose() -> str | None:
        lost.append("once")
        return "drop" if len(lost) == 1 else None

    async def leave() -> str | None:
        away.append("receipt")
        return "stop" if len(away) <= 3 else None

    header, _ = await world.authorisation()
    before = await world.received()
    world.node.on = {"eth_sendRawTransaction": lose, "eth_getTransactionReceipt": leave}
    try:
        served = await world.present(header)
    finally:
        world.node.on.clear()
    assert (len(lost), len(away) > 3) == (2, True)
    assert served.status_code == 200, served.text
    assert await world.received() == before + PRICE


@pytest.mark.parametrize("moment", ["eth_estimateGas", "before", "after"])
async def test_a_process_that_dies_while_it_settles(world: World, moment: str) -> None:
    """Before anything was sent, between noting and sending, and when it is sent and nobody heard of it."""
    died: list[str] = []

    async def die() -> str | None:
        if died:
            return None
        died.append(moment)
        if moment == "after":
            world.node.afterwards = world.server.kill
            return "drop"
        world.server.kill()
        return "stop"

    header, _ = await world.authorisation()
    before = await world.received()
    method = "eth_sendRawTransaction" if moment != "eth_estimateGas" else moment
    world.node.on[method] = die
    with pytest.raises(httpx.HTTPError):
        await world.present(header)
    world.node.on.clear()
    world.node.afterwards = lambda: None
    await world.server.restart()
    deadline = time.monotonic() + 60
    while (served := await world.present(header)).status_code != 200:
        assert served.status_code in (402, 503), served.text
        assert time.monotonic() < deadline, served.text
        await asyncio.sleep(0.3)
    assert died
    assert await world.received() == before + PRICE
    assert (await world.present(header)).json()["details"]["reason"] == "payment_already_used"
    (await Books.of(world.server)).check()


def without_logs(receipt: Any) -> Any:
    return {**receipt, "logs": []}


def less_money(receipt: Any) -> Any:
    return {**receipt, "logs": [{**log, "data": f"0x{PRICE - 1:064x}"} for log in receipt["logs"]]}


def another_token(receipt: Any) -> Any:
    return {**receipt, "logs": [{**log, "address": "0x" + "11" * 20} for log in receipt["logs"]]}


def another_payee(receipt: Any) -> Any:
    topics = [[*log["topics"][:2], "0x" + "0" * 24 + "11" * 20] for log in receipt["logs"]]
    return {
        **receipt,
        "logs": [{**log, "topics": one} for log, one in zip(receipt["logs"], topics, strict=True)],
    }


def failed(receipt: Any) -> Any:
    return {**receipt, "status": "0x0"}


@pytest.mark.parametrize("lie", [without_logs, less_money, another_token, another_payee, failed])
async def test_a_node_that_lies_about_a_settlement(world: World, lie: Any) -> None:
    """What it shows is no payment, so nothing is sold for it; when the truth comes out the call is served, for the money
    that has moved already."""
    header, _ = await world.authorisation()
    before, hits = await world.received(), len(world.target.hits)
    world.node.lies["eth_getTransactionReceipt"] = lie
    try:
        refused = await world.present(header)
    finally:
        world.node.lies.clear()
    assert (refused.status_code, refused.json()["error"]) == (402, "PAYMENT_REVERTED"), refused.text
    reason = "invalid_transaction_state" if lie is failed else "invalid_exact_evm_transfer_event_mismatch"
    assert refused.json()["details"]["x402Reason"] == reason
    assert json.loads(base64.b64decode(refused.headers["payment-response"]))["success"] is False
    served = await world.present(header)
    assert served.status_code == 200, served.text
    assert await world.received() == before + PRICE
    assert (await world.present(header)).json()["details"]["reason"] == "payment_already_used"
    assert len(world.target.hits) == hits + 2
    (await Books.of(world.server)).check()
