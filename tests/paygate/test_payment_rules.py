from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from flux.kernel.faults import FaultError
from flux.paygate.chains.decoding import Block, Log, Receipt, Transaction, Undecodable, receipt, transaction
from flux.paygate.chains.nodes import ChainFailure
from flux.paygate.chains.registry import WELL_KNOWN, Chain, Chains, UnknownChain
from flux.paygate.chains.service import Facts
from flux.paygate.payment.rules import TRANSFER_TOPIC, Terms, Window, check_mined, check_paid, payers
from flux.settings.paygate import ChainSettings, PaygateSettings

BASE = next(chain for chain in WELL_KNOWN if chain.name == "base-sepolia")
assert BASE.usdc is not None
TOKEN = BASE.usdc.address
PAYER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
RECIPIENT = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
OTHER = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"
HASH = "0x" + "ab" * 32
BLOCK = "0x" + "cd" * 32
NOW = 1_800_000_000
ETH = Terms(BASE, "ETH", None, 18, RECIPIENT, 10**15)
USDC = Terms(BASE, "USDC", TOKEN, 6, RECIPIENT, 10_000)
WINDOW = Window(listed_at=(NOW - 3600) * 1000, now=NOW * 1000, max_age_ms=24 * 3_600_000)


def log(sender: str = PAYER, to: str = RECIPIENT, amount: int = 10_000, **change: Any) -> Log:
    made = Log(TOKEN, (TRANSFER_TOPIC, _topic(sender), _topic(to)), amount.to_bytes(32, "big"), False)
    return replace(made, **change)


def _topic(address: str) -> str:
    return "0x" + "0" * 24 + address[2:]


def facts(
    value: int = 10**15,
    to: str | None = RECIPIENT,
    *logs: Log,
    status: int | None = 1,
    head: int = 10,
    at: int = NOW - 10,
) -> Facts:
    tx = Transaction(HASH, PAYER, to, value, 84532, 10)
    return Facts(tx, Receipt(HASH, status, 10, BLOCK, logs), Block(10, BLOCK, at), head)


def reason(error: FaultError) -> Any:
    return error.params["reason"]


def refused(what: Facts, terms: Terms, signer: str = PAYER, **options: Any) -> FaultError:
    with pytest.raises(FaultError) as caught:
        check_paid(what, [terms], signer, WINDOW, relayed=options.get("relayed", False))
    return caught.value


def test_ether_to_the_recipient_pays() -> None:
    paid = check_paid(facts(2 * 10**15), [ETH], PAYER, WINDOW, relayed=False)
    assert (paid.payer, paid.amount, paid.block_number, paid.block_time) == (PAYER, 2 * 10**15, 10, NOW - 10)


def test_what_ether_may_lack() -> None:
    low = refused(facts(9 * 10**14), ETH)
    assert low.fault.code == "INSUFFICIENT_PAYMENT"
    assert reason(low) == "amount_too_low"
    assert low.detail["required"] == "0.001"
    assert low.detail["paid"] == "0.0009"
    assert (low.detail["requiredBase"], low.detail["paidBase"]) == (str(10**15), str(9 * 10**14))
    assert reason(refused(facts(10**15 - 1), ETH)) == "amount_too_low"
    assert reason(refused(facts(10**18, OTHER), ETH)) == "recipient_mismatch"
    assert reason(refused(facts(10**18, None), ETH)) == "recipient_mismatch"
    assert reason(refused(facts(0, TOKEN, log()), ETH)) == "wrong_token"


def test_tokens_to_the_recipient_pay() -> None:
    split = facts(0, OTHER, log(amount=4_000), log(amount=6_000))
    assert check_paid(split, [USDC], PAYER, WINDOW, relayed=False).amount == 10_000


@pytest.mark.parametrize(
    ("logs", "value", "expected"),
    [
        ((log(amount=9_999),), 0, "amount_too_low"),
        ((log(to=OTHER),), 0, "recipient_mismatch"),
        ((log(address=OTHER),), 0, "wrong_token"),
        ((), 10**15, "wrong_token"),
        ((), 0, "no_transfer"),
        ((log(sender=OTHER),), 0, "wrong_token"),
        ((log(removed=True),), 0, "no_transfer"),
        ((log(topics=(TRANSFER_TOPIC, _topic(PAYER), _topic(RECIPIENT), _topic(OTHER))),), 0, "no_transfer"),
        ((log(topics=(TRANSFER_TOPIC, "0x" + "1" * 24 + PAYER[2:], _topic(RECIPIENT))),), 0, "no_transfer"),
        ((log(topics=(TRANSFER_TOPIC, _topic(PAYER), "0x" + "1" * 24 + RECIPIENT[2:])),), 0, "no_transfer"),
        ((log(data=b"\x00" * 31 + b"\xff\xff"),), 0, "no_transfer"),
        ((log(topics=(HASH, _topic(PAYER), _topic(RECIPIENT))),), 0, "no_transfer"),
    ],
)
def test_what_tokens_may_lack(logs: tuple[Log, ...], value: int, expected: str) -> None:
    assert reason(refused(facts(value, TOKEN, *logs), USDC)) == expected


def test_paying_oneself_never_counts() -> None:
    own = replace(USDC, recipient=PAYER)
    assert reason(refused(facts(0, TOKEN, log(to=PAYER)), own)) == "recipient_mismatch"


