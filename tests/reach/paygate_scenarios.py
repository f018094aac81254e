"""For each published row of the paygate, a world in which the real door answers it. Each returns that answer."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from eth_utils.address import to_checksum_address
from tests.clients.paygate_world import API, PRICE, Purse, Target
from tests.harness.anvil import Anvil
from tests.harness.server import Server
from tests.harness.token import Usdc

NO_SUCH_HASH = "0x" + "ab" * 32
UNRECOVERABLE = "0x" + "00" * 31 + "05" + "00" * 31 + "01" + "1b"
REVERTING_CODE = "0x600580600b6000396000f360006000fd"
"""Init code of a contract that reverts whatever it is asked."""


@dataclass
class Scene:
    """Two real chains, a node that talks nonsense (`nonsense`), a chain whose node is gone (`gone`), one that wants
    three confirmations (`deep`, the second chain under another name), a target, a provider and a consumer."""

    server: Server
    chain: Anvil
    other: Anvil
    nonsense: list[bytes]
    target: Target
    provider: Purse
    consumer: Purse
    stranger: Purse
    numbers: Any = field(default_factory=itertools.count)

    async def listed(self, **change: Any) -> dict[str, Any]:
        return await self.provider.list_api(f"{self.target.url}/s{next(self.numbers)}", **change)

    async def paid(self, listing: dict[str, Any], amount: int = PRICE) -> str:
        return await self.chain.pay(self.consumer.account, listing["recipient"], amount)

    async def gateway(self, listing: dict[str, Any], path: str = "/a", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.consumer.http.get(f"{API}/gateway/{listing['id']}{path}", headers=named)


Scenario = Callable[[Scene], Awaitable[httpx.Response]]


async def invalid_request(scene: Scene) -> httpx.Response:
    headers = {**scene.provider.headers, "Content-Type": "application/json"}
    return await scene.provider.http.post(f"{API}/apis", content=b'{"name":', headers=headers)


async def missing_parameter(scene: Scene) -> httpx.Response:
    return await scene.provider.post("/apis", {"endpoint": "https://x.example", "currency": "ETH"})


async def invalid_parameter(scene: Scene) -> httpx.Response:
    return await scene.stranger.get("/apis?page=0")


async def invalid_api_id(scene: Scene) -> httpx.Response:
    return await scene.stranger.get("/apis/abc123")


async def invalid_endpoint(scene: Scene) -> httpx.Response:
    return await scene.gateway(await scene.listed(), "/..%2fadmin")


async def missing_signature(scene: Scene) -> httpx.Response:
    return await scene.gateway(await scene.listed(), x_payment_tx=NO_SUCH_HASH)


async def missing_payment_tx(scene: Scene) -> httpx.Response:
    return await scene.gateway(await scene.listed())


async def invalid_signature(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    return await scene.stranger.call(listing["id"], "/a", await scene.paid(listing))


async def signature_expired(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    return await scene.consumer.call(listing["id"], "/a", await scene.paid(listing), age=301)


async def invalid_wallet(scene: Scene) -> httpx.Response:
    at = str(int(time.time()))
    listing = await scene.listed()
    return await scene.gateway(listing, x_payment_tx=NO_SUCH_HASH, x_signature=UNRECOVERABLE, x_timestamp=at)


async def not_authenticated(scene: Scene) -> httpx.Response:
    return await scene.stranger.http.get(f"{API}/history")


async def payment_not_found(scene: Scene) -> httpx.Response:
    return await scene.consumer.call((await scene.listed())["id"], "/a", NO_SUCH_HASH)


async def insufficient_payment(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    return await scene.consumer.call(listing["id"], "/a", await scene.paid(listing, 9 * 10**14))


async def invalid_payment_chain(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    elsewhere = await scene.other.pay(scene.consumer.account, listing["recipient"], PRICE)
    return await scene.consumer.call(listing["id"], "/a", elsewhere)


async def payment_not_confirmed(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    await scene.chain.automine(False)
    try:
        pending = await scene.chain.send(scene.consumer.account, listing["recipient"], PRICE, gas=100_000)
        return await scene.consumer.call(listing["id"], "/a", pending)
    finally:
        await scene.chain.automine(True)
        await scene.chain.mine()


async def payment_reverted(scene: Scene) -> httpx.Response:
    made = await scene.chain.send(scene.consumer.account, None, data=REVERTING_CODE)
    contract = to_checksum_address((await scene.chain.mined(made))["contractAddress"])
    failed = await scene.chain.send(scene.consumer.account, contract, PRICE, gas=100_000)
    assert (await scene.chain.mined(failed))["status"] == "0x0"
    return await scene.consumer.call((await scene.listed())["id"], "/a", failed)


async def forbidden(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    return await scene.stranger.delete(f"/apis/{listing['id']}")


async def api_disabled(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    await scene.provider.patch(f"/apis/{listing['id']}", {"status": "disabled"})
    return await scene.gateway(listing)


async def banned(scene: Scene) -> httpx.Response:
    """Pushing on through 429s."""
    headers = {"X-Forwarded-For": "203.0.113.7"}
    for _ in range(400):
        answer = await scene.stranger.http.get(f"{API}/chains", headers=headers)
        if answer.status_code == 403:
            assert "retry-after" not in answer.headers
            return answer
    raise AssertionError("never banned")


async def provider_blocked(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    admin = {"Authorization": f"Bearer {scene.server.operator['admin_token']}"}
    address = scene.provider.address
    await scene.stranger.http.post(f"{API}/admin/providers/{address}/block", headers=admin)
    try:
        return await scene.gateway(listing)
    finally:
        await scene.stranger.http.delete(f"{API}/admin/providers/{address}/block", headers=admin)


async def api_not_found(scene: Scene) -> httpx.Response:
    return await scene.stranger.get("/apis/api_doesnotexist")


async def endpoint_not_found(scene: Scene) -> httpx.Response:
    listing = await scene.listed(endpoints=[{"method": "GET", "path": "/weather"}])
    return await scene.gateway(listing, "/nope")


async def call_not_found(scene: Scene) -> httpx.Response:
    return await scene.provider.get("/history/call_doesnotexist")


async def api_already_exists(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    body = {
        "name": f"  {listing['name'].upper()} ",
        "endpoint": "https://else.example",
        "pricePerRequest": "1",
        "currency": "ETH",
    }
    return await scene.provider.post("/apis", body)


async def duplicate_endpoint(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    body = {
        "name": "Another",
        "endpoint": listing["endpoint"] + "/",
        "pricePerRequest": "1",
        "currency": "ETH",
    }
    return await scene.stranger.post("/apis", body)


async def invalid_openapi(scene: Scene) -> httpx.Response:
    return await _refused_listing(scene, openapi={"openapi": "3.0.0"})


async def invalid_price(scene: Scene) -> httpx.Response:
    return await _refused_listing(scene, pricePerRequest="0")


async def invalid_currency(scene: Scene) -> httpx.Response:
    return await _refused_listing(scene, currency="BTC")


async def endpoint_unreachable(scene: Scene) -> httpx.Response:
    return await _refused_listing(scene, endpoint="http://169.254.169.254/")


async def _refused_listing(scene: Scene, **change: Any) -> httpx.Response:
    body = {
        "name": "Refused",
        "endpoint": f"{scene.target.url}/refused",
        "pricePerRequest": "1",
        "currency": "ETH",
    }
    return await scene.provider.post("/apis", {**body, **change})


async def rate_limit_exceeded(scene: Scene) -> httpx.Response:
    listing = await scene.listed(rateLimit={"requests": 2, "windowSeconds": 60})
    for _ in range(2):
        assert (await scene.consumer.call(listing["id"], "/a", await scene.paid(listing))).status_code == 200
    return await scene.consumer.call(listing["id"], "/a", await scene.paid(listing))


async def quota_exceeded(scene: Scene) -> httpx.Response:
    listing = await scene.listed(monthlyQuota=1)
    assert (await scene.consumer.call(listing["id"], "/a", await scene.paid(listing))).status_code == 200
    return await scene.consumer.call(listing["id"], "/a", await scene.paid(listing))


async def internal_error(scene: Scene) -> httpx.Response:
    await scene.server.sandbox.fault("handler", "error")
    return await scene.stranger.get("/chains")


async def database_error(scene: Scene) -> httpx.Response:
    await scene.server.sandbox.fault("store", "error", count=50)
    try:
        return await scene.stranger.get("/apis/api_any")
    finally:
        await scene.server.sandbox.clear()


async def blockchain_error(scene: Scene) -> httpx.Response:
    """A node that answers HTML; it also answers error objects and other chains' ids in tests/paygate."""
    scene.nonsense[:] = [b"<html>busy</html>"]
    listing = await scene.listed(chain="nonsense")
    return await scene.consumer.call(listing["id"], "/a", NO_SUCH_HASH)


