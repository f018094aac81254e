"""x402 with the unmodified Python client: both versions, paid in the chain's real USDC address, settled by us."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from eth_account import Account
from eth_account.signers.local import LocalAccount
from tests.clients.paygate_world import API, Purse, Target, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve
from tests.harness.token import Usdc
from x402 import x402Client
from x402.extensions.bazaar import ListDiscoveryResourcesParams, extract_discovery_info, with_bazaar
from x402.extensions.bazaar.facilitator_client import DiscoveryResourcesResponse
from x402.extensions.payment_identifier import append_payment_identifier_to_extensions
from x402.http import FacilitatorConfig, HTTPFacilitatorClient, HTTPFacilitatorClientSync
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import encode_payment_signature_header
from x402.mechanisms.evm.exact import register_exact_evm_client
from x402.schemas import PaymentPayload, PaymentRequired, PaymentRequirements
from x402.schemas.v1 import PaymentRequiredV1

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRICE = 10_000


@dataclass
class World:
    server: Server
    chain: Anvil
    usdc: Usdc
    target: Target
    provider: Purse
    consumer: Purse
    numbers: Any = field(default_factory=itertools.count)

    async def listed(self, **change: Any) -> dict[str, Any]:
        body = {"currency": "USDC", "pricePerRequest": "0.01", **change}
        return await self.provider.list_api(f"{self.target.url}/x{next(self.numbers)}", **body)

    def client(self, account: LocalAccount | None = None, *, version: int = 2) -> x402HttpxClient:
        """`version` 1: as against a server that knows no header of requirements."""
        client = x402HttpxClient(
            payer(account or self.consumer.account), base_url=self.server.origin, timeout=30
        )
        if version == 1:
            client._transport._transport = WithoutVersion2()
        return client

    async def unpaid(self, listing: dict[str, Any], path: str = "/a") -> httpx.Response:
        return await self.consumer.http.get(f"{API}/x402/{listing['id']}{path}")

    async def signed(
        self, listing: dict[str, Any], account: LocalAccount | None = None, path: str = "/a"
    ) -> str:
        """A PAYMENT-SIGNATURE header that was not sent yet."""
        required = PaymentRequired.model_validate(
            decoded((await self.unpaid(listing, path)).headers["payment-required"])
        )
        payload = await payer(account or self.consumer.account).create_payment_payload(required)
        return encode_payment_signature_header(payload)

    async def present(
        self, listing: dict[str, Any], header: str, path: str = "/a", mount: str = "x402"
    ) -> httpx.Response:
        return await self.consumer.http.get(
            f"{API}/{mount}/{listing['id']}{path}", headers={"PAYMENT-SIGNATURE": header}
        )


class WithoutVersion2(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.headers.pop("payment-required", None)
        return answer


def payer(account: LocalAccount) -> x402Client:
    return register_exact_evm_client(x402Client(), account)


def decoded(header: str) -> Any:
    return json.loads(base64.b64decode(header))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("x402")
    async with anvil() as chain, target() as there:
        usdc = await Usdc(chain).deploy()
        await usdc.mint(chain.accounts[1].address, 10**9)
        settings = chain_settings(chain, facilitator_key="0x" + chain.accounts[8].key.hex())
        async with serve(directory, database=request.param, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            yield World(server, chain, usdc, there, provider, consumer)
            await provider.http.aclose()
            await consumer.http.aclose()


async def test_what_the_unpaid_are_told_follows_the_listing(world: World) -> None:
    """It is made once and said again, until anything that it says has changed."""
    listing = await world.listed()

    async def told(path: str = "/a") -> tuple[str, str, str, str]:
        answers = [await world.unpaid(listing, path) for _ in range(2)]
        assert answers[0].content == answers[1].content
        required = decoded(answers[0].headers["payment-required"])
        [first], body = answers[0].json()["accepts"], answers[0].json()
        assert first["resource"] == required["resource"]["url"]
        assert required["accepts"][0]["amount"] == first["maxAmountRequired"]
        return (
            first["maxAmountRequired"],
            first["resource"].rpartition("/")[2],
            first["description"],
            body["details"]["payment"]["amount"],
        )

    async def change(**fields: Any) -> None:
        headers = world.provider.headers
        answer = await world.provider.http.patch(f"{API}/apis/{listing['id']}", json=fields, headers=headers)
        assert answer.status_code == 200, answer.text

    name = listing["name"]
    assert await told() == ("10000", "a", name, "0.01")
    assert await told("/b") == ("10000", "b", name, "0.01")
    for changed, wanted in (
        ({"pricePerRequest": "0.02"}, ("20000", "a", name, "0.02")),
        ({"description": "Weather"}, ("20000", "a", "Weather", "0.02")),
        ({"pricePerRequest": "0.01"}, ("10000", "a", "Weather", "0.01")),
    ):
        await change(**changed)
        assert await told() == wanted
    await change(x402={"enabled": False})
    refused = await world.unpaid(listing)
    assert (refused.status_code, "accepts" in refused.json()) == (402, False)
    assert "payment-required" not in refused.headers


async def test_an_unmodified_client_pays_and_is_served(world: World) -> None:
    listing = await world.listed()
    before = await world.usdc.balance(world.provider.address)
    async with world.client() as client:
        answer = await client.get(f"{API}/x402/{listing['id']}/weather?city=Oslo")
    assert answer.status_code == 200, answer.text
    assert answer.json()["headers"]["x-consumer-wallet"] == world.consumer.address
    assert "payment-signature" not in answer.json()["headers"]
    assert await world.usdc.balance(world.provider.address) == before + PRICE
    receipt = decoded(answer.headers["payment-response"])
    assert receipt["success"] is True
    assert (receipt["payer"], receipt["network"], receipt["amount"]) == (
        world.consumer.address,
        "eip155:84532",
        "10000",
    )
    assert answer.headers["x-payment-status"] == "consumed"
    call = (await world.provider.get(f"/history/{answer.headers['x-call-id']}")).json()
    assert (call["paymentFlow"], call["txHash"], call["currency"]) == (
        "x402-v2",
        receipt["transaction"],
        "USDC",
    )
    state = (await world.consumer.get(f"/payments/{receipt['transaction']}")).json()
    assert (state["state"], state["callId"]) == ("consumed", call["id"])


async def test_an_unmodified_client_pays_in_version_1(world: World) -> None:
    listing = await world.listed()
    before = await world.usdc.balance(world.provider.address)
    async with world.client(version=1) as client:
        answer = await client.get(f"{API}/x402/{listing['id']}/weather")
    assert answer.status_code == 200, answer.text
    receipt = decoded(answer.headers["x-payment-response"])
    assert (receipt["success"], receipt["network"]) == (True, "base-sepolia")
    assert "payment-response" not in answer.headers
    call = (await world.provider.get(f"/history/{answer.headers['x-call-id']}")).json()
    assert call["paymentFlow"] == "x402-v1"
    assert await world.usdc.balance(world.provider.address) == before + PRICE


async def test_version_1_pays_too(world: World) -> None:
    listing = await world.listed()
    unpaid = await world.unpaid(listing)
    body = unpaid.json()
    assert (unpaid.status_code, body["error"], body["code"], body["x402Version"]) == (
        402,
        "MISSING_PAYMENT_TX",
        402,
        1,
    )
    assert "outputSchema" not in body["accepts"][0]
    required = PaymentRequiredV1.model_validate(
        {"x402Version": 1, "accepts": body["accepts"], "error": body["error"]}
    )
    payload = await payer(world.consumer.account).create_payment_payload(required)
    header = encode_payment_signature_header(payload)
    answer = await world.consumer.http.get(f"{API}/gateway/{listing['id']}/a", headers={"X-PAYMENT": header})
    assert answer.status_code == 200, answer.text
    receipt = decoded(answer.headers["x-payment-response"])
    assert (receipt["success"], receipt["network"]) == (True, "base-sepolia")


async def test_the_gateway_itself_answers_401_and_tells_the_way(world: World) -> None:
    listing = await world.listed()
    answer = await world.consumer.http.get(f"{API}/gateway/{listing['id']}/a")
    assert (answer.status_code, answer.json()["error"]) == (401, "MISSING_PAYMENT_TX")
    assert set(answer.json()) == {"error", "message", "code", "details"}
    [accepts] = decoded(answer.headers["payment-required"])["accepts"]
    assert (accepts["amount"], accepts["payTo"]) == ("10000", world.provider.address)
    assert f"/x402/{listing['id']}/a" in answer.headers["link"]
    insists = await world.listed(x402={"unpaidStatus": 402})
    answer = await world.consumer.http.get(f"{API}/gateway/{insists['id']}/a")
    assert (answer.status_code, answer.json()["code"], answer.json()["x402Version"]) == (402, 402, 1)


async def test_one_authorisation_at_once_is_served_once(world: World) -> None:
    listing = await world.listed()
    header = await world.signed(listing)
    before = len(world.target.hits)
    answers = await asyncio.gather(*(world.present(listing, header) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[402] * 9]
    assert len(world.target.hits) == before + 1
    again = await world.present(listing, header)
    assert (again.status_code, again.json()["details"]["reason"]) == (402, "payment_already_used")
    assert again.json()["x402Version"] == 1


async def test_a_target_that_fails_costs_nothing(world: World) -> None:
    listing = await world.listed()
    before = await world.usdc.balance(world.provider.address)
    header = await world.signed(listing, path="/status/503")
    failed = await world.present(listing, header, "/status/503")
    assert (failed.status_code, failed.headers["x-payment-status"]) == (503, "released")
    assert "payment-response" not in failed.headers
    refused = await world.present(listing, header, "/status/404")
    assert (refused.status_code, refused.headers["x-payment-status"]) == (404, "released")
    assert await world.usdc.balance(world.provider.address) == before
    served = await world.present(listing, header, "/a")
    assert served.status_code == 200, served.text
    assert await world.usdc.balance(world.provider.address) == before + PRICE


async def test_a_stream_is_paid_before_it_flows(world: World) -> None:
    listing = await world.listed()
    world.target.gate.set()
    before = await world.usdc.balance(world.provider.address)
    answer = await world.present(listing, await world.signed(listing), "/events")
    assert answer.content == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert decoded(answer.headers["payment-response"])["success"] is True
    assert await world.usdc.balance(world.provider.address) == before + PRICE


async def test_what_cannot_be_paid_is_answered_with_fresh_requirements(world: World) -> None:
    listing = await world.listed()
    poor = world.chain.accounts[7]
    answer = await world.present(listing, await world.signed(listing, poor))
    assert (answer.status_code, answer.json()["error"]) == (402, "INSUFFICIENT_PAYMENT")
    assert answer.json()["details"]["x402Reason"] == "invalid_exact_evm_insufficient_balance"
    assert decoded(answer.headers["payment-required"])["accepts"][0]["amount"] == "10000"
    dearer = await world.listed(pricePerRequest="0.02")
    other = await world.present(dearer, await world.signed(listing))
    assert other.json()["details"]["x402Reason"] == "invalid_exact_evm_payload_authorization_value_mismatch"


@pytest.mark.parametrize(
    "junk",
    [
        "%%%",
        "e30=",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"x402Version":2}').decode(),
        "A" * 20_000,
    ],
)
async def test_undecodable_proofs(world: World, junk: str) -> None:
    answer = await world.present(await world.listed(), junk)
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert answer.json()["details"]["reason"] == "bad_payment_payload"


async def test_a_settlement_does_not_pay_again_as_a_transaction(world: World) -> None:
    listing = await world.listed(allowRelayedPayments=True)
    answer = await world.present(listing, await world.signed(listing))
    settled = decoded(answer.headers["payment-response"])["transaction"]
    twice = await world.consumer.call(listing["id"], "/a", settled)
    assert (twice.status_code, twice.json()["details"]["reason"]) == (402, "payment_already_used")


async def test_ether_listings_with_an_amount_take_both(world: World) -> None:
    listing = await world.listed(currency="ETH", pricePerRequest="0.001", x402={"amount": "0.05"})
    answer = await world.present(listing, await world.signed(listing))
    assert answer.status_code == 200, answer.text
    assert decoded(answer.headers["payment-response"])["amount"] == "50000"
    tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], 10**15)
    assert (await world.consumer.call(listing["id"], "/a", tx_hash)).status_code == 200
    plain = await world.listed(currency="ETH", pricePerRequest="0.001")
    refused = await world.consumer.http.get(
        f"{API}/gateway/{plain['id']}/a", headers={"PAYMENT-SIGNATURE": "e30="}
    )
    assert refused.json()["error"] == "INVALID_PARAMETER"
    assert "payment-required" not in refused.headers


async def test_usdc_paid_directly(world: World) -> None:
    listing = await world.listed()
    tx_hash = await world.usdc.transfer(world.consumer.account, listing["recipient"], PRICE)
    answer = await world.consumer.call(listing["id"], "/a", tx_hash)
    assert answer.status_code == 200, answer.text
    for amount, to, reason in (
        (PRICE - 1, listing["recipient"], "amount_too_low"),
        (PRICE, world.chain.accounts[5].address, "recipient_mismatch"),
    ):
        short = await world.usdc.transfer(world.consumer.account, to, amount)
        refused = await world.consumer.call(listing["id"], "/a", short)
        assert (refused.status_code, refused.json()["details"]["reason"]) == (402, reason)
        assert refused.json()["accepts"]
    ether = await world.chain.pay(world.consumer.account, listing["recipient"], 10**18)
    assert (await world.consumer.call(listing["id"], "/a", ether)).json()["details"][
        "reason"
    ] == "wrong_token"
    failed = await world.usdc.transfer(world.chain.accounts[7], listing["recipient"], PRICE)
    reverted = await purse(world.server, world.chain.accounts[7]).call(listing["id"], "/a", failed)
    assert reverted.json()["error"] == "PAYMENT_REVERTED"


async def test_the_facilitator_serves_others_over_http(world: World) -> None:
    listing = await world.listed()
    client = HTTPFacilitatorClient(FacilitatorConfig(url=f"{world.server.origin}{API}/facilitator"))
    supported = await asyncio.to_thread(client.get_supported)
    assert {(kind.x402_version, kind.network) for kind in supported.kinds} == {
        (2, "eip155:84532"),
        (1, "base-sepolia"),
    }
    payload = PaymentPayload.model_validate(decoded(await world.signed(listing)))
    requirement = PaymentRequirements.model_validate(payload.accepted.model_dump(by_alias=True))
    checked = await client.verify(payload, requirement)
    assert (checked.is_valid, checked.payer) == (True, world.consumer.address)
    before = await world.usdc.balance(world.provider.address)
    settled = await client.settle(payload, requirement)
    assert settled.success
    assert await world.usdc.balance(world.provider.address) == before + PRICE
    again = await client.verify(payload, requirement)
    assert (again.is_valid, again.invalid_reason) == (False, "invalid_exact_evm_nonce_already_used")
    stranger = requirement.model_copy(update={"pay_to": world.chain.accounts[6].address})
    drained = await client.settle(payload, stranger)
    assert (drained.success, drained.error_reason) == (False, "invalid_payment_requirements")


async def test_the_bazaar_lists_what_takes_x402(world: World) -> None:
    listing = await world.listed(name="In the bazaar")
    found = (await world.consumer.http.get(f"{API}/discovery/resources?limit=100")).json()
    assert found["pagination"]["total"] >= 1
    [item] = [item for item in found["items"] if item["metadata"]["apiId"] == listing["id"]]
    assert item["resource"] == f"{world.server.origin}{API}/x402/{listing['id']}"
    assert item["accepts"][0]["network"] == "eip155:84532"
    shown = (await world.consumer.get(f"/apis/{listing['id']}/discovery")).json()
    assert shown["x402"] == {"versions": [1, 2], "url": item["resource"]}


async def test_the_bazaar_is_searched_by_its_own_client(world: World) -> None:
    """One resource an operation, at its own price and recipient; pages and filters are the database's work."""
    payee = Account.create().address
    listing = await world.listed(
        recipient=payee,
        tags=["weather"],
        endpoints=[
            {"method": "GET", "path": "/now/:city"},
            {"method": "POST", "path": "/ask", "pricePerRequest": "0.05"},
            {"method": "GET", "path": "/ether", "currency": "ETH"},
        ],
    )
    facilitator = FacilitatorConfig(url=f"{world.server.origin}{API}/facilitator")
    client = with_bazaar(HTTPFacilitatorClientSync(facilitator))

    def ask(**params: Any) -> DiscoveryResourcesResponse:
        wanted = ListDiscoveryResourcesParams(**{"type": "http", "pay_to": payee, **params})
        return client.extensions.bazaar.list_resources(wanted)

    found = await asyncio.to_thread(ask, network="eip155:84532", scheme="exact")
    base = f"{world.server.origin}{API}/x402/{listing['id']}"
    assert [item.resource for item in found.items] == [f"{base}/now/{{city}}", f"{base}/ask"]
    assert [item.accepts[0]["amount"] for item in found.items] == ["10000", "50000"]
    assert {item.accepts[0]["payTo"] for item in found.items} == {payee}
    assert found.items[0].tags == ["weather"]
    second = await asyncio.to_thread(ask, limit=1, offset=1)
    assert [item.resource for item in second.items] == [f"{base}/ask"]
    assert (second.pagination.total, second.pagination.limit, second.pagination.offset) == (2, 1, 1)
    for nothing in ({"type": "mcp"}, {"network": "eip155:1"}, {"scheme": "upto"}, {"extensions": "other"}):
        assert (await asyncio.to_thread(ask, **nothing)).pagination.total == 0
    await world.provider.patch(f"/apis/{listing['id']}", {"x402": {"enabled": False}})
    assert (await asyncio.to_thread(ask)).pagination.total == 0
    await world.provider.patch(f"/apis/{listing['id']}", {"x402": {"enabled": True}, "currency": "ETH"})
    assert (await asyncio.to_thread(ask)).pagination.total == 0
    await world.provider.patch(f"/apis/{listing['id']}", {"x402": {"amount": "0.2"}})
    assert [item.accepts[0]["amount"] for item in (await asyncio.to_thread(ask)).items] == ["200000"] * 3
    await world.provider.patch(f"/apis/{listing['id']}", {"status": "disabled"})
    assert (await asyncio.to_thread(ask)).pagination.total == 0


