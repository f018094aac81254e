"""*Settlement not known*: the transfer was sent and time ran out before the chain said what became of it. A state of its own,
never a second demand, and never a lost call: the same proof, presented again, is served once the money has moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.clients.paygate_world import chain_settings, purse, target
from tests.clients.test_x402 import PRICE, World, decoded
from tests.harness.anvil import anvil
from tests.harness.server import serve
from tests.harness.token import Usdc

WAIT_SECONDS = 30.0


@asynccontextmanager
async def slow_chain(
    directory: Path, database: str = "sqlite", workers: int = 1, **change: Any
) -> AsyncIterator[World]:
    """A paygate that waits a second for a receipt, on a chain that mines when it is told to."""
    async with anvil() as chain, target() as there:
        usdc = await Usdc(chain).deploy()
        await usdc.mint(chain.accounts[1].address, 10**9)
        own = {"facilitator_key": "0x" + chain.accounts[8].key.hex(), "facilitator_settle_seconds": "1"}
        settings = chain_settings(chain, **{**own, **change})
        async with serve(directory, database=database, settings=settings, workers=workers) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            yield World(server, chain, usdc, there, provider, consumer)
            await provider.http.aclose()
            await consumer.http.aclose()


def pending(answer: httpx.Response) -> str:
    """It says so in both languages; the hash of the transfer that is under way."""
    assert (answer.status_code, answer.json()["error"]) == (402, "PAYMENT_NOT_CONFIRMED"), answer.text
    details = answer.json()["details"]
    assert (details["x402Reason"], details["retryable"]) == ("settlement_pending", True)
    assert int(answer.headers["retry-after"]) >= 1
    tx_hash: str = details["txHash"]
    return tx_hash


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_settlement_that_is_not_known_is_recovered(tmp_path: Path, database: str) -> None:
    async with slow_chain(tmp_path, database) as world:
        listing = await world.listed()
        header = await world.signed(listing)
        before = await world.usdc.balance(world.provider.address)
        await world.chain.automine(False)
        first = await world.present(listing, header)
        tx_hash = pending(first)
        receipt = decoded(first.headers["payment-response"])
        assert (receipt["success"], receipt["errorReason"], receipt["transaction"]) == (
            False,
            "settlement_pending",
            tx_hash,
        )
        hits = len(world.target.hits)
        for _ in range(2):
            assert pending(await world.present(listing, header)) == tx_hash
        assert len(world.target.hits) == hits, "a payment that is not known must not reach the target"
        assert await world.usdc.balance(world.provider.address) == before
        await world.chain.mine()
        await world.chain.automine(True)
        served = await world.present(listing, header)
        assert (served.status_code, served.headers["x-payment-status"]) == (200, "consumed"), served.text
        assert await world.usdc.balance(world.provider.address) == before + PRICE, "one transfer, not two"
        call = (await world.provider.get(f"/history/{served.headers['x-call-id']}")).json()
        assert (call["txHash"], call["status"]) == (tx_hash, "success")
        again = await world.present(listing, header)
        assert again.json()["details"]["reason"] == "payment_already_used"


async def test_a_server_that_died_meanwhile_still_knows_it(tmp_path: Path) -> None:
    async with slow_chain(tmp_path) as world:
        listing = await world.listed()
        header = await world.signed(listing)
        before = await world.usdc.balance(world.provider.address)
        await world.chain.automine(False)
        tx_hash = pending(await world.present(listing, header))
        world.server.kill()
        await world.server.restart()
        assert pending(await world.present(listing, header)) == tx_hash
        await world.chain.mine()
        await world.chain.automine(True)
        served = await world.present(listing, header)
        assert served.status_code == 200, served.text
        assert await world.usdc.balance(world.provider.address) == before + PRICE


async def test_a_node_that_is_gone_when_it_is_to_be_settled_costs_nothing(tmp_path: Path) -> None:
    async with slow_chain(tmp_path / "flux") as world:
        world.chain.state = tmp_path / "chain.json"
        world.chain.stop()
        await world.chain.start()
        await world.usdc.deploy()
        await world.usdc.mint(world.consumer.address, 10**9)
        listing = await world.listed()
        header = await world.signed(listing)
        before = await world.usdc.balance(world.provider.address)
        world.target.gate.clear()
        first = asyncio.ensure_future(world.present(listing, header, "/gate"))
        async with asyncio.timeout(WAIT_SECONDS):
            while not world.target.hits:
                await asyncio.sleep(0.02)
        world.chain.stop()
        world.target.gate.set()
        refused = await first
        assert (refused.status_code, refused.json()["error"]) == (503, "BLOCKCHAIN_UNAVAILABLE"), refused.text
        await world.chain.start()
        async with asyncio.timeout(WAIT_SECONDS):
            while (served := await world.present(listing, header)).status_code == 503:
                await asyncio.sleep(0.2)
        assert served.status_code == 200, served.text
        assert await world.usdc.balance(world.provider.address) == before + PRICE
