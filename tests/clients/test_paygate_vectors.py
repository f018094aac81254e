"""The contract's signed vectors at a real door: its listing ids, its transaction, its timestamps, its signatures.

The node is scripted, because nobody can mine a transaction with the hash of the vector; the operator's settings accept
signatures as old as the vector's.
"""

from __future__ import annotations

import sqlite3
import time
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Purse, Target, chain_settings, purse, target
from tests.harness.anvil import ACCOUNTS
from tests.harness.server import Server, serve
from tests.paygate.test_nodes import node, results

pytestmark = pytest.mark.asyncio(loop_scope="module")
VECTORS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "paygate" / "vectors.toml").read_text("utf-8")
)
CALL, SECOND = VECTORS["call_1"], VECTORS["call_2"]
BLOCK = "0x" + "cd" * 32


@dataclass
class World:
    server: Server
    target: Target
    consumer: Purse

    async def present(self, vector: dict[str, Any], signature: str) -> httpx.Response:
        headers = {
            "X-Payment-Tx": vector["tx"],
            "X-Signature": signature,
            "X-Timestamp": str(vector["timestamp"]),
        }
        return await self.consumer.http.get(f"{API}/gateway/{vector['api']}/weather", headers=headers)


def rename(server: Server, listing: str, name: str) -> None:
    """Ids are given by the server, and the vectors have theirs."""
    opened = sqlite3.connect(server.data_dir / "flux.db")
    with opened:
        [document] = opened.execute(
            "SELECT document FROM paygate_listings WHERE id = ?", (listing,)
        ).fetchone()
        renamed = document.replace(listing.encode(), name.encode())
        opened.execute(
            "UPDATE paygate_listings SET id = ?, document = ? WHERE id = ?", (name, renamed, listing)
        )
    opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("vectors")
    chain_id = hex(84532)
    mined = {
        "hash": CALL["tx"], "from": VECTORS["keys"]["address_0"], "to": ACCOUNTS[3].address, "value": hex(PRICE),
        "chainId": chain_id, "blockNumber": "0x5",
    }  # fmt: skip
    receipt = {
        "transactionHash": CALL["tx"], "status": "0x1", "blockNumber": "0x5", "blockHash": BLOCK, "logs": [],
    }  # fmt: skip
    block = {"number": "0x5", "hash": BLOCK, "timestamp": hex(int(time.time()))}
    answers = results(
        eth_chainId=chain_id, eth_blockNumber="0x7", eth_getTransactionByHash=mined, eth_getTransactionReceipt=receipt,
        eth_getBlockByNumber=block,
    )  # fmt: skip
    async with node(answers) as scripted, target() as there:
        entry = {"name": "base-sepolia", "chainId": 84532, "rpcUrls": [scripted.url]}
        settings = chain_settings(signature_seconds="4000000000") | {"paygate.chains": [entry]}
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, ACCOUNTS[3]).login()
            first = await provider.list_api(f"{there.url}/one")
            second = await provider.list_api(f"{there.url}/two", pricePerRequest="0.002")
            assert server.terminate() == 0
            rename(server, first["id"], CALL["api"])
            rename(server, second["id"], SECOND["api"])
            await server.restart()
            consumer = purse(server, ACCOUNTS[0])
            yield World(server, there, consumer)
            await provider.http.aclose()
            await consumer.http.aclose()


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: str(vector["case"]))
async def test_the_negative_companions_are_refused(world: World, vector: dict[str, str]) -> None:
    refused = await world.present(CALL, vector["signature"])
    assert (refused.status_code, refused.json()["error"]) == (401, vector["error"]), refused.text
    assert refused.json()["details"].get("reason") == vector.get("reason")
    assert not world.target.hits


async def test_the_second_vector_names_its_signer(world: World) -> None:
    """It gets past the signer, to the price, which is higher there; the first one's signature does not."""
    refused = await world.present(SECOND, SECOND["signature"])
    assert refused.json()["error"] == "INSUFFICIENT_PAYMENT", refused.text
    assert refused.json()["details"]["reason"] == "amount_too_low"
    assert (await world.present(SECOND, CALL["signature"])).json()["error"] == "INVALID_SIGNATURE"


async def test_the_first_vector_is_served_once(world: World) -> None:
    served = await world.present(CALL, CALL["signature"])
    assert (served.status_code, served.headers["x-payment-status"]) == (200, "consumed"), served.text
    assert served.json()["headers"]["x-consumer-wallet"] == VECTORS["keys"]["address_0"]
    zero = CALL["signature"][:-2] + "00"
    assert (await world.present(CALL, zero)).json()["details"]["reason"] == "payment_already_used"
    assert len(world.target.hits) == 1
