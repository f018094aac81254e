"""Credit, idempotency, reorganisations, leases and numbers: what becomes of money, on a real chain and both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Market, market, purse
from tests.durability.books import Books

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class World(Market):
    async def later(self, seconds: int) -> None:
        """Time passes, for the server and its chain."""
        await self.server.sandbox.clock(seconds)
        await self.chain.rpc("evm_increaseTime", seconds)
        self.consumer.ahead += seconds

    async def state(self, tx_hash: str) -> str:
        return str((await self.consumer.http.get(f"{API}/payments/{tx_hash}")).json()["state"])

    async def journal(self, payment: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.server.operator['admin_token']}"}
        found = (await self.consumer.http.get(f"{API}/admin/journal?limit=1000", headers=headers)).json()
        return [movement for movement in found["movements"] if payment in movement["payment"]]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("money")
    async with market(directory, request.param, World, reorg_check_seconds="1") as world:
        await world.consumer.login()
        yield world


async def test_one_payment_pays_many_calls_from_credit(world: World) -> None:
    listing = await world.listed(prepaidCredit=True)
    api, tx_hash = listing["id"], await world.paid(listing, 5 * PRICE // 2)
    first = await world.consumer.call(api, "/a", tx_hash)
    assert (first.status_code, first.headers["x-payment-remaining"]) == (200, "0.0015")
    second = await world.consumer.call(api, "/b", tx_hash, age=20)
    assert (second.status_code, second.headers["x-payment-remaining"]) == (200, "0.0005")
    third = await world.consumer.call(api, "/c", tx_hash, age=40)
    assert (third.status_code, third.json()["error"]) == (402, "INSUFFICIENT_PAYMENT")
    assert third.json()["details"]["available"] == "0.0005"
    [credit] = [
        row for row in (await world.consumer.get("/credits")).json()["credits"] if row["apiId"] == api
    ]
    assert (credit["balance"], credit["balanceBase"], credit["currency"]) == (
        "0.0005",
        str(PRICE // 2),
        "ETH",
    )
    more = await world.paid(listing, 3 * PRICE)
    topped = await world.consumer.call(api, "/d", more, age=60)
    assert topped.headers["x-payment-remaining"] == "0.0025"
    assert (await world.consumer.call(api, "/e", tx_hash, age=80)).headers["x-payment-remaining"] == "0.0015"
    call = (await world.consumer.get(f"/history/{first.headers['x-call-id']}")).json()
    assert (call["paymentFlow"], call["amount"]) == ("credit", "0.001")


async def test_a_signature_spends_credit_once(world: World) -> None:
    listing = await world.listed(prepaidCredit=True)
    api, tx_hash = listing["id"], await world.paid(listing, 10 * PRICE)
    headers = world.consumer.proof(api, tx_hash)
    url = f"{API}/gateway/{api}/a"
    answers = await asyncio.gather(*(world.consumer.http.get(url, headers=headers) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 402, 402, 402, 402]
    stranger = purse(world.server)
    stolen = await stranger.call(api, "/a", tx_hash)
    assert (stolen.status_code, stolen.json()["error"]) == (401, "INVALID_SIGNATURE")
    await stranger.http.aclose()


async def test_credit_is_never_overdrawn(world: World) -> None:
    listing = await world.listed(prepaidCredit=True)
    api, tx_hash = listing["id"], await world.paid(listing, 3 * PRICE)
    before = len(world.target.hits)
    answers = await asyncio.gather(
        *(world.consumer.call(api, "/a", tx_hash, age=20 * age) for age in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [402] * 9
    assert len(world.target.hits) == before + 3


async def test_a_failed_call_gives_credit_back(world: World) -> None:
    listing = await world.listed(prepaidCredit=True)
    api, tx_hash = listing["id"], await world.paid(listing, 2 * PRICE)
    failed = await world.consumer.call(api, "/status/500", tx_hash)
    assert (failed.headers["x-payment-status"], failed.headers["x-payment-remaining"]) == (
        "credited",
        "0.002",
    )
    broken = await world.consumer.call(api, "/short", tx_hash, age=20)
    assert broken.json()["details"]["paymentStatus"] == "credited"
    served = await world.consumer.call(api, "/a", tx_hash, age=40)
    assert served.headers["x-payment-remaining"] == "0.001"


async def test_an_idempotency_key_answers_again_without_charge(world: World) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    key = {"Idempotency-Key": "order-0001"}
    first = await world.consumer.call(api, "/a?x=1", tx_hash, headers=key)
    hits = len(world.target.hits)
    assert "idempotency-key" not in world.target.hits[-1].headers
    again = await world.consumer.call(api, "/a?x=1", tx_hash, headers=key, age=2)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-call-id"] == first.headers["x-call-id"]
    searched = await world.consumer.call(api, "/a?x=1", tx_hash, headers=key, timestamp=False)
    assert searched.headers["idempotent-replayed"] == "true"
    assert len(world.target.hits) == hits
    other = await world.consumer.call(api, "/a?x=2", tx_hash, headers=key)
    assert (other.status_code, other.json()["details"]["param"]) == (400, "Idempotency-Key")
    fresh = await world.paid(listing)
    with_new_payment = await world.consumer.call(api, "/a?x=1", fresh, headers=key)
    assert with_new_payment.headers["idempotent-replayed"] == "true"
    assert await world.state(fresh) == "available"
    without = await world.consumer.call(api, "/a?x=1", tx_hash)
    assert without.json()["details"]["reason"] == "payment_already_used"


async def test_a_key_whose_call_failed_is_free_again(world: World) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    key = {"Idempotency-Key": "order-0002"}
    assert (await world.consumer.call(api, "/status/500", tx_hash, headers=key)).status_code == 500
    served = await world.consumer.call(api, "/a", tx_hash, headers=key)
    assert (served.status_code, "idempotent-replayed" in served.headers) == (200, False)


async def test_two_at_once_under_one_key_are_one_call(world: World) -> None:
    listing = await world.listed()
    api = listing["id"]
    one, two = await world.paid(listing), await world.paid(listing)
    key = {"Idempotency-Key": "order-0003"}
    before = len(world.target.hits)
    answers = await asyncio.gather(*(world.consumer.call(api, "/a", tx, headers=key) for tx in (one, two)))
    assert len(world.target.hits) == before + 1
    assert {answer.status_code for answer in answers} <= {200, 402}
    assert sorted([await world.state(one), await world.state(two)]) == ["available", "consumed"]


async def test_the_dashboard_adds_up(world: World) -> None:
    listing = await world.listed()
    api = listing["id"]
    for path in ("/a", "/a", "/status/404", "/status/500"):
        await world.consumer.call(api, path, await world.paid(listing))
    analytics = (await world.provider.get(f"/apis/{api}/analytics?bucket=hour")).json()
    totals = {
        name: sum(row[name] for row in analytics["series"])
        for name in ("calls", "success", "errors4xx", "errors5xx")
    }
    assert totals == {"calls": 4, "success": 2, "errors4xx": 1, "errors5xx": 1}
    assert analytics["topPaths"][0] == {"method": "GET", "path": "/a", "calls": 2}
    assert analytics["topConsumers"] == [{"consumer": world.consumer.address, "calls": 4}]
    revenue = [row["revenue"] for row in analytics["series"]]
    assert sum(int(float(money["amount"]) * 1000 + 0.5) for rows in revenue for money in rows) == 3
    refused = await world.consumer.get(f"/apis/{api}/analytics")
    assert (refused.status_code, refused.json()["error"]) == (403, "FORBIDDEN")
    long = await world.provider.get(f"/apis/{api}/analytics?from=2020-01-01T00:00:00Z")
    assert (long.status_code, long.json()["error"]) == (400, "INVALID_PARAMETER")
    shown = (await world.provider.get("/dashboard")).json()
    assert shown["address"] == world.provider.address
    assert shown["asProvider"]["activeApis"] == shown["asProvider"]["apis"]
    assert shown["asProvider"]["last30Days"][0]["calls"] >= 4
    mine = (await world.consumer.get("/dashboard")).json()
    assert mine["asConsumer"]["calls"] >= 4
    assert mine["asConsumer"]["spent"][0]["currency"] == "ETH"
    detail = (await world.consumer.get(f"/apis/{api}")).json()
    assert detail["stats"]["calls"] == 4
    assert detail["stats"]["uniqueConsumers"] == 1
    assert detail["stats"]["successRate"] == 0.5


async def test_a_lease_that_runs_out_counts_as_used(world: World) -> None:
    """The target hangs, and the sandbox clock passes the lease while the call is under way."""
    listing = await world.listed(timeoutSeconds=120)
    api, tx_hash = listing["id"], await world.paid(listing)
    world.target.gate.clear()
    before = len(world.target.hits)
    calling = asyncio.ensure_future(world.consumer.call(api, "/gate", tx_hash))
    while len(world.target.hits) == before:
        await asyncio.sleep(0.01)
    assert await world.state(tx_hash) == "reserved"
    await world.later(600)
    for _ in range(200):
        if await world.state(tx_hash) != "reserved":
            break
        await asyncio.sleep(0.05)
    assert await world.state(tx_hash) == "consumed"
    world.target.gate.set()
    assert (await calling).status_code == 200
    moves = await world.journal(tx_hash)
    assert [move["kind"] for move in moves] == ["reserve", "charge"]


async def test_a_payment_that_vanishes_is_orphaned_and_may_pay_again(world: World) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    raw = await world.chain.rpc("eth_getRawTransactionByHash", tx_hash)
    served = await world.consumer.call(api, "/a", tx_hash)
    assert served.status_code == 200, served.text
    await world.chain.reorg(1)
    await world.later(15)
    for _ in range(200):
        if await world.state(tx_hash) == "orphaned":
            break
        await asyncio.sleep(0.05)
    assert await world.state(tx_hash) == "orphaned"
    call = (await world.consumer.get(f"/history/{served.headers['x-call-id']}")).json()
    assert call["paymentStatus"] == "orphaned"
    assert [move["kind"] for move in await world.journal(tx_hash)][-2:] == ["reversal", "orphaned"]
    gone = await world.consumer.call(api, "/a", tx_hash)
    assert gone.json()["error"] == "PAYMENT_NOT_FOUND"
    await world.chain.rpc("evm_setNextBlockTimestamp", int(time.time()) + world.consumer.ahead + 1)
    await world.chain.mine()
    await world.chain.rpc("eth_sendRawTransaction", raw)
    await world.chain.mined(tx_hash)
    await world.later(3)
    again = await world.consumer.call(api, "/a", tx_hash)
    assert again.status_code == 200, again.text


async def test_a_deposit_that_vanishes_takes_its_credit_along(world: World) -> None:
    listing = await world.listed(prepaidCredit=True)
    api, tx_hash = listing["id"], await world.paid(listing, 3 * PRICE)
    served = await world.consumer.call(api, "/a", tx_hash)
    assert (served.status_code, served.headers["x-payment-remaining"]) == (200, "0.002")
    await world.chain.reorg(1)
    await world.later(15)
    await until(world, tx_hash, "orphaned")
    books = await Books.of(world.server)
    books.check()
    moves = books.movements[f"tx:{world.chain.chain_id}:{tx_hash}"]
    assert [(move["kind"], int(move["amount_base"])) for move in moves] == [
        ("reserve", 3 * PRICE), ("deposit", -3 * PRICE), ("withdraw", 2 * PRICE), ("uncovered", PRICE),
        ("orphaned", -3 * PRICE),
    ]  # fmt: skip
    assert [left for account, left in books.credits.items() if account[1] == api] == [0]


async def until(world: World, tx_hash: str, state: str) -> None:
    deadline = time.monotonic() + 30
    while await world.state(tx_hash) != state:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_the_books_add_up(world: World) -> None:
    """Balances of payments and of credit, computed anew from the journal."""
    books = await Books.of(world.server)
    assert len(books.payments) > 20
    books.check()


async def test_every_settled_payment_sums_to_zero(world: World) -> None:
    sums: dict[str, int] = {}
    for movement in await world.journal(""):
        sums[movement["payment"]] = sums.get(movement["payment"], 0) + int(movement["amountBase"])
    assert len(sums) > 20
    assert set(sums.values()) == {0}
