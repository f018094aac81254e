"""Money under fire, over real HTTP, on a real chain: on SQLite, and on PostgreSQL with two worker processes.

`FLUX_LONG=1` lives ten thousand lives instead of a few dozen.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, chain_settings, purse
from tests.durability.books import Books
from tests.durability.fire import CRASHES, Fire, FireTarget, Life
from tests.harness.anvil import anvil
from tests.harness.node import hostile_node
from tests.harness.server import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = bool(os.environ.get("FLUX_LONG"))
LIVES = 40 if LONG else 12
BATCHES = 250 if LONG else 3
CALM = 4 if LONG else 0
"""Batches without a crash after each one with."""
SETTINGS = {
    "gateway_per_minute": "0", "max_in_flight": "5000", "connect_seconds": "1", "total_seconds": "1",
    "idle_seconds": "1", "lease_slack_seconds": "1", "rpc_seconds": "2", "rpc_budget_seconds": "6",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def fire(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fire]:
    directory: Path = tmp_path_factory.mktemp("fire")
    target = FireTarget()
    await target.start()
    workers = 2 if request.param == "postgres" else 1
    async with anvil() as chain, hostile_node(chain.url) as node:
        settings = chain_settings(chain, **SETTINGS)
        settings["paygate.chains"][0]["rpcUrls"] = [node.url]
        settings["jobs.lease_seconds"] = "2"
        async with (
            serve(directory, database=request.param, workers=workers, settings=settings) as server,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30)
            ) as http,
        ):
            provider = await purse(server, chain.accounts[0]).login()
            listing = await provider.list_api(f"{target.url}/fire", timeoutSeconds=1)
            await provider.http.aclose()
            yield Fire(server, chain, node, target, chain.accounts[1], listing, http, seed=20_260_101)
    target.gate.set()
    await target.stop()


async def test_a_thousand_calls_with_one_payment_are_one(fire: Fire) -> None:
    life = Life("thousand")
    life.tx_hash = await fire.pay()
    await fire.chain.mined(life.tx_hash)
    answers = await asyncio.gather(*(until_decided(fire, life) for _ in range(1000)))
    assert Counter(status for status, _ in answers) == {200: 1, 402: 999}
    assert {word for status, word in answers if status == 402} <= {"payment_in_use", "payment_already_used"}
    assert len(fire.target.hits) == 1
    books = await Books.of(fire.server)
    books.check()
    assert [row["state"] for row in books.payments.values()] == ["consumed"]
    [[call]] = books.calls.values()
    assert (call["status"], call["payment_status"]) == ("success", "consumed")
    moves = [
        (move["kind"], int(move["amount_base"]))
        for [*all_moves] in books.movements.values()
        for move in all_moves
    ]
    assert moves == [("reserve", PRICE), ("charge", -PRICE)]
    fire.target.hits.clear()


async def until_decided(fire: Fire, life: Life) -> tuple[int, str]:
    """A thousand at once may well be more than a busy machine's node answers in time; 503 decides nothing."""
    while True:
        status, word = await fire.call(life, "ok")
        if status != 503:
            return status, word
        await asyncio.sleep(0.5)


async def test_lives_under_fire(fire: Fire) -> None:
    for number in range(BATCHES):
        crash = CRASHES[number // (CALM + 1) % len(CRASHES)] if number % (CALM + 1) == 0 else None
        await fire.batch(LIVES, crash)
    await fire.finish()
    assert len(fire.lives) == BATCHES * LIVES
    await fire.audit()
    assert sum(life.delivered for life in fire.lives) > len(fire.lives) // 2


async def test_the_operators_journal_says_the_same(fire: Fire) -> None:
    headers = {"Authorization": f"Bearer {fire.server.operator['admin_token']}"}
    sums: Counter[str] = Counter()
    after = 0
    while True:
        path = f"{fire.server.origin}{API}/admin/journal?limit=1000&after={after}"
        async with fire.http.get(path, headers=headers) as answer:
            page = await answer.json()
        if not page["movements"]:
            break
        for move in page["movements"]:
            sums[move["payment"]] += int(move["amountBase"])
        after = page["next"]
    assert len(sums) > len(fire.lives)
    assert set(sums.values()) == {0}