async def gateway_error(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    tx_hash = await scene.paid(listing)
    await scene.target.stop()
    try:
        return await scene.consumer.call(listing["id"], "/a", tx_hash)
    finally:
        await scene.target.start()


async def invalid_gateway_response(scene: Scene) -> httpx.Response:
    listing = await scene.listed()
    return await scene.consumer.call(listing["id"], "/garbage", await scene.paid(listing))


async def gateway_timeout(scene: Scene) -> httpx.Response:
    listing = await scene.listed(timeoutSeconds=1)
    return await scene.consumer.call(listing["id"], "/slow", await scene.paid(listing))


async def service_unavailable(scene: Scene) -> httpx.Response:
    await scene.server.sandbox.maintenance(True, "paygate")
    try:
        return await scene.stranger.get("/chains")
    finally:
        await scene.server.sandbox.maintenance(False, "paygate")


async def blockchain_unavailable(scene: Scene) -> httpx.Response:
    listing = await scene.listed(chain="gone")
    return await scene.consumer.call(listing["id"], "/a", NO_SUCH_HASH)


async def missing_payment_tx_402(scene: Scene) -> httpx.Response:
    listing = await scene.listed(currency="USDC", pricePerRequest="0.01")
    return await scene.consumer.http.get(f"{API}/x402/{listing['id']}/a")


async def invalid_signature_402(scene: Scene) -> httpx.Response:
    return await _by_x402(scene, signer=scene.stranger)


async def signature_expired_402(scene: Scene) -> httpx.Response:
    return await _by_x402(scene, signer=scene.consumer, valid_before=int(time.time()) - 1)


async def payment_identifier_conflict(scene: Scene) -> httpx.Response:
    await Usdc(scene.chain).mint(scene.consumer.address, 10**6)
    name = f"pay_{secrets.token_hex(8)}"
    first = await _by_x402(scene, signer=scene.consumer, name=name)
    assert first.status_code == 200, first.text
    return await _by_x402(scene, signer=scene.consumer, name=name, url=f"{first.request.url.path}/other")


async def _by_x402(
    scene: Scene,
    *,
    signer: Purse,
    valid_before: int = 2_000_000_000,
    name: str | None = None,
    url: str | None = None,
) -> httpx.Response:
    """A transfer authorisation from the consumer's account, signed by `signer`; `name` is what it calls its payment."""
    unpaid = await (scene.consumer.http.get(url) if url else missing_payment_tx_402(scene))
    [wanted] = json.loads(base64.b64decode(unpaid.headers["payment-required"]))["accepts"]
    fields = {
        "from": scene.consumer.address, "to": wanted["payTo"], "value": int(wanted["amount"]), "validAfter": 0,
        "validBefore": valid_before, "nonce": secrets.token_bytes(32),
    }  # fmt: skip
    kinds = (
        "address from",
        "address to",
        "uint256 value",
        "uint256 validAfter",
        "uint256 validBefore",
        "bytes32 nonce",
    )
    types = {
        "TransferWithAuthorization": [
            dict(zip(("type", "name"), kind.split(), strict=True)) for kind in kinds
        ]
    }
    domain = {**wanted["extra"], "chainId": scene.chain.chain_id, "verifyingContract": wanted["asset"]}
    signed = signer.account.sign_typed_data(domain, types, fields)
    shown = {name: str(value) for name, value in fields.items()} | {"nonce": "0x" + fields["nonce"].hex()}
    proof = {
        "x402Version": 2, "accepted": wanted,
        "payload": {"signature": "0x" + signed.signature.hex(), "authorization": shown},
    }  # fmt: skip
    if name is not None:
        proof["extensions"] = {"payment-identifier": {"info": {"required": False, "id": name}}}
    header = base64.b64encode(json.dumps(proof).encode()).decode()
    path = unpaid.request.url.path
    return await scene.consumer.http.get(path, headers={"PAYMENT-SIGNATURE": header})


async def simulation_refused(scene: Scene) -> httpx.Response:
    return await scene.stranger.http.get(f"{API}/chains", headers={"X-Flux-Simulate": "NO_SUCH_CODE"})


SCENARIOS: dict[str, Scenario] = {
    "INVALID_REQUEST@400": invalid_request,
    "MISSING_PARAMETER@400": missing_parameter,
    "INVALID_PARAMETER@400": invalid_parameter,
    "INVALID_API_ID@400": invalid_api_id,
    "INVALID_ENDPOINT@400": invalid_endpoint,
    "MISSING_SIGNATURE@401": missing_signature,
    "MISSING_PAYMENT_TX@401": missing_payment_tx,
    "INVALID_SIGNATURE@401": invalid_signature,
    "SIGNATURE_EXPIRED@401": signature_expired,
    "INVALID_WALLET@401": invalid_wallet,
    "NOT_AUTHENTICATED@401": not_authenticated,
    "PAYMENT_NOT_FOUND@402": payment_not_found,
    "INSUFFICIENT_PAYMENT@402": insufficient_payment,
    "INVALID_PAYMENT_CHAIN@402": invalid_payment_chain,
    "PAYMENT_NOT_CONFIRMED@402": payment_not_confirmed,
    "PAYMENT_REVERTED@402": payment_reverted,
    "FORBIDDEN@403": forbidden,
    "API_DISABLED@403": api_disabled,
    "RATE_LIMIT_EXCEEDED@403": banned,
    "PROVIDER_BLOCKED@403": provider_blocked,
    "API_NOT_FOUND@404": api_not_found,
    "ENDPOINT_NOT_FOUND@404": endpoint_not_found,
    "CALL_NOT_FOUND@404": call_not_found,
    "API_ALREADY_EXISTS@409": api_already_exists,
    "DUPLICATE_ENDPOINT@409": duplicate_endpoint,
    "INVALID_OPENAPI@422": invalid_openapi,
    "INVALID_PRICE@422": invalid_price,
    "INVALID_CURRENCY@422": invalid_currency,
    "ENDPOINT_UNREACHABLE@422": endpoint_unreachable,
    "RATE_LIMIT_EXCEEDED@429": rate_limit_exceeded,
    "QUOTA_EXCEEDED@429": quota_exceeded,
    "INTERNAL_ERROR@500": internal_error,
    "DATABASE_ERROR@500": database_error,
    "BLOCKCHAIN_ERROR@500": blockchain_error,
    "GATEWAY_ERROR@500": gateway_error,
    "INVALID_GATEWAY_RESPONSE@502": invalid_gateway_response,
    "GATEWAY_TIMEOUT@502": gateway_timeout,
    "SERVICE_UNAVAILABLE@503": service_unavailable,
    "BLOCKCHAIN_UNAVAILABLE@503": blockchain_unavailable,
    "SIMULATION_REFUSED@400": simulation_refused,
    "MISSING_PAYMENT_TX@402": missing_payment_tx_402,
    "INVALID_SIGNATURE@402": invalid_signature_402,
    "SIGNATURE_EXPIRED@402": signature_expired_402,
    "PAYMENT_IDENTIFIER_CONFLICT@409": payment_identifier_conflict,
}


async def answer_nonsense(
    words: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A node that answers every request with the same bytes."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
        await reader.readexactly(length)
        body = words[0]
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def rpc_error(code: int = -32000) -> bytes:
    return json.dumps(
        {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": "secret text of the node"}}
    ).encode()