async def test_a_402_describes_the_operation(world: World) -> None:
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Weather", "version": "1"},
        "paths": {
            "/now/{city}": {
                "get": {
                    "parameters": [
                        {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}},
                        {"name": "days", "in": "query", "schema": {"type": "integer"}, "example": 2},
                    ],
                    "responses": {"200": {"description": "ok"}},
                }
            }
        },
    }
    listing = await world.listed(openapi=document)
    required = PaymentRequired.model_validate(
        decoded((await world.unpaid(listing, "/now/Oslo")).headers["payment-required"])
    )
    payload = await payer(world.consumer.account).create_payment_payload(required)
    found = extract_discovery_info(payload, required.accepts[0])
    assert found is not None
    assert (found.method, found.route_template) == (
        "GET",
        f"/paygate/api/v2/x402/{listing['id']}/now/:city",
    )
    assert found.discovery_info.input.query_params == {"days": 2}
    served = await world.present(listing, encode_payment_signature_header(payload), "/now/Oslo")
    assert served.status_code == 200, served.text


async def test_a_payment_with_a_name_is_answered_again_and_charged_once(world: World) -> None:
    listing = await world.listed()
    before = await world.usdc.balance(world.provider.address)

    async def named(name: str, path: str = "/a") -> str:
        required = PaymentRequired.model_validate(
            decoded((await world.unpaid(listing, path)).headers["payment-required"])
        )
        payload = await payer(world.consumer.account).create_payment_payload(required)
        assert payload.extensions is not None
        append_payment_identifier_to_extensions(payload.extensions, name)
        return encode_payment_signature_header(payload)

    name = "pay_" + "7d5d747be160e280"
    first = await world.present(listing, await named(name))
    assert first.status_code == 200, first.text
    again = await world.present(listing, await named(name))
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert (again.json(), again.headers["x-call-id"]) == (first.json(), first.headers["x-call-id"])
    assert again.headers["payment-response"] == first.headers["payment-response"]
    assert await world.usdc.balance(world.provider.address) == before + PRICE
    other = await world.present(listing, await named(name, "/b"), "/b")
    assert (other.status_code, other.json()["error"]) == (409, "PAYMENT_IDENTIFIER_CONFLICT")
    assert other.json()["details"]["identifier"] == name
    assert await world.usdc.balance(world.provider.address) == before + PRICE
