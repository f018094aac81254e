"""A wallet logs in, lists an API, pays for a call and makes it, on a real chain and both databases."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, Market, market, purse

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Market]:
    async with market(tmp_path_factory.mktemp("wallet"), request.param, Market) as world:
        yield world


async def test_a_call_that_is_paid_reaches_the_target(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    answer = await world.consumer.call(
        listing["id"], "/weather?city=Oslo%20Sentrum", tx_hash, headers={"X-Own": "1"}
    )
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    base = listing["endpoint"].removeprefix(world.target.url)
    assert seen["target"] == f"{base}/weather?city=Oslo%20Sentrum"
    assert seen["headers"]["x-own"] == "1"
    assert seen["headers"]["x-consumer-wallet"] == world.consumer.address
    assert seen["headers"]["x-payment-hash"] == tx_hash
    assert seen["headers"]["x-paid-amount"] == "0.001"
    assert seen["headers"]["host"] == f"127.0.0.1:{world.target.port}"
    assert "x-payment-tx" not in seen["headers"]
    assert answer.headers["x-payment-status"] == "consumed"
    assert answer.headers["x-call-id"].startswith("call_")
    assert "x-gateway-error" not in answer.headers
    assert int(answer.headers["ratelimit-remaining"]) < int(answer.headers["ratelimit-limit"])


async def test_the_target_can_tell_the_gateway(world: Market) -> None:
    listing = await world.listed()
    body = b'{"a": "\xc3\xbc"}'
    tx_hash = await world.paid(listing)
    kind = {"Content-Type": "application/json"}
    answer = await world.consumer.call(
        listing["id"], "/x?y=1", tx_hash, method="POST", content=body, headers=kind
    )
    hit = world.target.hits[-1]
    assert answer.status_code == 200
    assert (hit.method, hit.body) == ("POST", body)
    at, mark = hit.headers["x-gateway-signature"].removeprefix("t=").split(",v1=")
    text = f"{at}.POST.{hit.target}.{hashlib.sha256(body).hexdigest()}"
    assert mark == hmac.new(listing["listingSecret"].encode(), text.encode(), hashlib.sha256).hexdigest()


async def test_the_same_transaction_does_not_pay_twice(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    assert (await world.consumer.call(listing["id"], "/a", tx_hash)).status_code == 200
    again = await world.consumer.call(listing["id"], "/a", tx_hash)
    assert again.status_code == 402
    assert again.json()["error"] == "INSUFFICIENT_PAYMENT"
    assert again.json()["details"]["reason"] == "payment_already_used"
    assert again.headers["x-gateway-error"] == "INSUFFICIENT_PAYMENT"
    other = await world.listed()
    elsewhere = await world.consumer.call(other["id"], "/a", tx_hash)
    assert elsewhere.json()["details"]["reason"] == "payment_already_used"


async def test_twenty_at_once_with_one_transaction_reach_the_target_once(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    before = len(world.target.hits)
    answers = await asyncio.gather(
        *(world.consumer.call(listing["id"], f"/n/{index}", tx_hash) for index in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[402] * 19]
    assert len(world.target.hits) == before + 1
    reasons = {answer.json()["details"]["reason"] for answer in answers if answer.status_code == 402}
    assert reasons <= {"payment_in_use", "payment_already_used"}


async def test_a_signature_without_a_timestamp_header_is_found(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    answer = await world.consumer.call(listing["id"], "/a", tx_hash, timestamp=False, age=200)
    assert answer.status_code == 200, answer.text


async def test_aliases_and_upper_case_hashes(world: Market) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    proof = world.consumer.proof(api, "0x" + tx_hash[2:].upper())
    headers = {
        "x-flux-payment-tx": proof["X-Payment-Tx"],
        "x-flux-signature": proof["X-Signature"],
        "x-flux-timestamp": proof["X-Timestamp"],
    }
    answer = await world.consumer.http.get(f"{API}/gateway/{api}/a", headers=headers)
    assert answer.status_code == 200, answer.text
    lower = await world.paid(listing)
    proof = {**world.consumer.proof(api, lower), "X-Payment-Tx": "0x" + lower[2:].upper()}
    answer = await world.consumer.http.get(f"{API}/gateway/{api}/a", headers=proof)
    assert answer.status_code == 200, answer.text


async def test_a_target_that_fails_releases_the_payment_three_times(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    for expected in ("released", "released", "consumed"):
        answer = await world.consumer.call(listing["id"], "/status/500", tx_hash)
        assert answer.status_code == 500
        assert answer.json() == {"from": "target"}
        assert answer.headers["x-payment-status"] == expected
        assert "x-gateway-error" not in answer.headers
    assert (await world.consumer.call(listing["id"], "/status/500", tx_hash)).status_code == 402


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/short", "truncated"), ("/badjson", "invalid_json"), ("/garbage", "protocol"), ("/badlength", "protocol"),
     ("/x402", "upstream_payment_required"), ("/huge", "protocol")],
)  # fmt: skip
async def test_a_released_payment_pays_the_next_call(world: Market, path: str, reason: str) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    answer = await world.consumer.call(listing["id"], path, tx_hash)
    assert answer.status_code == 502, answer.text
    assert answer.json()["error"] == "INVALID_GATEWAY_RESPONSE"
    assert answer.json()["details"]["reason"] == reason
    assert answer.json()["details"]["paymentStatus"] == "released"
    again = await world.consumer.call(listing["id"], "/weather", tx_hash)
    assert again.status_code == 200
    assert again.headers["x-payment-status"] == "consumed"


async def test_history_shows_both_sides(world: Market) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    answer = await world.consumer.call(api, "/a?secret=1", tx_hash)
    call_id = answer.headers["x-call-id"]
    consumer = await purse(world.server, world.consumer.account).login()
    mine = (await consumer.get(f"/history?apiId={api}")).json()
    assert mine["total"] == 1
    [call] = mine["calls"]
    assert (call["id"], call["path"], call["txHash"]) == (call_id, "/a?secret=1", tx_hash)
    assert (call["status"], call["httpStatus"], call["paymentStatus"]) == ("success", 200, "consumed")
    assert (call["amount"], call["currency"], call["chain"]) == ("0.001", "ETH", "base-sepolia")
    theirs = (await world.provider.get(f"/calls/{call_id}")).json()
    assert theirs["path"] == "/a?secret=…"
    assert (await world.provider.get(f"/history?apiId={api}")).json()["total"] == 0
    assert (await world.provider.get(f"/history?apiId={api}&role=provider")).json()["total"] == 1
    stranger = await purse(world.server).login()
    refused = await stranger.get(f"/history/{call_id}")
    assert (refused.status_code, refused.json()["error"]) == (404, "CALL_NOT_FOUND")
    state = (await world.consumer.get(f"/payments/{tx_hash}")).json()
    assert (state["state"], state["apiId"], state["callId"]) == ("consumed", api, call_id)
    assert "paidBase" not in state
    assert (await consumer.get(f"/payments/{tx_hash}")).json()["paidBase"] == str(PRICE)
    await consumer.http.aclose()
    await stranger.http.aclose()


async def test_the_quote_says_what_the_chain_must_show(world: Market) -> None:
    listing = await world.listed(
        endpoints=[{"method": "GET", "path": "/dear/:id", "pricePerRequest": "0.002"}]
    )
    api = listing["id"]
    quote = (await world.consumer.get(f"/apis/{api}/quote?method=GET&path=/dear/7")).json()
    assert (quote["amount"], quote["amountBaseUnits"]) == ("0.002", str(2 * PRICE))
    assert quote["recipient"] == world.provider.address
    cheap = await world.paid(listing, PRICE)
    low = await world.consumer.call(api, "/dear/7", cheap)
    assert low.json()["details"]["reason"] == "amount_too_low"
    enough = await world.paid(listing, 2 * PRICE)
    assert (await world.consumer.call(api, "/dear/7", enough)).status_code == 200
    missing = await world.consumer.call(api, "/cheap", cheap)
    assert (missing.status_code, missing.json()["error"]) == (404, "ENDPOINT_NOT_FOUND")
    assert missing.json()["details"]["available"] == ["GET /dear/{id}"]


async def test_the_old_price_holds_for_what_was_paid_about_the_rise(world: Market) -> None:
    listing = await world.listed()
    api, before = listing["id"], await world.paid(listing)
    raised = await world.provider.patch(f"/apis/{api}", {"pricePerRequest": "0.005"})
    assert raised.json()["pricePerRequest"] == "0.005"
    assert (await world.consumer.call(api, "/a", before)).status_code == 200
    soon_after = await world.paid(listing)
    assert (await world.consumer.call(api, "/a", soon_after)).status_code == 200


async def test_events_stream_and_end_with_the_consumer(world: Market) -> None:
    listing = await world.listed()
    api, tx_hash = listing["id"], await world.paid(listing)
    world.target.gate.clear()
    received = b""
    headers = world.consumer.proof(api, tx_hash)
    async with world.consumer.http.stream("GET", f"{API}/gateway/{api}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-payment-status"] == "consumed"
        assert answer.headers["x-accel-buffering"] == "no"
        async for chunk in answer.aiter_raw():
            received += chunk
            if received.count(b"\n\n") == 3:
                break
        call_id = answer.headers["x-call-id"]
    assert received == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    for _ in range(100):
        call = (await world.provider.get(f"/history/{call_id}")).json()
        if call["status"] == "aborted":
            break
        await asyncio.sleep(0.05)
    assert (call["status"], call["paymentStatus"]) == ("aborted", "consumed")


async def test_headers_of_the_target_are_cleaned(world: Market) -> None:
    listing = await world.listed()
    api = listing["id"]
    answer = await world.consumer.call(api, "/headers", await world.paid(listing))
    assert answer.headers.get_list("x-own") == ["1", "2"]
    for name in ("set-cookie", "server", "x-gateway-error"):
        assert name not in answer.headers
    assert answer.headers["location"] == "/weather"
    assert answer.headers["cache-control"] == "private"
    head = await world.consumer.call(api, "/large", await world.paid(listing), method="HEAD")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "3000000", b"")
    large = await world.consumer.call(api, "/large", await world.paid(listing))
    assert len(large.content) == 3_000_000


async def test_a_consumer_who_hangs_up_has_paid(world: Market) -> None:
    listing = await world.listed()
    tx_hash = await world.paid(listing)
    before = len(world.target.hits)
    world.target.gate.clear()
    calling = asyncio.ensure_future(world.consumer.call(listing["id"], "/gate", tx_hash))
    while len(world.target.hits) == before and not calling.done():
        await asyncio.sleep(0.01)
    calling.cancel()
    for _ in range(100):
        state = (await world.consumer.get(f"/payments/{tx_hash}")).json()
        if state["state"] != "reserved":
            break
        await asyncio.sleep(0.05)
    world.target.gate.set()
    assert state["state"] == "consumed"
    assert (await world.provider.get(f"/history/{state['callId']}")).json()["status"] == "aborted"


async def test_the_journal_sums_to_zero_for_every_settled_payment(world: Market) -> None:
    token = world.server.operator["admin_token"]
    answer = await world.provider.http.get(
        f"{API}/admin/journal?limit=1000", headers={"Authorization": f"Bearer {token}"}
    )
    movements = answer.json()["movements"]
    assert {movement["kind"] for movement in movements} >= {"reserve", "charge", "release"}
    sums: dict[str, int] = {}
    for movement in movements:
        sums[movement["payment"]] = sums.get(movement["payment"], 0) + int(movement["amountBase"])
        assert int(movement["balanceAfter"]) == sums[movement["payment"]]
    assert set(sums.values()) == {0}
