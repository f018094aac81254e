"""Listings, logins and what every request passes, over real sockets: the check orders and formats of the contract."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from eth_account import Account
from eth_account.messages import encode_defunct
from tests.clients.paygate_world import API, Purse, Target, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Weather", "version": "1"},
    "servers": [{"url": "https://upstream.example"}],
    "security": [{"key": []}],
    "paths": {
        "/weather/{city}": {
            "get": {
                "operationId": "getWeather",
                "security": [{"key": []}],
                "parameters": [
                    {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {"200": {"description": "ok"}},
            }
        }
    },
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "basic"}}},
}


@dataclass
class World:
    server: Server
    chain: Anvil
    target: Target
    provider: Purse
    other: Purse
    numbers: Any = field(default_factory=itertools.count)

    @property
    def endpoint(self) -> str:
        return f"{self.target.url}/k{next(self.numbers)}"

    def body(self, **change: Any) -> dict[str, Any]:
        number = next(self.numbers)
        made = {
            "name": f"Listing {number}", "endpoint": f"{self.target.url}/k{number}", "pricePerRequest": "0.001", "currency": "ETH",
        }  # fmt: skip
        return {**made, **change}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("management")
    async with (
        anvil() as chain,
        target() as there,
        serve(directory, database=request.param, settings=chain_settings(chain)) as server,
    ):
        provider = await purse(server).login()
        other = await purse(server).login()
        yield World(server, chain, there, provider, other)
        await provider.http.aclose()
        await other.http.aclose()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_listing_comes_back_as_it_was_made(world: World) -> None:
    body = world.body(
        description="Words", openapi=DOCUMENT, tags=["Weather", "x"], category="data", monthlyQuota=5, chain="eip155:84532",
        rateLimit={"requests": 2, "windowSeconds": 60}, chargePolicy="success", recipient=world.other.address, timeoutSeconds=5,
        endpoints=[{"method": "GET", "path": "/weather/:city", "pricePerRequest": "0.0020", "examples": ["Oslo?"]}],
    )  # fmt: skip
    made = await world.provider.post("/apis", body)
    assert made.status_code == 201, made.text
    listing = made.json()
    assert made.headers["location"].endswith(f"/api/v2/apis/{listing['id']}")
    assert listing["id"].startswith("api_") and len(listing["id"]) == 30
    assert len(listing["listingSecret"]) > 30
    shown = (await world.other.get(f"/apis/{listing['id']}")).json()
    assert "listingSecret" not in shown
    for name in (
        "name",
        "endpoint",
        "pricePerRequest",
        "currency",
        "description",
        "openapi",
        "tags",
        "category",
        "monthlyQuota",
    ):
        assert shown[name] == body[name]
    assert shown["provider"] == world.provider.address
    assert shown["recipient"] == world.other.address
    assert (shown["chain"], shown["chainId"]) == ("base-sepolia", 84532)
    assert shown["capabilities"] == ["get-weather"]
    assert shown["endpoints"] == [
        {"method": "GET", "path": "/weather/{city}", "pricePerRequest": "0.002", "examples": ["Oslo?"]}
    ]
    assert shown["stats"] == {"calls": 0, "uniqueConsumers": 0, "successRate": None, "p50LatencyMs": None}
    own = (await world.provider.get(f"/apis/{listing['id']}")).json()
    assert own["listingSecret"] == "********"


async def test_the_first_failing_step_answers(world: World) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{API}/apis"
    junk = b'{"name":'
    assert code(await world.other.http.post(url, content=junk, headers=headers)) == (401, "NOT_AUTHENTICATED")
    known = {**headers, **world.other.headers}
    for content in (junk, b"[]", b'"x"', b"null", b'{"name":1,"name":2}', b'{"a":NaN}', b"\xff{}", b""):
        assert code(await world.other.http.post(url, content=content, headers=known)) == (
            400,
            "INVALID_REQUEST",
        )
    bare = dict(world.other.headers)
    text = {**bare, "Content-Type": "text/plain"}
    assert code(await world.other.http.post(url, content=b"{}", headers=text)) == (400, "INVALID_REQUEST")
    assert code(await world.other.http.post(url, content=b"{}", headers=bare)) == (400, "INVALID_REQUEST")
    for missing in ("name", "endpoint", "pricePerRequest", "currency"):
        body = {"name": 5, "endpoint": "ftp://x", "pricePerRequest": "abc", "currency": "BTC"}
        for name in body:
            if name == missing:
                break
        given = {name: value for name, value in body.items() if name != missing}
        answer = await world.other.post("/apis", given)
        assert code(answer) == (400, "MISSING_PARAMETER")
        assert answer.json()["details"] == {"param": missing, "in": "body"}


@pytest.mark.parametrize(
    ("change", "status", "error", "detail"),
    [
        ({"name": 5}, 400, "INVALID_PARAMETER", {"param": "name"}),
        ({"name": "  "}, 400, "INVALID_PARAMETER", {"param": "name"}),
        ({"name": "a\u0007"}, 400, "INVALID_PARAMETER", {"param": "name"}),
        ({"name": "x" * 101}, 400, "INVALID_PARAMETER", {"param": "name"}),
        ({"endpoint": "ftp://x"}, 400, "INVALID_PARAMETER", {"param": "endpoint"}),
        ({"endpoint": "https://u:p@x.example"}, 400, "INVALID_PARAMETER", {"param": "endpoint"}),
        ({"pricePerRequest": "abc"}, 400, "INVALID_PARAMETER", {"param": "pricePerRequest", "received": "abc"}),
        ({"pricePerRequest": True}, 400, "INVALID_PARAMETER", {"param": "pricePerRequest"}),
        ({"currency": 5}, 400, "INVALID_PARAMETER", {"param": "currency"}),
        ({"chain": "moon"}, 400, "INVALID_PARAMETER", {"param": "chain"}),
        ({"chain": "ethereum"}, 400, "INVALID_PARAMETER", {"param": "chain"}),
        ({"recipient": "0x12"}, 400, "INVALID_PARAMETER", {"param": "recipient"}),
        ({"recipient": "0x" + "0" * 40}, 400, "INVALID_PARAMETER", {"param": "recipient"}),
        ({"status": "off"}, 400, "INVALID_PARAMETER", {"param": "status"}),
        ({"timeoutSeconds": 121}, 400, "INVALID_PARAMETER", {"param": "timeoutSeconds"}),
        ({"monthlyQuota": 0}, 400, "INVALID_PARAMETER", {"param": "monthlyQuota"}),
        ({"rateLimit": {"requests": 1}}, 400, "MISSING_PARAMETER", {"param": "rateLimit.windowSeconds"}),
        ({"upstreamHeaders": {"Host": "x"}}, 400, "INVALID_PARAMETER", {"param": "upstreamHeaders"}),
        ({"upstreamHeaders": {"X-Key": "a\r\nb"}}, 400, "INVALID_PARAMETER", {"received": "…"}),
        ({"endpoints": [{"method": "GET", "path": "we ather\\"}]}, 400, "INVALID_ENDPOINT", {"reason": "bad_template"}),
        ({"endpoints": [{"method": "GET", "path": "/a b"}]}, 400, "INVALID_ENDPOINT", {"reason": "illegal_character"}),
        ({"endpoints": [{"method": "TRACE", "path": "/a"}]}, 400, "INVALID_PARAMETER", {"param": "endpoints.0.method"}),
        ({"endpoints": [{"method": "GET", "path": "/{a}"}, {"method": "GET", "path": "/:b"}]}, 400, "INVALID_PARAMETER", {"param": "endpoints.1"}),
        ({"pricePerRequest": "0"}, 422, "INVALID_PRICE", {"reason": "not_positive"}),
        ({"pricePerRequest": 0}, 422, "INVALID_PRICE", {"reason": "not_positive"}),
        ({"pricePerRequest": "-1", "currency": "BTC"}, 422, "INVALID_PRICE", {"reason": "not_positive"}),
        ({"pricePerRequest": "0.0000001", "currency": "USDC"}, 422, "INVALID_PRICE", {"reason": "too_many_decimals", "maxDecimals": 6}),
        ({"pricePerRequest": "1000000001"}, 422, "INVALID_PRICE", {"reason": "too_large"}),
        ({"currency": "BTC"}, 422, "INVALID_CURRENCY", {"supported": ["ETH", "USDC"]}),
        ({"openapi": "text"}, 422, "INVALID_OPENAPI", {}),
        ({"openapi": {"openapi": "3.0.0"}}, 422, "INVALID_OPENAPI", {}),
        ({"openapi": {**DOCUMENT, "swagger": "2.0"}}, 422, "INVALID_OPENAPI", {}),
        ({"endpoint": "http://10.0.0.1/"}, 422, "ENDPOINT_UNREACHABLE", {"reason": "address_not_allowed"}),
        ({"endpoint": "http://2130706433/"}, 422, "ENDPOINT_UNREACHABLE", {"reason": "address_not_allowed"}),
        ({"endpoint": "http://localhost.localdomain.invalid/"}, 422, "ENDPOINT_UNREACHABLE", {"reason": "dns"}),
        ({"endpoint": "http://127.0.0.1:65431/"}, 422, "ENDPOINT_UNREACHABLE", {"reason": "connect"}),
    ],
)  # fmt: skip
async def test_what_a_listing_cannot_be(
    world: World, change: dict[str, Any], status: int, error: str, detail: dict[str, Any]
) -> None:
    answer = await world.provider.post("/apis", world.body(**change))
    assert code(answer) == (status, error), answer.text
    details = answer.json()["details"]
    assert {name: details[name] for name in detail} == detail


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("0.00100", "0.001"),
        (b"0.001", "0.001"),
        (b"1e-3", "0.001"),
        (b"2", "2"),
        (b"0.123456789012345678", "0.123456789012345678"),
    ],
)
async def test_prices_are_exact_however_written(world: World, sent: str | bytes, shown: str) -> None:
    body = world.body(pricePerRequest="@@" if isinstance(sent, bytes) else sent)
    content = json.dumps(body).encode()
    if isinstance(sent, bytes):
        content = content.replace(b'"@@"', sent)
    headers = {**world.provider.headers, "Content-Type": "application/json"}
    made = await world.provider.http.post(f"{API}/apis", content=content, headers=headers)
    assert made.json()["pricePerRequest"] == shown, made.text


async def test_names_and_targets_are_taken_once(world: World) -> None:
    first = (await world.provider.post("/apis", world.body(name="Weather  Now"))).json()
    again = await world.provider.post("/apis", world.body(name=" ｗeather now "))
    assert code(again) == (409, "API_ALREADY_EXISTS")
    assert again.json()["details"]["existingApiId"] == first["id"]
    assert (await world.other.post("/apis", world.body(name="Weather Now"))).status_code == 201
    spelled = first["endpoint"].replace("http://", "HTTP://") + "/"
    taken = await world.other.post("/apis", world.body(endpoint=spelled))
    assert code(taken) == (409, "DUPLICATE_ENDPOINT")
    assert "existingApiId" not in taken.json()["details"]
    own = await world.provider.put(f"/apis/{first['id']}", world.body(name="Weather Now", endpoint=spelled))
    assert own.status_code == 200, own.text
    assert (await world.provider.delete(f"/apis/{first['id']}")).status_code == 204
    assert code(await world.other.get(f"/apis/{first['id']}")) == (404, "API_NOT_FOUND")
    assert code(await world.provider.delete(f"/apis/{first['id']}")) == (404, "API_NOT_FOUND")
    assert (
        await world.provider.post("/apis", world.body(name="Weather Now", endpoint=first["endpoint"]))
    ).status_code == 201


async def test_the_same_listing_made_at_once_is_made_once(world: World) -> None:
    body = world.body()
    answers = await asyncio.gather(*(world.provider.post("/apis", body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_wallet_has_so_many_listings_and_no_more(tmp_path: Path, database: str) -> None:
    """Also when all of them are made at once."""
    settings = chain_settings(listings_per_provider="3")
    async with target() as there, serve(tmp_path, database=database, settings=settings) as server:
        provider = await purse(server).login()
        bodies = [
            {"name": f"L{number}", "endpoint": f"{there.url}/k{number}", "pricePerRequest": "1", "currency": "ETH"}
            for number in range(8)
        ]  # fmt: skip
        answers = await asyncio.gather(*(provider.post("/apis", body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 5
        [refused, *_] = [answer for answer in answers if answer.status_code == 403]
        told = refused.json()
        assert (told["error"], told["details"]["limit"]) == ("RATE_LIMIT_EXCEEDED", 3)
        [made, *_] = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert (await provider.delete(f"/apis/{made}")).status_code == 204
        [body, *_] = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 403]
        assert (await provider.post("/apis", body)).status_code == 201
        await provider.http.aclose()


async def test_patches_merge_and_puts_replace(world: World) -> None:
    made = (
        await world.provider.post(
            "/apis", world.body(description="Old", tags=["a"], openapi=DOCUMENT, monthlyQuota=5)
        )
    ).json()
    path = f"/apis/{made['id']}"
    patched = (
        await world.provider.patch(
            path,
            {"description": "New", "monthlyQuota": None, "rateLimit": {"requests": 1, "windowSeconds": 9}},
        )
    ).json()
    assert (patched["description"], patched["monthlyQuota"], patched["tags"]) == ("New", None, ["a"])
    assert patched["openapi"] == DOCUMENT
    merged = (
        await world.provider.patch(path, {"rateLimit": {"requests": 7}, "id": "api_x", "stats": 5})
    ).json()
    assert merged["rateLimit"] == {"requests": 7, "windowSeconds": 9}
    assert merged["id"] == made["id"]
    assert code(await world.provider.patch(path, {"name": None})) == (400, "MISSING_PARAMETER")
    assert code(await world.provider.patch(path, {"pricePerRequest": "0"})) == (422, "INVALID_PRICE")
    replaced = (await world.provider.put(path, world.body(endpoint=made["endpoint"]))).json()
    assert (replaced["description"], replaced["tags"], replaced["openapi"], replaced["rateLimit"]) == (
        "",
        [],
        None,
        None,
    )
    assert replaced["createdAt"] == made["createdAt"]
    assert code(await world.other.patch(path, b"junk".decode())) == (403, "FORBIDDEN")
    assert code(await world.other.patch("/apis/api_none", {})) == (404, "API_NOT_FOUND")


async def test_etags_guard_reads_and_writes(world: World) -> None:
    made = await world.provider.post("/apis", world.body())
    path, tag = f"{API}/apis/{made.json()['id']}", made.headers["etag"]
    read = await world.other.http.get(path, headers={"If-None-Match": tag})
    assert (read.status_code, read.content, read.headers["etag"]) == (304, b"", tag)
    headers = {**world.provider.headers, "If-Match": tag}
    assert (
        await world.provider.http.patch(path, json={"description": "x"}, headers=headers)
    ).status_code == 200
    stale = await world.provider.http.patch(path, json={"description": "y"}, headers=headers)
    assert code(stale) == (400, "INVALID_PARAMETER")
    assert stale.json()["details"]["param"] == "If-Match"
    assert code(await world.provider.http.delete(path, headers=headers)) == (400, "INVALID_PARAMETER")
    assert (await world.other.http.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_many_patches_at_once_all_arrive(world: World) -> None:
    made = (await world.provider.post("/apis", world.body())).json()
    path = f"/apis/{made['id']}"
    fields = [{"description": "d"}, {"category": "c"}, {"tags": ["t"]}]
    answers = await asyncio.gather(*(world.provider.patch(path, change) for change in fields))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    shown = (await world.provider.get(path)).json()
    assert (shown["description"], shown["category"], shown["tags"]) == ("d", "c", ["t"])


async def test_secrets_are_write_only(world: World) -> None:
    made = (
        await world.provider.post(
            "/apis", world.body(upstreamHeaders={"X-Api-Key": "s3cret-value"}, hideEndpoint=True)
        )
    ).json()
    path = f"/apis/{made['id']}"
    for answer in (
        await world.provider.get(path),
        await world.other.get(path),
        await world.provider.patch(path, {"description": "x"}),
    ):
        assert "s3cret-value" not in answer.text
        assert made["listingSecret"] not in answer.text
    assert (await world.other.get(path)).json()["endpoint"] == made["gatewayUrl"]
    assert (await world.provider.get(path)).json()["endpoint"] == made["endpoint"]
    fresh = await world.provider.post(f"{path}/secret")
    assert fresh.json()["listingSecret"] not in ("********", made["listingSecret"])
    assert code(await world.other.post(f"{path}/secret")) == (403, "FORBIDDEN")


async def test_the_catalogue_is_searched(world: World) -> None:
    mark = f"zebra{time.time_ns()}"
    cheap = (
        await world.provider.post(
            "/apis",
            world.body(name=f"{mark} 100% one", pricePerRequest="0.5", tags=["Striped"], category="animals"),
        )
    ).json()
    dear = (
        await world.other.post(
            "/apis",
            world.body(name=f"{mark} two", pricePerRequest="10", currency="USDC", description="under_score"),
        )
    ).json()
    off = (await world.provider.post("/apis", world.body(name=f"{mark} off", status="disabled"))).json()

    async def found(**query: Any) -> list[str]:
        answer = (await world.other.get("/apis", params={"search": mark, **query})).json()
        assert answer["total"] == len(answer["apis"])
        return [listing["id"] for listing in answer["apis"]]

    assert await found() == [dear["id"], cheap["id"]]
    assert await found(sort="price") == [cheap["id"], dear["id"]]
    assert await found(sort="-price") == [dear["id"], cheap["id"]]
    assert await found(search=f"{mark.upper()} 100%") == [cheap["id"]]
    assert await found(search=f"{mark} 1%e") == []
    assert await found(search=f"{mark} under_score") == [dear["id"]]
    assert await found(currency="usdc") == [dear["id"]]
    assert await found(maxPrice="1") == [cheap["id"]]
    assert await found(tag="striped") == [cheap["id"]]
    assert await found(category="animals") == [cheap["id"]]
    assert await found(provider=world.provider.address.lower()) == [cheap["id"]]
    assert await found(chain="84532") == [dear["id"], cheap["id"]]
    assert (await world.other.get(f"/apis/{off['id']}")).json()["status"] == "disabled"
    page = (await world.other.get("/apis", params={"search": mark, "limit": 1, "page": 2})).json()
    assert ([one["id"] for one in page["apis"]], page["total"], page["page"], page["pages"]) == (
        [cheap["id"]],
        2,
        2,
        2,
    )
    assert (await world.other.get("/apis", params={"search": mark, "page": 99})).json()["apis"] == []
    assert "openapi" not in page["apis"][0]
    for query in (
        {"page": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"currency": "BTC"},
        {"chain": "moon"},
        {"sort": "up"},
        {"maxPrice": "-1"},
        {"provider": "0x1"},
        {"search": "x" * 201},
    ):
        assert code(await world.other.get("/apis", params=query)) == (400, "INVALID_PARAMETER"), query


async def test_discovery_for_agents(world: World) -> None:
    made = (
        await world.provider.post(
            "/apis",
            world.body(
                openapi=DOCUMENT,
                endpoints=[
                    {"method": "POST", "path": "/ask", "pricePerRequest": "0.004", "examples": ["Why?"]}
                ],
            ),
        )
    ).json()
    path = f"/apis/{made['id']}"
    shown = (await world.other.get(f"{path}/discovery")).json()
    assert shown["agentInfo"] == {
        "capabilities": ["get-weather"],
        "requiredHeaders": ["X-Payment-Tx", "X-Signature"],
    }
    assert (shown["amountBaseUnits"], shown["decimals"], shown["tokenAddress"]) == (str(10**15), 18, None)
    document = (await world.other.get(f"{path}/openapi")).json()
    assert document["info"]["x-flux-api-id"] == made["id"]
    assert document["servers"] == [{"url": made["gatewayUrl"]}]
    assert set(document["components"]["securitySchemes"]) == {"FluxPayment", "FluxSignature", "FluxTimestamp"}
    weather = document["paths"]["/weather/{city}"]["get"]
    assert "security" not in weather
    assert (
        weather["x-flux-pricing"]["amount"],
        weather["x-flux-pricing"]["token"],
        weather["x-flux-pricing"]["chain"],
    ) == ("0.001", "ETH", "base-sepolia")
    assert {"401", "402", "429", "502"} <= set(weather["responses"])
    ask = document["paths"]["/ask"]["post"]
    assert (ask["x-flux-pricing"]["amount"], ask["x-flux-example-prompts"]) == ("0.004", ["Why?"])
    info = (await world.other.get(f"{path}/agent-info")).json()
    assert {row["name"]: row["pricing"]["amount"] for row in info["capabilities"]} == {
        "POST /ask": "0.004",
        "getWeather": "0.001",
    }
    assert info["signing"]["v1"]["vector"]["timestamp"] == 1700000000
    assert made["id"] in info["howToUse"]["exampleCode"]["python"]
    assert "@" not in info["howToUse"]["exampleCode"]["curl"]
    assert info["errors"]["PAYMENT_NOT_FOUND"]
    bare = (await world.provider.post("/apis", world.body())).json()
    stub = (await world.other.get(f"/apis/{bare['id']}/openapi")).json()
    assert set(stub["paths"]["/{path}"]) == {"get", "put", "post", "delete", "head", "patch"}


async def test_quotes_fail_where_calls_would(world: World) -> None:
    made = (
        await world.provider.post("/apis", world.body(endpoints=[{"method": "GET", "path": "/a"}]))
    ).json()
    quote = f"/apis/{made['id']}/quote"
    assert code(await world.other.get(quote)) == (400, "MISSING_PARAMETER")
    assert code(await world.other.get(f"{quote}?path=/..%252fx")) == (400, "INVALID_ENDPOINT")
    assert code(await world.other.get(f"{quote}?path=/b")) == (404, "ENDPOINT_NOT_FOUND")
    shown = (await world.other.get(f"{quote}?path=/a&method=get")).json()
    assert (shown["method"], shown["amount"], shown["minConfirmations"], shown["maxPaymentAgeSeconds"]) == (
        "GET",
        "0.001",
        1,
        86400,
    )
    await world.provider.patch(f"/apis/{made['id']}", {"status": "disabled"})
    assert code(await world.other.get(f"{quote}?path=/a")) == (403, "API_DISABLED")


async def test_unknown_routes_and_methods(world: World) -> None:
    answer = await world.other.get("/nothing")
    assert code(answer) == (404, "ENDPOINT_NOT_FOUND")
    wrong = await world.other.delete("/chains")
    assert code(wrong) == (404, "ENDPOINT_NOT_FOUND")
    assert "GET" in wrong.headers["allow"]
    made = (await world.provider.post("/apis", world.body())).json()
    for method in ("TRACE", "PROPFIND", "CONNECT"):
        if method == "CONNECT":
            continue
        refused = await world.other.http.request(method, f"{API}/gateway/{made['id']}/a")
        assert (refused.status_code, refused.headers["x-gateway-error"]) in (
            (404, "ENDPOINT_NOT_FOUND"),
            (401, "MISSING_PAYMENT_TX"),
        )
    options = await world.other.http.options(f"{API}/gateway/{made['id']}/a")
    assert options.status_code == 204


async def test_cors(world: World) -> None:
    made = (await world.provider.post("/apis", world.body())).json()
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-payment-tx,access-control-expose-headers,x-own",
    }
    flight = await world.other.http.options(f"{API}/gateway/{made['id']}/a", headers=asked)
    assert (flight.status_code, flight.headers["access-control-allow-origin"]) == (204, "*")
    allowed = flight.headers["access-control-allow-headers"].lower()
    for name in (
        "x-payment-tx",
        "x-signature",
        "x-timestamp",
        "payment-signature",
        "x-payment",
        "access-control-expose-headers",
        "x-own",
    ):
        assert name in allowed
    shown = await world.other.http.get(f"{API}/apis", headers={"Origin": "https://app.example"})
    assert shown.headers["access-control-allow-origin"] == "*"
    assert "PAYMENT-REQUIRED" in shown.headers["access-control-expose-headers"]
    write = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert (
        "access-control-allow-origin"
        not in (await world.other.http.options(f"{API}/apis", headers=write)).headers
    )
    own = {"Origin": world.server.origin, "Access-Control-Request-Method": "POST"}
    trusted = await world.other.http.options(f"{API}/apis", headers=own)
    assert trusted.headers["access-control-allow-origin"] == world.server.origin
    assert trusted.headers["access-control-allow-credentials"] == "true"


async def test_cookies_write_only_from_our_own_origin(world: World) -> None:
    async with world.server.client() as http:
        wallet = Purse(Account.create(), world.server, http)
        await wallet.login()
        cookies = {"Cookie": f"session={wallet.token}"}
        assert (await http.get(f"{API}/auth/session", headers=cookies)).json()["address"] == wallet.address
        csrf = (await http.get(f"{API}/auth/session", headers=cookies)).json()["csrfToken"]
        body = world.body()
        for extra in ({}, {"Origin": "https://evil.example"}, {"X-CSRF-Token": "0" * 64}):
            refused = await http.post(f"{API}/apis", json=body, headers={**cookies, **extra})
            assert code(refused) == (403, "FORBIDDEN")
            assert refused.json()["details"]["reason"] == "csrf"
        ours = {**cookies, "Origin": world.server.origin}
        assert (await http.post(f"{API}/apis", json=body, headers=ours)).status_code == 201
        token = {**cookies, "X-CSRF-Token": csrf}
        assert (await http.post(f"{API}/apis", json=world.body(), headers=token)).status_code == 201
        out = await http.post(f"{API}/auth/logout", headers=ours)
        assert out.status_code == 204
        gone = await http.get(f"{API}/auth/session", headers=cookies)
        assert (code(gone), gone.json()["details"]["reason"]) == ((401, "NOT_AUTHENTICATED"), "invalid")
        assert gone.headers["www-authenticate"] == "Bearer"


async def login_message(world: World, wallet: Any, **change: Any) -> str:
    made = (
        await world.other.http.post(f"{API}/auth/nonce", json={"address": wallet.address, "chainId": 84532})
    ).json()
    message: str = made["message"]
    for old, new in change.get("replace", []):
        assert old in message
        message = message.replace(old, new)
    return message


async def verified(world: World, message: str, signer: Any) -> httpx.Response:
    signature = "0x" + signer.sign_message(encode_defunct(text=message)).signature.hex()
    return await world.other.http.post(
        f"{API}/auth/verify", json={"message": message, "signature": signature}
    )


async def test_logins_that_are_refused(world: World) -> None:
    wallet, thief = Account.create(), Account.create()
    host = world.server.origin.removeprefix("http://")
    verify = f"{API}/auth/verify"
    assert code(await world.other.http.post(verify, json={"message": "x"})) == (400, "MISSING_PARAMETER")
    junk = await world.other.http.post(verify, json={"message": "x", "signature": "0x"})
    assert (code(junk), junk.json()["details"]["param"]) == ((400, "INVALID_PARAMETER"), "message")
    for replace, reason in (
        ([(host + " wants", "evil.example wants")], "domain_mismatch"),
        ([(f"URI: {world.server.origin}", "URI: https://evil.example")], "uri_mismatch"),
        ([("Chain ID: 84532", "Chain ID: 5")], "chain_not_supported"),
    ):
        answer = await verified(world, await login_message(world, wallet, replace=replace), wallet)
        assert (code(answer), answer.json()["details"]["reason"]) == ((401, "INVALID_SIGNATURE"), reason)
    stolen = await verified(world, await login_message(world, wallet), thief)
    assert (code(stolen), stolen.json()["details"]["reason"]) == (
        (401, "INVALID_SIGNATURE"),
        "signer_mismatch",
    )
    message = await login_message(world, wallet)
    short = await world.other.http.post(verify, json={"message": message, "signature": "0x1234"})
    assert (code(short), short.json()["details"]["reason"]) == ((401, "INVALID_SIGNATURE"), "malformed")
    burnt = await verified(world, message, wallet)
    assert (code(burnt), burnt.json()["details"]["reason"]) == ((401, "SIGNATURE_EXPIRED"), "unknown_nonce")
    unrecoverable = "0x" + "00" * 31 + "05" + "00" * 31 + "01" + "1b"
    lost = await world.other.http.post(
        verify, json={"message": await login_message(world, wallet), "signature": unrecoverable}
    )
    assert code(lost) == (401, "INVALID_WALLET")
    message = await login_message(world, wallet)
    issued = next(line for line in message.split("\n") if line.startswith("Issued At"))
    old = await verified(world, message.replace(issued, "Issued At: 2020-01-01T00:00:00Z"), wallet)
    assert (code(old), old.json()["details"]["reason"]) == ((401, "SIGNATURE_EXPIRED"), "too_old")
    for line in ("Expiration Time: 2020-01-01T00:00:00Z", "Not Before: 2999-01-01T00:00:00Z"):
        message = await login_message(world, wallet)
        kept = [one for one in message.split("\n") if not one.startswith(line.partition(":")[0])]
        late = await verified(world, "\n".join([*kept, line]), wallet)
        assert code(late) == (401, "SIGNATURE_EXPIRED"), (line, late.text)
    ours = await verified(world, await login_message(world, wallet), wallet)
    assert ours.status_code == 200
    assert "HttpOnly" in ours.headers["set-cookie"]
    assert "Secure" not in ours.headers["set-cookie"]
    twice = await login_message(world, wallet)
    signed = await asyncio.gather(*(verified(world, twice, wallet) for _ in range(4)))
    assert sorted(answer.status_code for answer in signed) == [200, 401, 401, 401]


async def test_sessions_end_unused(world: World) -> None:
    """The last one here: it moves the clock by days."""
    wallet = await purse(world.server).login()
    for hours in (23, 23):
        await world.server.sandbox.clock(hours * 3600)
        assert (await wallet.get("/auth/session")).status_code == 200
    await world.server.sandbox.clock(24 * 3600 + 1)
    gone = await wallet.get("/auth/session")
    assert (code(gone), gone.json()["details"]["reason"]) == ((401, "NOT_AUTHENTICATED"), "expired")
    busy = await purse(world.server).login()
    for _ in range(7):
        await world.server.sandbox.clock(23 * 3600)
        last = await busy.get("/auth/session")
    assert last.status_code == 200
    await world.server.sandbox.clock(8 * 3600)
    assert (await busy.get("/auth/session")).json()["details"]["reason"] == "expired"
    await wallet.http.aclose()
    await busy.http.aclose()
