"""Settlements that the miners pass over: sent again with the same nonce and a higher fee, until one of them is mined."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from tests.clients.test_x402 import PRICE, World, decoded
from tests.clients.test_x402_unknown import pending, slow_chain
from tests.harness.anvil import Anvil

T = TypeVar("T")
PATIENCE = 40.0
DEAR = hex(50 * 10**9)
"""A base fee in wei that no settlement signed before it can pay."""


async def until(ask: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(PATIENCE):
        while not (found := await ask()):
            await asyncio.sleep(0.05)
    return found


async def waiting(chain: Anvil, sender: str) -> dict[str, Any]:
    """Transactions of the sender that the node has and no block has: {nonce: transaction}."""
    pool = await chain.rpc("txpool_content")
    found = {**pool["pending"], **pool["queued"]}
    return next((txs for who, txs in found.items() if who.lower() == sender.lower()), {})


async def broadcast(world: World) -> tuple[str, dict[str, Any]]:
    """The one settlement in the pool: its nonce, and the transaction."""
    sender = world.chain.accounts[8].address
    [found] = (await until(lambda: waiting(world.chain, sender))).items()
    return found


async def replaced(world: World, first: dict[str, Any]) -> dict[str, Any]:
    """What stands in the pool in its place."""

    async def other() -> dict[str, Any] | None:
        _, transaction = await broadcast(world)
        return transaction if transaction["hash"] != first["hash"] else None

    return await until(other)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_settlement_nobody_mines_is_sent_again_for_more(tmp_path: Path, database: str) -> None:
    settings = {"facilitator_raise_seconds": "1", "facilitator_settle_seconds": "60"}
    async with slow_chain(tmp_path, database, **settings) as world:
        listing = await world.listed()
        header = await world.signed(listing)
        before = await world.usdc.balance(world.provider.address)
        await world.chain.automine(False)
        calling = asyncio.ensure_future(world.present(listing, header))
        nonce, first = await broadcast(world)
        await world.chain.rpc("anvil_setNextBlockBaseFeePerGas", DEAR)
        await world.chain.mine()
        assert await world.chain.rpc("eth_getTransactionReceipt", first["hash"]) is None

        async def dear_enough() -> dict[str, Any] | None:
            again, transaction = await broadcast(world)
            assert again == nonce, "a second transaction of its own would move the money twice"
            return transaction if int(transaction["maxFeePerGas"], 16) > int(DEAR, 16) else None

        last = await until(dear_enough)
        assert last["hash"] != first["hash"]
        assert int(last["maxPriorityFeePerGas"], 16) > int(first["maxPriorityFeePerGas"], 16)
        answer = await served(world, calling)
        assert answer.status_code == 200, answer.text
        mined = decoded(answer.headers["payment-response"])["transaction"]
        receipt = await world.chain.rpc("eth_getTransactionReceipt", mined)
        assert receipt["status"] == "0x1"
        assert mined != first["hash"]
        assert await world.usdc.balance(world.provider.address) == before + PRICE
        call = (await world.provider.get(f"/history/{answer.headers['x-call-id']}")).json()
        assert call["txHash"] == mined
        for spent in (mined, first["hash"]):
            refused = await world.consumer.call(listing["id"], "/a", spent)
            assert refused.json()["details"]["reason"] == "payment_already_used"


async def served(world: World, calling: asyncio.Future[httpx.Response]) -> httpx.Response:
    """Mine at the dear price until the call is answered."""

    async def answered() -> httpx.Response | None:
        if calling.done():
            return calling.result()
        await world.chain.rpc("anvil_setNextBlockBaseFeePerGas", DEAR)
        await world.chain.mine()
        return None

    return await until(answered)


async def test_nobody_waits_and_the_server_died_yet_the_nonce_is_freed(tmp_path: Path) -> None:
    """The schedule looks after what was left behind; the proof, presented again, is served from the raised transaction."""
    async with slow_chain(tmp_path, facilitator_raise_seconds="1") as world:
        listing = await world.listed()
        header = await world.signed(listing)
        before = await world.usdc.balance(world.provider.address)
        await world.chain.automine(False)
        pending(await world.present(listing, header))
        _, first = await broadcast(world)
        world.server.kill()
        await world.server.restart()
        second = await replaced(world, first)
        await replaced(world, second)
        await world.chain.mine()
        await world.chain.automine(True)
        served = await world.present(listing, header)
        assert served.status_code == 200, served.text
        assert await world.usdc.balance(world.provider.address) == before + PRICE
        other = await world.present(listing, await world.signed(listing))
        assert other.status_code == 200, other.text


async def test_what_the_node_forgot_is_sent_again(tmp_path: Path) -> None:
    async with slow_chain(tmp_path, facilitator_raise_seconds="1") as world:
        listing = await world.listed()
        header = await world.signed(listing)
        await world.chain.automine(False)
        pending(await world.present(listing, header))
        await world.chain.rpc("anvil_dropAllTransactions")
        await broadcast(world)
        await world.chain.mine()
        await world.chain.automine(True)
        assert (await world.present(listing, header)).status_code == 200


async def test_processes_that_share_a_key_take_a_nonce_each(tmp_path: Path) -> None:
    async with slow_chain(tmp_path, "postgres", workers=2, facilitator_settle_seconds="30") as world:
        listing = await world.listed()
        headers = [await world.signed(listing) for _ in range(8)]
        await world.chain.automine(False)
        calling = [asyncio.ensure_future(world.present(listing, header)) for header in headers]

        async def all_there() -> bool:
            return len(await waiting(world.chain, world.chain.accounts[8].address)) == len(headers)

        await until(all_there)
        await world.chain.mine()
        answers = await asyncio.gather(*calling)
        assert [answer.status_code for answer in answers] == [200] * len(headers)
