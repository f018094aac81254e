"""What a paid call meets on its way, in the order of the contract; windows, bans, overload, broken ports, a crash."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
from eth_account import Account
from tests.clients.paygate_world import API, PRICE, Purse, chain_settings, purse, target
from tests.harness.anvil import anvil
from tests.harness.server import serve

NO_SUCH_HASH = "0x" + "ab" * 32


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_each_step_of_the_gateway_answers_before_the_next(tmp_path: Path) -> None:
    async with (
        anvil() as chain,
        target() as there,
        serve(tmp_path, settings=chain_settings(chain, request_body_bytes="1000000")) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        listing = await provider.list_api(there.url, endpoints=[{"method": "POST", "path": "/a"}])
        api = listing["id"]
        admin = {"Authorization": f"Bearer {server.operator['admin_token']}"}
        block = f"{API}/admin/providers/{provider.address}/block"

        async def post(path: str, at: str = api, **headers: str) -> tuple[int, str]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return code(
                await consumer.http.post(f"{API}/gateway/{at}{path}", headers=named, content=b"x" * 2_000_000)
            )

        await provider.patch(f"/apis/{api}", {"status": "disabled"})
        await consumer.http.post(block, headers=admin)
        assert await post("/..%2f", "bad-id") == (400, "INVALID_API_ID")
        assert await post("/..%2f", "api_none") == (404, "API_NOT_FOUND")
        assert await post("/..%2f") == (403, "PROVIDER_BLOCKED")
        assert code(await provider.post("/apis", "not even JSON")) == (403, "PROVIDER_BLOCKED")
        await consumer.http.delete(block, headers=admin)
        assert await post("/..%2f") == (403, "API_DISABLED")
        await provider.patch(f"/apis/{api}", {"status": "active"})
        assert await post("/..%2f") == (400, "INVALID_ENDPOINT")
        nul = await consumer.http.get(f"{API}/gateway/{api}/a%00b")
        assert nul.json()["details"] == {"path": "/a%00b", "reason": "illegal_character"}
        assert await post("/nope") == (404, "ENDPOINT_NOT_FOUND")
        assert await post("/a") == (401, "MISSING_PAYMENT_TX")
        assert await post("/a", x_signature="junk") == (401, "MISSING_PAYMENT_TX")
        assert await post("/a", x_payment_tx="junk") == (401, "MISSING_SIGNATURE")
        assert await post("/a", x_payment_tx="junk", x_signature="junk", x_timestamp="junk") == (
            400,
            "INVALID_PARAMETER",
        )
        assert await post("/a", x_payment_tx=NO_SUCH_HASH, x_signature="junk", x_timestamp="junk") == (
            401,
            "INVALID_SIGNATURE",
        )
        old = consumer.proof(api, NO_SUCH_HASH, age=400)
        both = {"x_payment_tx": NO_SUCH_HASH, "x_signature": old["X-Signature"]}
        assert await post("/a", **both, x_timestamp="junk") == (400, "INVALID_PARAMETER")
        assert await post("/a", **both, x_timestamp="1", x_payment_chain="moon") == (400, "INVALID_PARAMETER")
        assert await post("/a", **both, x_timestamp="1", x_payment_chain="ethereum") == (
            402,
            "INVALID_PAYMENT_CHAIN",
        )
        assert await post("/a", **both, x_timestamp=old["X-Timestamp"]) == (401, "SIGNATURE_EXPIRED")
        nobody = "0x" + "00" * 31 + "05" + "00" * 31 + "01" + "1b"
        now = str(int(time.time()))
        assert await post("/a", x_payment_tx=NO_SUCH_HASH, x_signature=nobody, x_timestamp=now) == (
            401,
            "INVALID_WALLET",
        )
        fresh = {name.replace("-", "_"): value for name, value in consumer.proof(api, NO_SUCH_HASH).items()}
        assert await post("/a", **fresh) == (400, "INVALID_REQUEST")
        small = await consumer.http.post(f"{API}/gateway/{api}/a", headers=consumer.proof(api, NO_SUCH_HASH))
        assert code(small) == (402, "PAYMENT_NOT_FOUND")
        assert small.json()["details"]["searchedChains"] == ["base-sepolia"]
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        refused = await consumer.http.get(f"{API}/gateway/{api}/a", headers=upgrade)
        assert (code(refused), refused.json()["details"]["reason"]) == (
            (400, "INVALID_REQUEST"),
            "upgrade_not_supported",
        )
        await provider.http.aclose()
        await consumer.http.aclose()


async def test_windows_bans_and_searches(tmp_path: Path) -> None:
    async with (
        anvil() as chain,
        target() as there,
        serve(
            tmp_path,
            settings=chain_settings(chain, gateway_per_minute="30", ban_after="5", writes_per_minute="6"),
        ) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        listing = await provider.list_api(there.url, rateLimit={"requests": 1, "windowSeconds": 60})
        api = listing["id"]

        async def unpaid(address: str) -> httpx.Response:
            return await consumer.http.get(f"{API}/gateway/{api}/a", headers={"X-Forwarded-For": address})

        answers = [await unpaid("198.18.0.1") for _ in range(40)]
        assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 5 + [403] * 5
        limited, banned = answers[30], answers[-1]
        assert (
            limited.json()["message"]
            == f"Rate limit exceeded. Retry after {limited.headers['retry-after']} seconds"
        )
        assert limited.json()["details"] | {"retryAfterSeconds": 0} == {
            "scope": "ip",
            "limit": 30,
            "windowSeconds": 60,
            "retryAfterSeconds": 0,
            "retryable": True,
        }
        assert banned.json()["message"] == "Rate limit exceeded"
        assert "retry-after" not in banned.headers
        assert (banned.json()["details"]["scope"], banned.json()["details"]["retryable"]) == ("ip", False)
        elsewhere = await consumer.http.get(f"{API}/chains", headers={"X-Forwarded-For": "198.18.0.1"})
        assert code(elsewhere) == (403, "RATE_LIMIT_EXCEEDED")
        assert (await unpaid("198.18.0.2")).status_code == 401
        await server.sandbox.clock(901)
        await chain.rpc("evm_increaseTime", 901)
        consumer.ahead = 901
        assert (await unpaid("198.18.0.1")).status_code == 401

        served = await consumer.call(
            api, "/a", await chain.pay(consumer.account, listing["recipient"], PRICE)
        )
        assert served.status_code == 200, served.text
        kept = await chain.pay(consumer.account, listing["recipient"], PRICE)
        refusals = [
            await consumer.call(api, "/a", kept, headers={"X-Forwarded-For": f"198.18.1.{index}"})
            for index in range(7)
        ]
        assert [code(answer) for answer in refusals] == [(429, "RATE_LIMIT_EXCEEDED")] * 5 + [
            (403, "RATE_LIMIT_EXCEEDED")
        ] * 2
        assert (refusals[0].json()["details"]["scope"], refusals[-1].json()["details"]["scope"]) == (
            "listing",
            "wallet",
        )
        await server.sandbox.clock(901)
        consumer.ahead += 901
        assert (await consumer.call(api, "/a", kept)).status_code == 200

        thief = Purse(Account.create(), server, server.client(), ahead=consumer.ahead)
        tx_hash = await chain.pay(consumer.account, listing["recipient"], PRICE)
        tries = [
            await thief.call(api, "/a", tx_hash, timestamp=False, headers={"X-Forwarded-For": "198.18.2.1"})
            for _ in range(6)
        ]
        assert [code(answer) for answer in tries] == [(401, "INVALID_SIGNATURE")] * 5 + [
            (429, "RATE_LIMIT_EXCEEDED")
        ]
        assert tries[0].json()["details"]["reason"] == "signer_mismatch_or_expired"
        writes = [await provider.patch(f"/apis/{api}", {"description": str(index)}) for index in range(8)]
        assert [answer.status_code for answer in writes] == [200] * 6 + [429] * 2
        for wallet in (provider, consumer, thief):
            await wallet.http.aclose()


async def test_overload_maintenance_and_the_required_timestamp(tmp_path: Path) -> None:
    async with (
        anvil() as chain,
        target() as there,
        serve(
            tmp_path, settings=chain_settings(chain, max_in_flight="1", timestamp_search="false")
        ) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        listing = await provider.list_api(there.url)
        api = listing["id"]
        discovery = (await consumer.get(f"/apis/{api}/discovery")).json()
        assert discovery["agentInfo"]["requiredHeaders"] == ["X-Payment-Tx", "X-Signature", "X-Timestamp"]
        tx_hash = await chain.pay(consumer.account, listing["recipient"], PRICE)
        bare = await consumer.call(api, "/a", tx_hash, timestamp=False)
        assert (code(bare), bare.json()["details"]) == (
            (400, "MISSING_PARAMETER"),
            {"param": "X-Timestamp", "in": "header"},
        )
        calling = asyncio.ensure_future(consumer.call(api, "/gate", tx_hash))
        while not there.hits:
            await asyncio.sleep(0.01)
        busy = await consumer.get("/chains")
        assert (code(busy), busy.json()["details"]["reason"]) == ((503, "SERVICE_UNAVAILABLE"), "overload")
        assert int(busy.headers["retry-after"]) > 0
        assert (await consumer.get("/health")).status_code == 200
        there.gate.set()
        assert (await calling).status_code == 200
        assert (await consumer.get("/chains")).status_code == 200
        await server.sandbox.maintenance(True, "paygate")
        closed = await consumer.http.get(f"{API}/gateway/bad-id/a")
        assert (code(closed), closed.json()["details"]["reason"]) == (
            (503, "SERVICE_UNAVAILABLE"),
            "maintenance",
        )
        assert closed.headers["x-gateway-error"] == "SERVICE_UNAVAILABLE"
        assert (await consumer.get("/health")).status_code == 200
        await server.sandbox.maintenance(False, "paygate")
        await provider.http.aclose()
        await consumer.http.aclose()


async def test_injected_failures_leave_the_payment_usable(tmp_path: Path) -> None:
    async with anvil() as chain, target() as there, serve(tmp_path, settings=chain_settings(chain)) as server:
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        listing = await provider.list_api(there.url)
        api = listing["id"]
        for port, mode, expected in (
            ("chain", "error", (500, "BLOCKCHAIN_ERROR")),
            ("chain", "garbage", (500, "BLOCKCHAIN_ERROR")),
            ("chain", "unavailable", (503, "BLOCKCHAIN_UNAVAILABLE")),
            ("chain", "timeout", (503, "BLOCKCHAIN_UNAVAILABLE")),
            ("upstream", "error", (500, "GATEWAY_ERROR")),
            ("upstream", "unavailable", (500, "GATEWAY_ERROR")),
            ("upstream", "garbage", (502, "INVALID_GATEWAY_RESPONSE")),
            ("upstream", "timeout", (502, "GATEWAY_TIMEOUT")),
            ("handler", "error", (500, "INTERNAL_ERROR")),
        ):
            tx_hash = await chain.pay(consumer.account, listing["recipient"], PRICE)
            await server.sandbox.fault(port, mode, seconds=0.2)
            broken = await consumer.call(api, "/a", tx_hash)
            assert code(broken) == expected, (port, mode)
            if port == "upstream":
                assert broken.json()["details"]["paymentStatus"] == "released"
                assert broken.json()["details"]["callId"] == broken.headers["x-call-id"]
            assert (await consumer.call(api, "/a", tx_hash)).status_code == 200, (port, mode)
        await provider.http.aclose()
        await consumer.http.aclose()


async def test_a_node_that_comes_back_and_a_gateway_that_died(tmp_path: Path) -> None:
    """The payment survives both: with its state kept, and with the process killed in the middle of the call."""
    async with (
        anvil(state=tmp_path / "chain.json") as chain,
        target() as there,
        serve(tmp_path / "flux", settings=chain_settings(chain)) as server,
    ):
        provider = await purse(server, chain.accounts[0]).login()
        consumer = purse(server, chain.accounts[1])
        listing = await provider.list_api(there.url)
        api = listing["id"]
        tx_hash = await chain.pay(consumer.account, listing["recipient"], PRICE)
        chain.stop()
        gone = await consumer.call(api, "/a", tx_hash)
        assert (code(gone), gone.headers["retry-after"]) == ((503, "BLOCKCHAIN_UNAVAILABLE"), "5")
        ready = await consumer.get("/ready")
        assert ready.status_code == 503
        assert ready.json()["details"]["chains"] == {"base-sepolia": "unreachable"}
        assert (await consumer.get("/apis")).status_code == 200
        await chain.start()
        served = await consumer.call(api, "/a", tx_hash)
        assert served.status_code == 200, served.text
        held = await chain.pay(consumer.account, listing["recipient"], PRICE)
        before = len(there.hits)
        calling = asyncio.ensure_future(consumer.call(api, "/gate", held))
        while len(there.hits) == before:
            await asyncio.sleep(0.01)
        server.kill()
        await asyncio.gather(calling, return_exceptions=True)
        await server.restart()
        while_leased = await consumer.call(api, "/a", held)
        assert while_leased.json()["details"]["reason"] == "payment_in_use"
        await server.sandbox.clock(600)
        for _ in range(200):
            state = (await consumer.get(f"/payments/{held}")).json()
            if state["state"] != "reserved":
                break
            await asyncio.sleep(0.05)
        assert state["state"] == "consumed"
        await provider.login()
        call = (await provider.get(f"/history/{state['callId']}")).json()
        assert (call["status"], call["paymentStatus"]) == ("aborted", "consumed")
        assert len(there.hits) == before + 1
        await provider.http.aclose()
        await consumer.http.aclose()
