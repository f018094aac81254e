"""Two processes on one PostgreSQL: limits and bans are of the instance, not of whichever process answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Purse, Target, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIMIT = 40
World = tuple[Server, Anvil, Target, Purse, Purse]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("workers")
    async with anvil() as chain, target() as there:
        settings = chain_settings(chain, gateway_per_minute=str(LIMIT), ban_after="6")
        async with serve(directory, database="postgres", workers=2, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            yield server, chain, there, provider, consumer
            await provider.http.aclose()
            await consumer.http.aclose()


async def fresh(url: str, headers: dict[str, str]) -> int:
    """Over a connection of its own, which any process may accept."""
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http, http.get(url, headers=headers) as answer:
        return answer.status


async def test_a_listings_window_is_exact(world: World) -> None:
    server, chain, there, provider, consumer = world
    listing = await provider.list_api(f"{there.url}/w", rateLimit={"requests": 3, "windowSeconds": 600})
    payments = [await chain.pay(consumer.account, listing["recipient"], PRICE) for _ in range(8)]
    url = f"{server.origin}{API}/gateway/{listing['id']}/a"
    calls = (
        fresh(url, {**consumer.proof(listing["id"], one), "X-Forwarded-For": f"198.18.7.{number}"})
        for number, one in enumerate(payments)
    )
    assert Counter(await asyncio.gather(*calls)) == {200: 3, 429: 5}
    assert len([hit for hit in there.hits if hit.target.startswith("/w")]) == 3


async def test_an_address_is_limited_and_banned_everywhere(world: World) -> None:
    server, _, there, provider, _ = world
    listing = await provider.list_api(f"{there.url}/v")
    url = f"{server.origin}{API}/gateway/{listing['id']}/a"
    pushing = {"X-Forwarded-For": "198.18.8.1"}
    passed, deadline, last = 0, time.monotonic() + 60, list[int]()
    while last[-20:] != [403] * 20:
        assert time.monotonic() < deadline, last[-50:]
        last += await asyncio.gather(*(fresh(url, pushing) for _ in range(5)))
        await asyncio.sleep(0.05)
    passed = last.count(401)
    # Each process may let a few more through before it hears of the other's.
    assert LIMIT <= passed <= LIMIT + 30
    assert last.count(429) >= 6
    assert await fresh(url, {"X-Forwarded-For": "198.18.8.2"}) == 401
