"""Every vector and worked example of the contract, from `vectors.toml`, value by value against the code."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from flux.kernel.faults import FaultError, Ports
from flux.kernel.store import Database, SandboxClock
from flux.kernel.store.migrations import MigrationSet
from flux.paygate.amounts import parse_amount, price_units
from flux.paygate.chains import service as chain_service
from flux.paygate.chains.decoding import Block, Log, Receipt, Transaction
from flux.paygate.chains.registry import WELL_KNOWN, Chains
from flux.paygate.chains.service import ChainReader, Facts
from flux.paygate.facilitator import transactions
from flux.paygate.facilitator.model import Payload, Refused, Requirement
from flux.paygate.facilitator.payloads import BadPayload, from_header
from flux.paygate.facilitator.refusals import fault_of
from flux.paygate.facilitator.rules import check_match, signed_by_payer
from flux.paygate.payment.rules import TRANSFER_TOPIC, Terms, Window, check_paid
from flux.paygate.plane import migrations
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.curve import (
    BadSignature,
    Unrecoverable,
    address_of,
    keccak256,
    parse_signature,
    personal_digest,
    recover,
    sign,
)
from flux.paygate.signing.message import Freshness, call_digest, packed, seconds_of
from flux.paygate.signing.typed import TRANSFER_TYPEHASH, Authorization, domain_separator
from flux.paygate.wallets.repository import add_nonce
from flux.paygate.wallets.rules import Places
from flux.paygate.wallets.service import Wallets
from flux.settings.paygate import ChainSettings, PaygateSettings

VECTORS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("vectors.toml").read_text("utf-8"))
KEYS, CALL, TRANSFER = VECTORS["keys"], VECTORS["call_1"], VECTORS["transfer"]
BASE_SEPOLIA = next(chain for chain in WELL_KNOWN if chain.name == "base-sepolia")


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("number", ["0", "1"])
def test_keys_and_their_addresses(number: str) -> None:
    assert checksummed(address_of(raw(KEYS[f"development_{number}"]))) == KEYS[f"address_{number}"]


@pytest.mark.parametrize("name", ["call_1", "call_2"])
def test_messages_of_calls(name: str) -> None:
    vector = VECTORS[name]
    message = packed(vector["api"], vector["tx"], vector["timestamp"])
    if "packed" in vector:
        assert message == raw("".join(vector["packed"]))
        assert len(message) == 105
    inner = keccak256(message)
    assert inner == raw(vector["inner"])
    digest = call_digest(vector["api"], vector["tx"], vector["timestamp"])
    if "digest" in vector:
        preimage = raw(CALL["preimage_head"]) + inner
        assert len(preimage) == 60
        assert keccak256(preimage) == digest == raw(vector["digest"])
    assert sign(digest, raw(KEYS["development_0"])) == vector["signature"]
    assert checksummed(recover(parse_signature(vector["signature"]), digest)) == KEYS["address_0"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: str(vector["case"]))
def test_signatures_that_are_refused(vector: dict[str, str]) -> None:
    text, digest = vector["signature"], raw(CALL["digest"])
    if vector.get("reason") in ("high_s", "malformed"):
        with pytest.raises(BadSignature) as refused:
            parse_signature(text)
        assert refused.value.reason == vector["reason"]
    elif vector["error"] == "INVALID_WALLET":
        with pytest.raises(Unrecoverable):
            recover(parse_signature(text), digest)
    else:
        found = checksummed(recover(parse_signature(text), digest))
        assert found != KEYS["address_0"]
        assert found == vector.get("recovers", found)
    plain = f"{CALL['api']}{CALL['tx']}{CALL['timestamp']}".encode()
    if "plain text" in vector["case"]:
        assert checksummed(recover(parse_signature(text), personal_digest(plain))) == KEYS["address_0"]


@pytest.mark.parametrize("vector", VECTORS["timestamps"], ids=lambda vector: str(vector["signed"]))
def test_seconds_of_timestamps(vector: dict[str, int]) -> None:
    assert seconds_of(vector["signed"]) == vector["seconds"]


@pytest.mark.parametrize("vector", VECTORS["freshness"], ids=lambda vector: str(vector["age"]))
def test_freshness(vector: dict[str, Any]) -> None:
    assert Freshness().verdict(CALL["timestamp"], CALL["timestamp"] + vector["age"]) == vector["verdict"]


# -- login --------------------------------------------------------------------------------------------------------


@dataclass
class Doorkeeper:
    db: Database
    clock: SandboxClock
    wallets: Wallets


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


@pytest.fixture
def doorkeeper(database: Database) -> Doorkeeper:
    """The wallets' room of `gateway.example`, at the time of the vector."""
    chain = ChainSettings(name="base-sepolia", chain_id=84532)
    settings, clock, login = PaygateSettings(chains=[chain]), SandboxClock(), VECTORS["login"]
    clock.advance(login["now"] + 1 - clock.now_ms() / 1000)
    reader = ChainReader(Chains(settings), settings, clock, Ports())
    places = Places(("https://gateway.example",))
    return Doorkeeper(database, clock, Wallets(database, clock, reader, places, settings))


