"""The whole surface of the paygate: every row of its route table is declared with the right door and is served, with the
fields that the contract promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from eth_account.messages import encode_defunct
from tests.clients.paygate_world import API, PRICE, Purse, chain_settings, purse, target
from tests.harness.anvil import anvil
from tests.harness.server import Server, serve
from tests.harness.token import Usdc

from flux.paygate.plane import _routes

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLE = {
    "GET /apis": "open", "GET /apis/{api_id}": "open", "POST /apis": "session", "PUT /apis/{api_id}": "session",
    "PATCH /apis/{api_id}": "session", "DELETE /apis/{api_id}": "session", "GET /apis/{api_id}/discovery": "open",
    "GET /apis/{api_id}/openapi": "open", "GET /apis/{api_id}/agent-info": "open",
    "* /gateway/{api_id}/{rest:path}": "payment", "* /x402/{api_id}/{rest:path}": "payment", "GET /history": "session",
    "GET /calls": "session", "GET /history/{call_id}": "session", "GET /calls/{call_id}": "session",
    "GET /dashboard": "session", "GET /apis/{api_id}/analytics": "session", "GET /apis/{api_id}/quote": "open",
    "GET /payments/{tx_hash}": "open", "GET /credits": "session", "GET /chains": None, "POST /auth/nonce": "open",
    "POST /auth/verify": "open", "GET /auth/session": "session", "POST /auth/logout": "session",
    "GET /facilitator/supported": "facilitator", "POST /facilitator/verify": "facilitator",
    "POST /facilitator/settle": "facilitator", "GET /discovery/resources": "open", "GET /health": "probe",
    "GET /ready": "probe", "POST /admin/providers/{address}/block": "admin",
    "DELETE /admin/providers/{address}/block": "admin",
}  # fmt: skip
"""Method and path below the base, and who may come in."""

BEYOND = {
    "POST /apis/{api_id}/secret": "session",
    "GET /admin/journal": "admin",
    "GET /facilitator/discovery/resources": "open",
}
"""What this server has besides: a new listing secret, the journal, and the bazaar where facilitator clients look for it."""


@dataclass
class World:
    server: Server
    provider: Purse
    consumer: Purse
    listing: dict[str, Any]
    tx_hash: str
    call_id: str
    http: httpx.AsyncClient

    def on(self, text: str) -> str:
        named = {"api_id": self.listing["id"], "call_id": self.call_id, "tx_hash": self.tx_hash}
        return text.format(**named, address=self.consumer.address)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("surface")
    async with anvil() as chain, target() as there:
        await Usdc(chain).deploy()
        settings = chain_settings(chain, facilitator_key="0x" + chain.accounts[8].key.hex())
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = await purse(server, chain.accounts[1]).login()
            listing = await provider.list_api(f"{there.url}/s", x402={"amount": "0.01"})
            tx_hash = await chain.pay(consumer.account, listing["recipient"], PRICE)
            call_id = (await consumer.call(listing["id"], "/a", tx_hash)).headers["x-call-id"]
            yield World(server, provider, consumer, listing, tx_hash, call_id, server.http)
            await provider.http.aclose()
            await consumer.http.aclose()


async def test_every_row_of_the_table_is_declared() -> None:
    declared = {
        f"{route.method} {route.path.removeprefix('/api/v2')}": route.auth and route.auth.value
        for route in _routes()
        if route.path.startswith("/api/v2")
    }
    assert declared == {**TABLE, **BEYOND}
    outside = {route.name for route in _routes() if not route.path.startswith("/api/v2")}
    assert outside == {"GET /openapi.json", "GET /llms.txt"}


@pytest.mark.parametrize(
    ("path", "who", "fields"),
    [
        ("/apis", None, "apis total page limit pages"),
        ("/apis/{api_id}", None, "id name provider pricePerRequest currency endpoint description openapi chain chainId"
         " recipient status endpoints capabilities tags category monthlyQuota rateLimit chargePolicy prepaidCredit x402"
         " validateJson timeoutSeconds stats createdAt updatedAt"),
        ("/apis/{api_id}/discovery", None, "id name description pricePerRequest currency provider openapi agentInfo chain"
         " chainId recipient decimals tokenAddress amountBaseUnits gatewayUrl timestampHeader signing x402"),
        ("/apis/{api_id}/openapi", None, "openapi info paths servers security components"),
        ("/apis/{api_id}/agent-info", None, "api capabilities howToUse signing chains errors"),
        ("/apis/{api_id}/quote?path=/a", None, "apiId method path amount amountBaseUnits currency decimals chain chainId"
         " recipient tokenAddress minConfirmations maxPaymentAgeSeconds expiresAt x402"),
        ("/apis/{api_id}/analytics", "provider", "series topConsumers topPaths errorCodes"),
        ("/history", "consumer", "calls total limit offset"),
        ("/calls", "consumer", "calls total limit offset"),
        ("/history/{call_id}", "consumer", "id apiId apiName consumer provider method path txHash chain amount currency"
         " paymentFlow status httpStatus errorCode latencyMs requestBytes responseBytes paymentStatus createdAt"
         " completedAt"),
        ("/calls/{call_id}", "provider", "id apiId status"),
        ("/dashboard", "provider", "address asProvider asConsumer"),
        ("/payments/{tx_hash}", None, "txHash chain state confirmations required apiId callId"),
        ("/credits", "consumer", "credits"),
        ("/chains", None, "chains"),
        ("/auth/session", "consumer", "address expiresAt"),
        ("/facilitator/supported", None, "kinds extensions signers"),
        ("/discovery/resources", None, "x402Version items pagination"),
        ("/facilitator/discovery/resources", None, "x402Version items pagination"),
        ("/health", None, "status"),
        ("/ready", None, "status"),
    ],
)  # fmt: skip
async def test_what_is_read(world: World, path: str, who: str | None, fields: str) -> None:
    headers = getattr(world, who).headers if who else {}
    answer = await world.http.get(f"{API}{world.on(path)}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert set(fields.split()) <= set(answer.json())
    if who is not None:
        assert answer.headers["cache-control"] == "no-store"
        closed = await world.http.get(f"{API}{world.on(path)}")
        assert (closed.status_code, closed.json()["error"]) == (401, "NOT_AUTHENTICATED")


async def test_the_shapes_within(world: World) -> None:
    """What the reference shows inside of the discovery trio and the dashboard."""
    info = (await world.http.get(f"{API}/apis/{world.listing['id']}/agent-info")).json()
    assert {"step1", "step2", "exampleCode"} <= set(info["howToUse"])
    assert {"javascript", "python", "curl"} <= set(info["howToUse"]["exampleCode"])
    [capability] = info["capabilities"]
    assert set(capability) >= {"name", "endpoint", "pricing", "examples"}
    assert set(capability["pricing"]) >= {"amount", "token", "chain"}
    found = (await world.http.get(f"{API}/apis/{world.listing['id']}/discovery")).json()
    assert found["agentInfo"]["requiredHeaders"] == ["X-Payment-Tx", "X-Signature"]
    document = (await world.http.get(f"{API}/apis/{world.listing['id']}/openapi")).json()
    assert document["info"]["x-flux-api-id"] == world.listing["id"]
    for method, operation in document["paths"]["/{path}"].items():
        assert {"amount", "token", "chain"} <= set(operation["x-flux-pricing"]), method
        assert {"401", "402", "429", "500", "502", "503"} <= set(operation["responses"])
    sums = (await world.http.get(f"{API}/dashboard", headers=world.provider.headers)).json()
    assert set(sums["asProvider"]) == {"apis", "activeApis", "calls", "revenue", "last30Days"}
    assert sums["asProvider"]["revenue"] == [{"chain": "base-sepolia", "currency": "ETH", "amount": "0.001"}]
    assert set(sums["asConsumer"]) == {"calls", "spent", "credits"}
    series = await world.http.get(
        f"{API}/apis/{world.listing['id']}/analytics?bucket=hour", headers=world.provider.headers
    )
    [bucket] = series.json()["series"]
    assert set(bucket) == {
        "t", "calls", "success", "errors4xx", "errors5xx", "gatewayErrors", "revenue", "p50Ms", "p95Ms", "uniqueConsumers",
    }  # fmt: skip


async def test_what_is_written(world: World) -> None:
    provider = await purse(world.server, world.provider.account).login()
    made = await provider.list_api(f"{world.listing['endpoint']}2", name="Written")
    base = {"name": "Written", "endpoint": made["endpoint"], "pricePerRequest": "0.002", "currency": "eth"}
    put = await provider.put(f"/apis/{made['id']}", base)
    assert (put.status_code, put.json()["pricePerRequest"], put.json()["currency"]) == (200, "0.002", "ETH")
    patched = await provider.patch(f"/apis/{made['id']}", {"description": "patched"})
    assert (patched.status_code, patched.json()["description"]) == (200, "patched")
    fresh = await provider.post(f"/apis/{made['id']}/secret")
    assert fresh.json()["listingSecret"] != made["listingSecret"]
    assert (await provider.delete(f"/apis/{made['id']}")).status_code == 204
    assert (await world.http.get(f"{API}/apis/{made['id']}")).status_code == 404
    assert (await provider.post("/auth/logout")).status_code == 204
    assert (await provider.get("/auth/session")).json()["details"]["reason"] == "invalid"
    await provider.http.aclose()


async def test_the_operators_doors(world: World) -> None:
    blocked = f"{API}{world.on('/admin/providers/{address}/block')}"
    operator = {"Authorization": f"Bearer {world.server.operator['admin_token']}"}
    assert (await world.http.post(blocked)).status_code == 401
    assert (await world.http.post(blocked, headers=operator)).status_code == 204
    refused = await world.consumer.post("/apis", {"name": "x"})
    assert (refused.status_code, refused.json()["error"]) == (403, "PROVIDER_BLOCKED")
    assert (await world.http.delete(blocked, headers=operator)).status_code == 204
    journal = (await world.http.get(f"{API}/admin/journal", headers=operator)).json()
    assert journal["movements"]


async def test_both_mounts_of_the_paid_call_take_every_method(world: World) -> None:
    for mount, status in (("gateway", 401), ("x402", 402)):
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            answer = await world.http.request(method, f"{API}/{mount}/{world.listing['id']}/a")
            assert answer.status_code == status, (mount, method)
            assert answer.headers["x-gateway-error"] == "MISSING_PAYMENT_TX"


async def test_the_plane_describes_itself(world: World) -> None:
    document = (await world.http.get("/paygate/openapi.json")).json()
    described = {
        f"{method.upper()} {path.removeprefix('/paygate').removeprefix('/api/v2')}"
        for path, item in document["paths"].items()
        for method in item
    }
    wanted = {row for row in {**TABLE, **BEYOND} if not row.startswith("*")}
    assert wanted <= described
    text = (await world.http.get("/paygate/llms.txt")).text
    assert text.startswith("# ")
    for url in (word.strip(".,") for word in text.split() if word.startswith("http") and "{" not in word):
        path = url.removeprefix(world.server.origin)
        answer = await world.http.get(path.partition("?")[0])
        assert answer.status_code == 200, url


@pytest.mark.parametrize("chain_id", [1, 999_999_999])
async def test_no_login_is_begun_on_a_chain_that_none_ends_on(world: World, chain_id: int) -> None:
    for body in ({"chainId": chain_id}, {"address": world.consumer.address, "chainId": chain_id}):
        refused = await world.http.post(f"{API}/auth/nonce", json=body)
        assert (refused.status_code, refused.json()["error"]) == (400, "INVALID_PARAMETER"), refused.text
        details = refused.json()["details"]
        assert (details["param"], details["in"]) == ("chainId", "body")
        assert "84532" in details["expected"]


async def test_a_login_message_of_the_server_is_one_that_wallets_sign(world: World) -> None:
    made = await world.http.post(
        f"{API}/auth/nonce", json={"address": world.consumer.address, "chainId": 84532}
    )
    assert {"nonce", "issuedAt", "expiresAt", "message"} <= set(made.json())
    message = made.json()["message"]
    signature = "0x" + world.consumer.account.sign_message(encode_defunct(text=message)).signature.hex()
    body = {"message": message, "signature": signature}
    opened = await world.http.post(f"{API}/auth/verify", json=body)
    assert opened.json()["address"] == world.consumer.address
    assert "HttpOnly" in opened.headers["set-cookie"]
    world.http.cookies.clear()
    again = await world.http.post(f"{API}/auth/verify", json=body)
    assert (again.status_code, again.json()["error"]) == (401, "SIGNATURE_EXPIRED")
