"""Payments as a node tells of them: what is final, whether the token is the configured one, which contracts are asked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from eth_account import Account
from tests.paygate.test_nodes import ADDRESS, BLOCK, CHAIN_ID, HASH, RECEIPT, SEEN, TX, Node, facts_of, node

from flux.kernel.faults import FaultError, Ports
from flux.kernel.store import SandboxClock
from flux.paygate.access.turnstile import Turnstile
from flux.paygate.chains.registry import Chains
from flux.paygate.chains.service import ChainReader
from flux.paygate.payment.rules import TRANSFER_TOPIC, Paid, Terms
from flux.paygate.payment.service import CONTRACTS_ASKED, Claim, Payments, Proof
from flux.paygate.signing.curve import address_of, parse_signature, sign
from flux.paygate.signing.message import call_digest
from flux.settings.paygate import ChainSettings, PaygateSettings, TokenSettings

KEY, API = bytes(Account.create().key), "api_1"
PAYER, TOKEN = address_of(KEY), "0x" + "34" * 20


@asynccontextmanager
async def desk(
    node_says: dict[str, Any], finality: int = 60
) -> AsyncIterator[tuple[Payments, Chains, Node, int]]:
    now = int(time.time())
    seen = {**SEEN, "timestamp": hex(now)}
    answer = facts_of(
        **{"eth_getTransactionByHash": {**TX, "from": PAYER}, "eth_getBlockByNumber": seen, **node_says}
    )
    async with node(answer) as there:
        entry = ChainSettings(
            name="local", chain_id=CHAIN_ID, rpc_urls=[there.url], finality_depth=finality,
            tokens={"USDC": TokenSettings(address=TOKEN)},
        )  # fmt: skip
        settings, clock = PaygateSettings(chains=[entry]), SandboxClock()
        chains = Chains(settings)
        reading = ChainReader(chains, settings, clock, Ports())
        await reading.start()
        try:
            yield Payments(reading, clock, Turnstile(clock, settings), settings), chains, there, now
        finally:
            await reading.close()


async def verified(
    payments: Payments, chains: Chains, now: int, token: str | None = None, *, key: bytes = KEY, relayed: bool = False
) -> Paid:  # fmt: skip
    terms = Terms(chains.default, "USDC" if token else "ETH", token, 6 if token else 18, ADDRESS, 5)
    signature = parse_signature(sign(call_digest(API, HASH, now), key))
    proof = Proof(API, HASH, HASH, signature, now, None, "192.0.2.1")
    claim = Claim(terms, lambda _: [terms], (now - 3600) * 1000, relayed)
    return await payments.verify(proof, claim)


def transfer(sender: str) -> dict[str, Any]:
    topics = [TRANSFER_TOPIC, *("0x" + "0" * 24 + one[2:] for one in (sender, ADDRESS))]
    return {"address": TOKEN, "topics": topics, "data": f"0x{5:064x}", "removed": False}


@pytest.mark.parametrize(("depth", "final"), [(2, True), (3, False), (60, False), (0, False)])
async def test_what_lies_deeper_than_any_reorganisation_is_final(depth: int, final: bool) -> None:
    """The head is two blocks above the payment's; a depth of nothing is a chain where nothing ever is."""
    async with desk({}, depth) as (payments, chains, _, now):
        paid = await verified(payments, chains, now)
    assert (paid.payer, paid.block_hash, paid.final) == (PAYER, BLOCK, final)


@pytest.mark.parametrize("decimals", [6, 18])
async def test_a_token_of_other_decimals_than_configured_pays_nothing(decimals: int) -> None:
    receipt = {**RECEIPT, "logs": [transfer(PAYER)]}
    says = {"eth_getTransactionReceipt": receipt, "eth_call": f"0x{decimals:064x}"}
    async with desk(says) as (payments, chains, _, now):
        if decimals == 6:
            assert (await verified(payments, chains, now, TOKEN)).amount == 5
            return
        with pytest.raises(FaultError) as caught:
            await verified(payments, chains, now, TOKEN)
    assert (caught.value.fault.code, caught.value.params["reason"]) == ("BLOCKCHAIN_ERROR", "inconsistent")


async def test_only_a_few_contracts_are_asked_whether_they_signed() -> None:
    """A relayer's transaction may hold any number of transfers, and each of them may be a contract's."""
    senders = [f"0x{number:040x}" for number in range(1, CONTRACTS_ASKED + 5)]
    receipt = {**RECEIPT, "logs": [transfer(sender) for sender in senders]}
    async with desk({"eth_getTransactionReceipt": receipt, "eth_getCode": "0x"}) as (
        payments,
        chains,
        there,
        now,
    ):
        with pytest.raises(FaultError) as caught:
            await verified(payments, chains, now, TOKEN, key=bytes(Account.create().key), relayed=True)
        asked = [one for one in there.asked if isinstance(one, dict) and one["method"] == "eth_getCode"]
    assert caught.value.fault.code == "INVALID_SIGNATURE"
    assert {one["params"][0] for one in asked} == set(senders[:CONTRACTS_ASKED])