async def known_nonce(door: Doorkeeper) -> None:
    async def work(tx: Any) -> None:
        await add_nonce(tx, VECTORS["login"]["nonce"], door.clock.now_ms() + 600_000)

    await door.db.transact(work)


async def test_the_login_of_the_contract_opens_a_session(doorkeeper: Doorkeeper) -> None:
    vector = VECTORS["login"]
    message = "\n".join(vector["lines"])
    assert len(message.encode()) == vector["bytes"]
    assert personal_digest(message.encode()) == raw(vector["digest"])
    assert sign(raw(vector["digest"]), raw(KEYS["development_0"])) == vector["signature"]
    await known_nonce(doorkeeper)
    wallet, token = await doorkeeper.wallets.login(message, vector["signature"])
    assert checksummed(wallet.address) == KEYS["address_0"]
    assert (await doorkeeper.wallets.session(token)).address == wallet.address
    with pytest.raises(FaultError) as again:
        await doorkeeper.wallets.login(message, vector["signature"])
    assert (again.value.fault.code, again.value.params["reason"]) == ("SIGNATURE_EXPIRED", "unknown_nonce")


async def test_the_login_of_the_contract_is_over_with_its_expiration(doorkeeper: Doorkeeper) -> None:
    vector = VECTORS["login"]
    doorkeeper.clock.advance(600)
    await known_nonce(doorkeeper)
    with pytest.raises(FaultError) as over:
        await doorkeeper.wallets.login("\n".join(vector["lines"]), vector["signature"])
    assert (over.value.fault.code, over.value.params["reason"]) == ("SIGNATURE_EXPIRED", "too_old")


# -- x402 ---------------------------------------------------------------------------------------------------------


def authorization() -> Authorization:
    return Authorization(
        TRANSFER["from"].lower(), TRANSFER["to"].lower(), int(TRANSFER["value"]), int(TRANSFER["valid_after"]),
        int(TRANSFER["valid_before"]), raw(TRANSFER["nonce"]),
    )  # fmt: skip


def test_the_transfer_authorisation() -> None:
    token = TRANSFER["contract"].lower()
    separator = domain_separator(TRANSFER["name"], TRANSFER["version"], TRANSFER["chain_id"], token)
    digest = authorization().digest(TRANSFER["name"], TRANSFER["version"], TRANSFER["chain_id"], token)
    assert raw(TRANSFER["type_hash"]) == TRANSFER_TYPEHASH
    assert separator == raw(TRANSFER["domain_separator"])
    assert authorization().struct_hash() == raw(TRANSFER["struct_hash"])
    assert digest == raw(TRANSFER["digest"])
    assert sign(digest, raw(KEYS["development_1"])) == TRANSFER["signature"]
    assert checksummed(recover(parse_signature(TRANSFER["signature"]), digest)) == TRANSFER["from"]


def requirement() -> Requirement:
    assert BASE_SEPOLIA.usdc is not None
    return Requirement(
        BASE_SEPOLIA,
        BASE_SEPOLIA.usdc,
        10_000,
        TRANSFER["to"].lower(),
        "https://g.example/x",
        "d",
        "application/json",
    )


SHARED = {
    "scheme": "exact", "asset": TRANSFER["contract"], "payTo": TRANSFER["to"], "maxTimeoutSeconds": 300,
    "extra": {"name": "USDC", "version": "2"},
}  # fmt: skip
INNER = {
    "signature": TRANSFER["signature"],
    "authorization": {
        "from": TRANSFER["from"], "to": TRANSFER["to"], "value": TRANSFER["value"],
        "validAfter": TRANSFER["valid_after"], "validBefore": TRANSFER["valid_before"], "nonce": TRANSFER["nonce"],
    },
}  # fmt: skip
VERSION_1 = {"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": INNER}
VERSION_2 = {
    "x402Version": 2, "payload": INNER, "resource": {"url": "https://g.example/x"},
    "accepted": {**SHARED, "network": "eip155:84532", "amount": "10000"},
}  # fmt: skip


def test_what_is_asked_for_in_both_versions() -> None:
    asked = requirement()
    assert asked.v2() == {**SHARED, "network": "eip155:84532", "amount": "10000"}
    assert asked.v1() == {
        **SHARED, "network": "base-sepolia", "maxAmountRequired": "10000", "resource": "https://g.example/x",
        "description": "d", "mimeType": "application/json",
    }  # fmt: skip
    assert replace(asked, chain=replace(BASE_SEPOLIA, v1_name=None)).v1() is None


@pytest.mark.parametrize(("header", "proof"), [("X-PAYMENT", VERSION_1), ("PAYMENT-SIGNATURE", VERSION_2)])
@pytest.mark.parametrize("alphabet", ["standard", "unpadded", "url", "url unpadded"])
def test_payloads_in_every_spelling_of_base64(header: str, proof: dict[str, Any], alphabet: str) -> None:
    # Padded out until both alphabets differ and the length needs padding.
    text = json.dumps({**proof, "memo": "?~?~?"}).encode()
    encoded = (base64.urlsafe_b64encode if "url" in alphabet else base64.b64encode)(text).decode()
    payload = from_header(header, encoded.rstrip("=") if "unpadded" in alphabet else encoded)
    assert payload.authorization == authorization()
    assert payload.signature == raw(TRANSFER["signature"])
    check_match(payload, requirement())
    assert signed_by_payer(payload, requirement())
    asset = TRANSFER["contract"].lower()
    assert (
        payload.key(84532, asset) == f"eip3009:84532:{asset}:{TRANSFER['from'].lower()}:{TRANSFER['nonce']}"
    )


