"""A target that dies: nobody pays for asking it, and it is called again once it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Purse, Target, chain_settings, purse, target
from tests.durability.books import Books
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
FAILURES = 3
OPEN_SECONDS = 1_000


@dataclass
class World:
    server: Server
    chain: Anvil
    target: Target
    provider: Purse
    consumer: Purse
    listing: dict[str, str]

    async def pay(self) -> str:
        return await self.chain.pay(self.consumer.account, self.listing["recipient"], PRICE)

    async def state(self) -> str:
        told = (await self.provider.get(f"/apis/{self.listing['id']}/analytics")).json()
        return str(told["target"]["state"])

    async def figure(self, name: str) -> float:
        token = self.server.operator["admin_token"]
        text = (await self.server.http.get("/metrics", headers={"Authorization": f"Bearer {token}"})).text
        lines = [line for line in text.splitlines() if line.startswith(name + "{")]
        return float(lines[0].rpartition(" ")[2])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("breaker")
    async with anvil() as chain, target() as there:
        settings = chain_settings(chain, breaker_failures=FAILURES, breaker_open_seconds=OPEN_SECONDS)
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            listing = await provider.list_api(f"{there.url}/dies")
            yield World(server, chain, there, provider, consumer, listing)
            await provider.http.aclose()
            await consumer.http.aclose()


async def test_a_target_that_dies_and_comes_back(world: World) -> None:
    api = world.listing["id"]
    # The status of a target that answers is its own affair, however often it is 500.
    for _ in range(FAILURES + 1):
        answered = await world.consumer.call(api, "/status/500", await world.pay())
        assert answered.status_code == 500 and "x-gateway-error" not in answered.headers
    assert await world.state() == "closed"

    payments = [await world.pay() for _ in range(FAILURES)]
    for tx_hash in payments:
        refused = await world.consumer.call(api, "/hangup", tx_hash)
        assert refused.json()["error"] == "GATEWAY_ERROR", refused.text
        assert refused.json()["details"]["paymentStatus"] == "released"
    assert await world.state() == "open"
    assert await world.figure("flux_paygate_targets_failing") == 1
    assert await world.figure("flux_paygate_breakers_opened_total") == 1

    seen = len(world.target.hits)
    fresh = await world.pay()
    for _ in range(5):
        refused = await world.consumer.call(api, "/weather", fresh)
        told = refused.json()
        assert (refused.status_code, told["error"]) == (503, "SERVICE_UNAVAILABLE"), told
        assert told["details"]["reason"] == "target_unavailable"
        assert 0 < int(refused.headers["Retry-After"]) <= OPEN_SECONDS
    unpaid = await world.consumer.http.get(f"{API}/gateway/{api}/weather")
    quote = await world.consumer.get(f"/apis/{api}/quote?method=GET&path=/weather")
    assert unpaid.status_code == quote.status_code == 503
    assert len(world.target.hits) == seen
    assert (await world.consumer.get(f"/payments/{fresh}")).json()["state"] == "available"

    await world.server.sandbox.clock(OPEN_SECONDS + 1)
    world.consumer.ahead = OPEN_SECONDS + 1
    assert await world.state() == "half-open"
    again = await world.consumer.call(api, "/hangup", payments[0])
    assert again.json()["error"] == "GATEWAY_ERROR"
    assert await world.state() == "open"

    await world.server.sandbox.clock(OPEN_SECONDS + 1)
    world.consumer.ahead += OPEN_SECONDS + 1
    served = await world.consumer.call(api, "/weather", fresh)
    assert served.status_code == 200, served.text
    assert await world.state() == "closed"
    for tx_hash in payments[1:]:
        assert (await world.consumer.call(api, "/weather", tx_hash)).status_code == 200
    (await Books.of(world.server)).check()
