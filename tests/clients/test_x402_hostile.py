"""x402 with clients, resource servers and settlements that mean harm: what is presented here and elsewhere, altered, or not
what it says. Whatever it is, the answer is the documented one, and no money buys two things."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, Market, market
from tests.clients.test_x402 import payer
from tests.durability.books import Books
from tests.harness.anvil import ACCOUNTS
from tests.harness.token import Usdc
from x402.http.utils import encode_payment_signature_header
from x402.schemas import PaymentRequired

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRICE = 10_000
FACILITATOR = f"{API}/facilitator"
ADDRESS = "0x" + "11" * 20


@dataclass
class World(Market):
    usdc: Usdc = field(init=False)
    listing: dict[str, Any] = field(init=False)

    async def proof(self) -> dict[str, Any]:
        """A payment payload of version 2 that was not presented yet, as its client would send it."""
        unpaid = await self.consumer.http.get(f"{API}/x402/{self.listing['id']}/a")
        wanted = json.loads(base64.b64decode(unpaid.headers["payment-required"]))
        signer = payer(self.consumer.account)
        payload = await signer.create_payment_payload(PaymentRequired.model_validate(wanted))
        shown: dict[str, Any] = json.loads(base64.b64decode(encode_payment_signature_header(payload)))
        return shown

    async def present(self, proof: Any, path: str = "/a", name: str = "PAYMENT-SIGNATURE") -> httpx.Response:
        header = base64.b64encode(json.dumps(proof).encode()).decode()
        return await self.consumer.http.get(f"{API}/x402/{self.listing['id']}{path}", headers={name: header})

    async def ask(self, what: str, proof: Any, requirement: Any, **more: Any) -> dict[str, Any]:
        body = {"paymentPayload": proof, "paymentRequirements": requirement, "x402Version": 2, **more}
        answer = await self.consumer.http.post(f"{FACILITATOR}/{what}", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def received(self) -> int:
        return await self.usdc.balance(self.provider.address)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("x402-hostile")
    key = "0x" + ACCOUNTS[8].key.hex()
    async with market(directory, request.param, World, facilitator_key=key) as world:
        world.usdc = await Usdc(world.chain).deploy()
        await world.usdc.mint(world.consumer.address, 10**9)
        world.listing = await world.listed(currency="USDC", pricePerRequest="0.01")
        yield world


# -- one authorisation, two things --------------------------------------------------------------------------------


async def test_what_another_resource_server_settled_buys_nothing_here(world: World) -> None:
    """The call failed and gave its authorisation back; then it was settled for somebody else, through us."""
    proof, before = await world.proof(), await world.received()
    failed = await world.present(proof, "/status/503")
    assert (failed.status_code, failed.headers["x-payment-status"]) == (503, "released")
    settled = await world.ask("settle", proof, proof["accepted"])
    assert settled["success"], settled
    hits = len(world.target.hits)
    refused = await world.present(proof)
    assert (refused.status_code, refused.json()["error"]) == (402, "INSUFFICIENT_PAYMENT"), refused.text
    assert refused.json()["details"]["x402Reason"] == "invalid_exact_evm_nonce_already_used"
    assert len(world.target.hits) == hits
    assert await world.received() == before + PRICE


async def test_an_authorisation_settled_elsewhere_during_the_call(world: World) -> None:
    """The other resource server was told that it is paid. So the money is spent, and the call is not served."""
    proof, before = await world.proof(), await world.received()
    hits = len(world.target.hits)
    world.target.gate.clear()
    calling = asyncio.ensure_future(world.present(proof, "/gate"))
    while len(world.target.hits) == hits:
        await asyncio.sleep(0.01)
    settled = await world.ask("settle", proof, proof["accepted"])
    world.target.gate.set()
    refused = await calling
    assert settled["success"], settled
    assert refused.status_code == 402, refused.text
    assert json.loads(base64.b64decode(refused.headers["payment-response"]))["success"] is False
    assert (await world.present(proof)).status_code == 402
    assert await world.received() == before + PRICE


async def test_one_authorisation_settled_many_times_at_once_moves_money_once(world: World) -> None:
    proof, before = await world.proof(), await world.received()
    settled = await asyncio.gather(*(world.ask("settle", proof, proof["accepted"]) for _ in range(8)))
    assert len({one["transaction"] for one in settled if one["success"]}) == 1
    assert await world.received() == before + PRICE
    assert (await world.present(proof)).status_code == 402


# -- proofs that were altered -------------------------------------------------------------------------------------


def put(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(proof: dict[str, Any]) -> None:
        place = proof
        for name in path[:-1]:
            place = place[name]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value

    return change


ALTERED: dict[str, tuple[Callable[[dict[str, Any]], None], int, str, str | None]] = {
    "another asset": (put(ADDRESS, "accepted", "asset"), 402, "INSUFFICIENT_PAYMENT", "wrong_token"),
    "another domain": (put({"name": "X", "version": "2"}, "accepted", "extra"), 402, "INSUFFICIENT_PAYMENT", "wrong_token"),
    "no domain": (put(None, "accepted", "extra"), 402, "INSUFFICIENT_PAYMENT", "wrong_token"),
    "another payee": (put(ADDRESS, "accepted", "payTo"), 402, "INSUFFICIENT_PAYMENT", "recipient_mismatch"),
    "a lower amount": (put("9999", "accepted", "amount"), 402, "INSUFFICIENT_PAYMENT", "amount_too_low"),
    "another network": (put("eip155:1", "accepted", "network"), 402, "INVALID_PAYMENT_CHAIN", None),
    "another scheme": (put("upto", "accepted", "scheme"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "nothing accepted": (put(None, "accepted"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "version 3": (put(3, "x402Version"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "version true": (put(True, "x402Version"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "money for another": (put(ADDRESS, "payload", "authorization", "to"), 402, "INSUFFICIENT_PAYMENT", "recipient_mismatch"),
    "less money": (put("9999", "payload", "authorization", "value"), 402, "INSUFFICIENT_PAYMENT", "amount_too_low"),
    "more money": (put("10001", "payload", "authorization", "value"), 402, "INSUFFICIENT_PAYMENT", "amount_too_low"),
    "money of another": (put(ADDRESS, "payload", "authorization", "from"), 402, "INVALID_SIGNATURE", "signer_mismatch"),
    "a number for text": (put(10_000, "payload", "authorization", "value"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "a negative sum": (put("-1", "payload", "authorization", "value"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "beyond 256 bits": (put(str(2**256), "payload", "authorization", "value"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "a nonce too short": (put("0x12", "payload", "authorization", "nonce"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "over already": (put("1", "payload", "authorization", "validBefore"), 402, "SIGNATURE_EXPIRED", "too_old"),
    "not begun": (put("99999999999", "payload", "authorization", "validAfter"), 402, "SIGNATURE_EXPIRED", "in_future"),
    "half a signature": (put("0x1234", "payload", "signature"), 402, "INVALID_SIGNATURE", "signer_mismatch"),
    "no signature": (put(None, "payload", "signature"), 400, "INVALID_REQUEST", "bad_payment_payload"),
    "a long signature": (put("0x" + "11" * 3_000, "payload", "signature"), 400, "INVALID_REQUEST", "bad_payment_payload"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
async def test_proofs_that_were_altered(world: World, name: str) -> None:
    alter, status, error, reason = ALTERED[name]
    proof, before, hits = await world.proof(), await world.received(), len(world.target.hits)
    alter(proof)
    refused = await world.present(proof)
    assert (refused.status_code, refused.json()["error"]) == (status, error), refused.text
    assert refused.json()["details"].get("reason") == reason
    assert ("payment-required" in refused.headers) == (status == 402)
    assert ("accepts" in refused.json()) == (status == 402)
    assert (await world.received(), len(world.target.hits)) == (before, hits)


async def test_a_proof_under_the_other_versions_header(world: World) -> None:
    refused = await world.present(await world.proof(), name="X-PAYMENT")
    assert (refused.status_code, refused.json()["details"]["reason"]) == (400, "bad_payment_payload")


# -- what a facilitator may be sent -------------------------------------------------------------------------------


async def test_requirements_that_are_not_the_payloads(world: World) -> None:
    proof = await world.proof()
    asked: dict[str, Any] = proof["accepted"]
    for change, reason in (
        ({"asset": ADDRESS}, "invalid_payment_requirements"),
        ({"asset": None}, "invalid_payment_requirements"),
        ({"payTo": ADDRESS}, "invalid_payment_requirements"),
        ({"amount": "1"}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"amount": 10_000}, "invalid_payment_requirements"),
        ({"network": "eip155:1"}, "invalid_network"),
        ({"network": ["eip155:84532"]}, "invalid_network"),
        ({"scheme": "upto"}, "unsupported_scheme"),
        ({"extra": {}}, "missing_eip712_domain"),
        ({"extra": "USDC"}, "missing_eip712_domain"),
    ):
        told = await world.ask("verify", proof, {**asked, **change})
        assert (told["isValid"], told["invalidReason"]) == (False, reason), change
        settled = await world.ask("settle", proof, {**asked, **change})
        assert (settled["success"], settled["errorReason"], settled["transaction"]) == (False, reason, "")
    for payload in ("x", [], 7, {}, {"x402Version": 2}, {**proof, "payload": []}):
        told = await world.ask("verify", payload, asked)
        assert told["isValid"] is False, payload
        assert told["invalidReason"] in ("invalid_payload", "invalid_x402_version")
    for version in (1, 3, 9):
        told = await world.ask("verify", proof, asked, x402Version=version)
        assert (told["isValid"], told["invalidReason"]) == (False, "invalid_x402_version")
    assert (await world.ask("verify", proof, asked))["isValid"] is True


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a":', "malformed_json"),
        (b"[]", "not_an_object"),
        (b"[" * 50_000, None),
        (b'{"paymentPayload":' + b'{"a":' * 500 + b"1" + b"}" * 501, "too_deep"),
        (b'{"x402Version":2,"x402Version":2}', "duplicate_key"),
        (b'{"x402Version":NaN}', "malformed_json"),
        (b'{"a":"' + b"x" * 2_000_000 + b'"}', "body_too_large"),
        (b'{"a":"\xff"}', "malformed_json"),
    ],
)
async def test_bodies_that_are_none(world: World, content: bytes, reason: str | None) -> None:
    for what in ("verify", "settle"):
        headers = {"Content-Type": "application/json"}
        answer = await world.consumer.http.post(f"{FACILITATOR}/{what}", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST"), answer.text
        assert reason is None or answer.json()["details"]["reason"] == reason


async def test_what_the_token_would_refuse_is_not_valid(world: World) -> None:
    """Nobody here knows whether a contract agrees to a signature: the transfer is tried on the chain first."""
    wallet = "0x" + "c0de" * 10
    await world.chain.rpc("anvil_setCode", wallet, "0x60006000fd")
    await world.usdc.mint(wallet, 10**6)
    proof = await world.proof()
    proof["payload"]["authorization"]["from"] = wallet
    told = await world.ask("verify", proof, proof["accepted"])
    expected = (False, "invalid_exact_evm_transaction_simulation_failed")
    assert (told["isValid"], told["invalidReason"]) == expected
    assert (await world.present(proof)).status_code == 402


async def test_the_facilitator_is_the_operators_own(world: World) -> None:
    remote = {"X-Forwarded-For": "198.18.0.9"}
    for method, path in (("GET", "supported"), ("POST", "verify"), ("POST", "settle")):
        url = f"{FACILITATOR}/{path}"
        nobody = await world.consumer.http.request(method, url, headers=remote, json={})
        assert (nobody.status_code, nobody.json()["error"]) == (401, "NOT_AUTHENTICATED")
        wrong = {**remote, "Authorization": "Bearer wrong"}
        guessed = await world.consumer.http.request(method, url, headers=wrong, json={})
        assert (guessed.status_code, guessed.json()["error"]) == (403, "FORBIDDEN")
    own = {**remote, "Authorization": f"Bearer {world.server.operator['admin_token']}"}
    assert (await world.consumer.http.get(f"{FACILITATOR}/supported", headers=own)).status_code == 200


async def test_the_books_add_up_after_all_that(world: World) -> None:
    (await Books.of(world.server)).check()