@pytest.mark.parametrize(("header", "proof"), [("PAYMENT-SIGNATURE", VERSION_1), ("X-PAYMENT", VERSION_2)])
def test_the_version_must_be_the_headers(header: str, proof: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        from_header(header, base64.b64encode(json.dumps(proof).encode()).decode())


@pytest.mark.parametrize("reason", VECTORS["x402"])
def test_words_of_the_protocol(reason: str) -> None:
    assert BASE_SEPOLIA.usdc is not None
    terms = Terms(BASE_SEPOLIA, "USDC", BASE_SEPOLIA.usdc.address, 6, TRANSFER["to"].lower(), 10_000)
    error = fault_of(Refused(reason), requirement(), terms)
    assert [error.fault.code, error.fault.status] == VECTORS["x402"][reason]


def test_the_settlements_of_both_kinds_of_wallets() -> None:
    payload = Payload(2, "exact", "eip155:84532", authorization(), raw(TRANSFER["signature"]), None)
    call = transactions.transfer_call(payload)
    assert call[:4] == raw(VECTORS["selectors"]["transferWithAuthorizationVrs"])
    assert call[4 + 32 * 5 : 4 + 32 * 6] == raw(TRANSFER["nonce"])
    contract = replace(payload, signature=payload.signature + b"\x01")
    assert transactions.transfer_call(contract)[:4] == raw(
        VECTORS["selectors"]["transferWithAuthorizationBytes"]
    )


# -- amounts, tokens, chains, limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("price", VECTORS["amounts"])
def test_amounts(price: str) -> None:
    amount, currency = price.split()
    units = price_units(parse_amount(amount), BASE_SEPOLIA.decimals(currency), 10**9)
    assert str(units) == VECTORS["amounts"][price]


@pytest.mark.parametrize("name", VECTORS["selectors"])
def test_selectors_are_the_hashes_of_their_signatures(name: str) -> None:
    assert keccak(text=VECTORS["signatures"][name])[:4] == raw(VECTORS["selectors"][name])


def test_the_selectors_we_send() -> None:
    known = {name: raw(value) for name, value in VECTORS["selectors"].items()}
    assert known["transferWithAuthorizationVrs"] == transactions.TRANSFER_VRS
    assert known["transferWithAuthorizationBytes"] == transactions.TRANSFER_BYTES
    assert known["authorizationState"] == transactions.AUTHORIZATION_STATE
    assert known["balanceOf"] == transactions.BALANCE_OF
    assert known["decimals"] == raw(chain_service.DECIMALS_SELECTOR)
    assert known["isValidSignature"] == raw(chain_service.EIP1271_SELECTOR)


def test_the_transfer_log_pays() -> None:
    vector = VECTORS["transfer_log"]
    assert vector["topic_0"] == TRANSFER_TOPIC
    assert keccak(text="Transfer(address,address,uint256)") == raw(TRANSFER_TOPIC)
    assert BASE_SEPOLIA.usdc is not None
    token, recipient = BASE_SEPOLIA.usdc.address, TRANSFER["to"].lower()
    topics = (vector["topic_0"], vector["topic_1"], "0x" + "0" * 24 + recipient[2:])
    receipt = Receipt(CALL["tx"], 1, 1, "0x" + "cd" * 32, (Log(token, topics, raw(vector["data"]), False),))
    sent = Transaction(CALL["tx"], vector["payer"].lower(), token, 0, 84532, 1)
    facts = Facts(sent, receipt, Block(1, receipt.block_hash, CALL["timestamp"]), 1)
    now = CALL["timestamp"] * 1000
    terms = Terms(BASE_SEPOLIA, "USDC", token, 6, recipient, vector["amount"])
    paid = check_paid(facts, [terms], vector["payer"].lower(), Window(now, now, 1000), relayed=False)
    assert paid.amount == vector["amount"]


def test_the_table_of_chains() -> None:
    found = []
    for chain in WELL_KNOWN:
        usdc = chain.usdc
        found.append(
            [
                chain.name, chain.chain_id, chain.v1_name or "", checksummed(usdc.address) if usdc else "",
                usdc.name if usdc else "", usdc.version if usdc else "", chain.min_confirmations, chain.finality_depth,
                "ETH" in chain.currencies,
            ]
        )  # fmt: skip
        assert usdc is None or usdc.decimals == 6
    assert found == VECTORS["chains"]["rows"]


@pytest.mark.parametrize("name", VECTORS["limits"])
def test_published_limits_are_the_defaults(name: str) -> None:
    assert getattr(PaygateSettings(), name) == VECTORS["limits"][name]
