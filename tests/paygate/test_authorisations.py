"""Does an authorisation meet what is asked for? Everything that is decided without a chain, one thing wrong at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from flux.paygate.chains.registry import WELL_KNOWN
from flux.paygate.facilitator.model import Payload, Refused, Requirement
from flux.paygate.facilitator.rules import check_match, check_times, signed_by_payer
from flux.paygate.signing.curve import address_of, sign
from flux.paygate.signing.typed import Authorization

CHAIN = next(chain for chain in WELL_KNOWN if chain.name == "base-sepolia")
assert CHAIN.usdc is not None
KEY, NOW = bytes(Account.create().key), 1_800_000_000
PAYEE, OTHER = "0x" + "22" * 20, "0x" + "33" * 20
WANTED = Requirement(CHAIN, CHAIN.usdc, 10_000, PAYEE, "https://g.example/x402/api_1", "Weather")


def presented(
    *, accepted: dict[str, Any] | None = None, network: str = CHAIN.caip2, **change: Any
) -> Payload:
    whole = Authorization(address_of(KEY), PAYEE, 10_000, 0, NOW + 300, b"n" * 32)
    meant = replace(whole, **change)
    token = WANTED.token
    mark = bytes.fromhex(
        sign(meant.digest(token.name, token.version, CHAIN.chain_id, token.address), KEY)[2:]
    )
    return Payload(2 if accepted is not None else 1, "exact", network, meant, mark, accepted)


def refusal(payload: Payload) -> str:
    with pytest.raises(Refused) as caught:
        check_match(payload, WANTED)
    assert caught.value.payer == payload.payer
    return caught.value.reason


def test_what_is_asked_for_is_met() -> None:
    for payload in (presented(), presented(accepted=WANTED.v2()), presented(network="base-sepolia")):
        check_match(payload, WANTED)
        assert signed_by_payer(payload, WANTED)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"network": "eip155:1"}, "network_mismatch"),
        ({"to": OTHER}, "invalid_exact_evm_payload_recipient_mismatch"),
        ({"value": 9_999}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"value": 10_001}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"accepted": {**WANTED.v2(), "asset": OTHER}}, "invalid_payment_requirements"),
        ({"accepted": {**WANTED.v2(), "payTo": OTHER}}, "invalid_exact_evm_payload_recipient_mismatch"),
        ({"accepted": {**WANTED.v2(), "amount": "9999"}}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"accepted": {**WANTED.v2(), "extra": {"name": "USDC"}}}, "missing_eip712_domain"),
        ({"accepted": {**WANTED.v2(), "extra": None}}, "missing_eip712_domain"),
    ],
)  # fmt: skip
def test_what_differs_is_named(change: dict[str, Any], reason: str) -> None:
    assert refusal(presented(**change)) == reason


@pytest.mark.parametrize(
    ("after", "before", "reason"),
    [
        (NOW, NOW + 6, None),
        (NOW + 1, NOW + 300, "invalid_exact_evm_payload_authorization_valid_after"),
        (0, NOW + 5, "invalid_exact_evm_payload_authorization_valid_before"),
        (0, NOW - 1, "invalid_exact_evm_payload_authorization_valid_before"),
    ],
)
def test_there_is_time_to_settle(after: int, before: int, reason: str | None) -> None:
    payload = presented(valid_after=after, valid_before=before)
    if reason is None:
        check_times(payload, NOW)
        return
    with pytest.raises(Refused) as caught:
        check_times(payload, NOW)
    assert caught.value.reason == reason


def test_only_the_payers_own_signature() -> None:
    good = presented()
    for change in (
        {"sender": OTHER},
        {"value": 1},
        {"to": OTHER},
        {"valid_before": NOW},
        {"nonce": b"m" * 32},
    ):
        moved = replace(good, authorization=replace(good.authorization, **change))
        assert not signed_by_payer(moved, WANTED), change
    for signature in (good.signature + b"\0", good.signature[:-1], good.signature[:-1] + b"\x1d", bytes(65)):
        assert not signed_by_payer(replace(good, signature=signature), WANTED)
    elsewhere = replace(WANTED, token=replace(WANTED.token, version="3"))
    assert not signed_by_payer(good, elsewhere)