def test_the_payer_is_the_sender_or_with_relays_who_the_token_says() -> None:
    relayed = facts(0, TOKEN, log(sender=OTHER), log(sender=PAYER, to=OTHER))
    assert payers(relayed, None, RECIPIENT, relayed=True) == {PAYER}
    assert payers(relayed, TOKEN, RECIPIENT, relayed=False) == {PAYER}
    assert payers(relayed, TOKEN, RECIPIENT, relayed=True) == {OTHER}
    pending = Facts(replace(relayed.tx, block_number=None), None, None, 10)
    assert payers(pending, TOKEN, RECIPIENT, relayed=True) is None
    assert payers(pending, None, RECIPIENT, relayed=True) == {PAYER}


def code(what: Facts, chain: Chain = BASE) -> str:
    with pytest.raises(FaultError) as caught:
        check_mined(what, chain)
    return caught.value.fault.code


def test_mined_means_mined_well_and_deep_enough() -> None:
    check_mined(facts(), BASE)
    check_mined(facts(head=12), replace(BASE, min_confirmations=3))
    assert code(Facts(facts().tx, None, None, 10)) == "PAYMENT_NOT_CONFIRMED"
    assert code(facts(status=0)) == "PAYMENT_REVERTED"
    assert code(facts(head=11), replace(BASE, min_confirmations=3)) == "PAYMENT_NOT_CONFIRMED"
    assert code(structs.replace(facts(), block=Block(10, "0x" + "ee" * 32, NOW))) == "PAYMENT_NOT_CONFIRMED"
    assert code(structs.replace(facts(), block=None)) == "PAYMENT_NOT_CONFIRMED"
    with pytest.raises(ChainFailure):
        check_mined(facts(status=None), BASE)


@pytest.mark.parametrize(
    ("at", "listed", "held"),
    [
        (NOW - 24 * 3600, NOW - 90_000, True),
        (NOW - 24 * 3600 - 1, NOW - 90_000, False),
        (NOW - 60, NOW, True),
        (NOW - 61, NOW, False),
    ],
)
def test_old_payments_do_not_count(at: int, listed: int, held: bool) -> None:
    window = Window(listed * 1000, NOW * 1000, 24 * 3_600_000)
    if held:
        check_paid(facts(at=at), [ETH], PAYER, window, relayed=False)
    else:
        with pytest.raises(FaultError) as caught:
            check_paid(facts(at=at), [ETH], PAYER, window, relayed=False)
        assert reason(caught.value) == "payment_too_old"


def test_any_of_the_terms_in_force_suffices() -> None:
    dearer = replace(ETH, required=3 * 10**15)
    paid = check_paid(facts(10**15), [dearer, ETH], PAYER, WINDOW, relayed=False)
    assert paid.terms is ETH
    with pytest.raises(FaultError) as caught:
        check_paid(facts(10**14), [dearer, ETH], PAYER, WINDOW, relayed=False)
    assert caught.value.detail["requiredBase"] == str(3 * 10**15)


def test_nodes_that_talk_nonsense_are_noticed() -> None:
    good = {
        "hash": HASH,
        "from": PAYER,
        "to": RECIPIENT,
        "value": "0x1",
        "chainId": "0x14a34",
        "blockNumber": "0xa",
    }
    assert transaction(good) == Transaction(HASH, PAYER, RECIPIENT, 1, 84532, 10)
    assert transaction(None) is None
    for change in (
        {"hash": "0x1"},
        {"from": None},
        {"value": 1},
        {"value": "0xzz"},
        {"to": "x"},
        {"chainId": "84532"},
        {"blockNumber": 10},
    ):
        with pytest.raises(Undecodable):
            transaction({**good, **change})
    for nonsense in (
        [],
        "x",
        1,
        {},
        {"transactionHash": HASH, "blockNumber": "0x1", "blockHash": BLOCK, "logs": {}},
    ):
        with pytest.raises(Undecodable):
            receipt(nonsense)


def test_chains_go_by_name_number_and_caip2() -> None:
    chains = Chains(
        PaygateSettings(
            chains=[ChainSettings(name="base-sepolia", chain_id=84532, rpc_urls=["http://127.0.0.1:1"])]
        )
    )
    for text in ("base-sepolia", "BASE-SEPOLIA", "84532", 84532, "eip155:84532"):
        found = chains.find(text)
        assert found is not None
        assert found.usdc is not None
        assert found.usdc.name == "USDC"
    assert chains.default.name == "base-sepolia"
    assert chains.find("ethereum") is None
    assert chains.recognise("eip155:1").name == "ethereum"
    for text in ("nochain", "", "-1", "0", "eip155:0", "eip155:x", None, True, 1.5, 99999999):
        with pytest.raises(UnknownChain):
            chains.find(text)


def test_without_settings_the_well_known_chains_are_listed_without_nodes() -> None:
    chains = Chains(PaygateSettings())
    assert chains.default.name == "base"
    assert len(list(chains)) == len(WELL_KNOWN)
    assert all(not chain.rpc_urls for chain in chains)
    avalanche = chains.find("avalanche")
    assert avalanche is not None
    assert avalanche.currencies == ["USDC"]


def test_settings_of_chains_are_checked() -> None:
    entry = ChainSettings(name="local", chain_id=31337)
    with pytest.raises(ValueError, match="same name or chainId"):
        Chains(PaygateSettings(chains=[entry, entry]))
    with pytest.raises(ValueError, match="default_chain"):
        Chains(PaygateSettings(chains=[entry], default_chain="base"))
