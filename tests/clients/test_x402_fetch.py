"""x402 with the unmodified JavaScript client, @x402/fetch on viem: both versions, settled by our facilitator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.clients.node import node
from tests.clients.paygate_world import API, Purse, Target, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve
from tests.harness.token import Usdc

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRICE = 10_000
NETWORKS = {1: "base-sepolia", 2: "eip155:84532"}


@dataclass
class World:
    server: Server
    chain: Anvil
    usdc: Usdc
    target: Target
    provider: Purse

    async def paid(self, version: int, *calls: dict[str, Any]) -> dict[str, Any]:
        key = "0x" + self.chain.accounts[1].key.hex()
        done: dict[str, Any] = await node("x402.mjs", {"key": key, "version": version, "calls": list(calls)})
        return done

    def url(self, listing: dict[str, Any], path: str) -> str:
        return f"{self.server.origin}{API}/x402/{listing['id']}{path}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("x402_fetch")
    async with anvil() as chain, target() as there:
        usdc = await Usdc(chain).deploy()
        await usdc.mint(chain.accounts[1].address, 10**9)
        settings = chain_settings(chain, facilitator_key="0x" + chain.accounts[8].key.hex())
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            yield World(server, chain, usdc, there, provider)
            await provider.http.aclose()


@pytest.mark.parametrize("version", [1, 2])
async def test_fetch_pays_in_both_versions(world: World, version: int) -> None:
    listing = await world.provider.list_api(
        f"{world.target.url}/f{version}", currency="USDC", pricePerRequest="0.01"
    )
    before = await world.usdc.balance(world.provider.address)
    done = await world.paid(
        version,
        {"url": world.url(listing, "/weather?city=Oslo")},
        {"url": world.url(listing, "/note"), "method": "POST", "body": '{"a":1}'},
    )
    ours = {"v1": version == 1, "v2": version == 2}
    nothing = {"v1": False, "v2": False}
    assert done["asked"] == [
        {"status": 402, **nothing},
        {"status": 200, **ours},
        {"status": 402, **nothing},
        {"status": 200, **ours},
    ]
    first, second = done["answers"]
    assert first["body"]["target"] == f"/f{version}/weather?city=Oslo"
    assert (second["body"]["method"], second["body"]["body"]) == ("POST", '{"a":1}')
    payer = world.chain.accounts[1].address
    for answer in (first, second):
        assert (answer["status"], answer["payment"]) == (200, "consumed")
        receipt = answer["receipt"]
        assert (receipt["success"], receipt["payer"], receipt["network"]) == (True, payer, NETWORKS[version])
        call = (await world.provider.get(f"/history/{answer['callId']}")).json()
        assert (call["paymentFlow"], call["txHash"]) == (f"x402-v{version}", receipt["transaction"])
    assert first["receipt"]["transaction"] != second["receipt"]["transaction"]
    assert await world.usdc.balance(world.provider.address) == before + 2 * PRICE


async def test_the_settlement_is_a_transfer_with_authorization_of_the_operator(world: World) -> None:
    """On the chain itself: the operator's key sent it and paid the gas, the wallet paid the price."""
    listing = await world.provider.list_api(
        f"{world.target.url}/gasless", currency="USDC", pricePerRequest="0.01"
    )
    ether = await world.chain.rpc("eth_getBalance", world.chain.accounts[1].address, "latest")
    done = await world.paid(2, {"url": world.url(listing, "/a")})
    sent = await world.chain.rpc("eth_getTransactionByHash", done["answers"][0]["receipt"]["transaction"])
    assert sent["input"].startswith("0xe3ee160e")
    assert sent["from"].lower() == world.chain.accounts[8].address.lower()
    assert sent["to"].lower() == world.usdc.address.lower()
    assert await world.chain.rpc("eth_getBalance", world.chain.accounts[1].address, "latest") == ether


async def test_fetch_does_not_pay_for_a_target_that_fails(world: World) -> None:
    listing = await world.provider.list_api(
        f"{world.target.url}/fails", currency="USDC", pricePerRequest="0.01"
    )
    before = await world.usdc.balance(world.provider.address)
    done = await world.paid(2, {"url": world.url(listing, "/status/503")})
    [answer] = done["answers"]
    assert (answer["status"], answer["payment"], answer["receipt"]) == (503, "released", None)
    assert await world.usdc.balance(world.provider.address) == before
