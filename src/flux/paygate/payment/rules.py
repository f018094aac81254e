"""Does this transaction pay for this call? Decided from facts alone, in the order of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from flux.kernel.faults import FaultError, Mode
from flux.paygate.amounts import from_base_units
from flux.paygate.chains.decoding import Log
from flux.paygate.chains.nodes import ChainFailure
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import Facts
from flux.paygate.faults import (
    INSUFFICIENT_PAYMENT,
    INVALID_SIGNATURE,
    PAYMENT_NOT_CONFIRMED,
    PAYMENT_REVERTED,
)
from flux.paygate.signing.accounts import checksummed

TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
_PADDING = "0x" + "0" * 24
CONFIRM_RETRY_SECONDS = 2
CREATION_SLACK_MS = 60_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What one call costs: `required` base units of `currency` to `recipient` on `chain`. `token` is None for ether."""

    chain: Chain
    currency: str
    token: str | None
    decimals: int
    recipient: str
    required: int

    @property
    def amount(self) -> str:
        return _shown(self.required, self.decimals)

    def shown(self) -> dict[str, Any]:
        """For 401 and 402 answers, quotes and discovery."""
        return {
            "amount": self.amount,
            "amountBaseUnits": str(self.required),
            "currency": self.currency,
            "decimals": self.decimals,
            "chain": self.chain.name,
            "chainId": self.chain.chain_id,
            "recipient": checksummed(self.recipient),
            "tokenAddress": checksummed(self.token) if self.token else None,
        }


@lru_cache(maxsize=4_096)
def _shown(units: int, decimals: int) -> str:
    return str(from_base_units(units, decimals))


class Paid(msgspec.Struct, frozen=True):
    """A payment that holds: by whom, how much in base units, and where it stands in the chain."""

    payer: str
    amount: int
    terms: Terms
    block_number: int
    block_hash: str
    block_time: int
    """Unix seconds."""
    digest: bytes = b""
    """What was signed for this call."""
    final: bool = False
    """So deep that no reorganisation reaches it."""


class Window(msgspec.Struct, frozen=True):
    """From when payments count: Unix milliseconds."""

    listed_at: int
    now: int
    max_age_ms: int

    def holds(self, block_seconds: int) -> bool:
        at = block_seconds * 1000
        return at >= self.listed_at - CREATION_SLACK_MS and at >= self.now - self.max_age_ms


def insufficient(terms: Terms, reason: str, paid: int = 0, **more: Any) -> FaultError:
    """The one code for everything a transaction may lack, with the reason and both sums."""
    detail = {
        "required": terms.amount,
        "paid": str(from_base_units(paid, terms.decimals)),
        "requiredBase": str(terms.required),
        "paidBase": str(paid),
        "currency": terms.currency,
        "chain": terms.chain.name,
        "recipient": checksummed(terms.recipient),
        **more,
    }
    return INSUFFICIENT_PAYMENT(reason=reason, detail=detail)


def payers(facts: Facts, token: str | None, recipient: str, *, relayed: bool) -> set[str] | None:
    """Who may have signed: the sender, or with relayed payments whoever the token says paid the recipient.

    None while that cannot be known: a relayed payment that is not mined has no logs yet.
    """
    if token is None or not relayed:
        return {facts.tx.sender}
    if facts.receipt is None:
        return None
    return {
        _party(log.topics[1])
        for log in facts.receipt.logs
        if _is_transfer(log) and log.address == token and _party(log.topics[2]) == recipient
    }


def check_mined(facts: Facts, chain: Chain) -> None:
    """Mined, not reverted, deep enough, and on the canonical branch."""
    receipt = facts.receipt
    if receipt is None:
        raise not_confirmed(facts.tx.hash, 0, chain)
    if receipt.status is None:
        raise ChainFailure(chain.name, Mode.ERROR, "inconsistent")
    if receipt.status != 1:
        raise PAYMENT_REVERTED(txHash=facts.tx.hash, blockNumber=receipt.block_number)
    if facts.block is None or facts.block.hash != receipt.block_hash:
        raise not_confirmed(facts.tx.hash, 0, chain)
    if facts.confirmations < chain.min_confirmations:
        raise not_confirmed(facts.tx.hash, facts.confirmations, chain)


def not_confirmed(tx_hash: str, confirmations: int, chain: Chain) -> FaultError:
    return PAYMENT_NOT_CONFIRMED(
        txHash=tx_hash,
        confirmations=confirmations,
        required=chain.min_confirmations,
        seconds=CONFIRM_RETRY_SECONDS,
    )


def check_paid(facts: Facts, offers: Sequence[Terms], signer: str, window: Window, *, relayed: bool) -> Paid:
    """The sum against the terms in force, any of which suffices; the first words the refusal."""
    assert facts.receipt is not None
    assert facts.block is not None
    assert offers
    if not window.holds(facts.block.timestamp):
        raise insufficient(offers[0], "payment_too_old")
    refusal: FaultError | None = None
    for terms in offers:
        try:
            amount = _sum(facts, terms, signer, relayed=relayed)
        except FaultError as error:
            refusal = refusal or error
            continue
        receipt = facts.receipt
        return Paid(signer, amount, terms, receipt.block_number, receipt.block_hash, facts.block.timestamp)
    assert refusal is not None
    raise refusal


def _sum(facts: Facts, terms: Terms, signer: str, *, relayed: bool) -> int:
    if terms.token is None:
        return _native(facts, terms)
    assert facts.receipt is not None
    transfers = [log for log in facts.receipt.logs if _is_transfer(log)]
    own = [log for log in transfers if log.address == terms.token and _party(log.topics[1]) == signer]
    total = sum(
        int.from_bytes(log.data, "big")
        for log in own
        if _party(log.topics[2]) == terms.recipient and signer != terms.recipient
    )
    if total >= terms.required:
        return total
    if total:
        raise insufficient(terms, "amount_too_low", total)
    raise insufficient(terms, _why_nothing(facts, transfers, own))


def _why_nothing(facts: Facts, transfers: list[Log], own: list[Log]) -> str:
    if own:
        return "recipient_mismatch"
    return "wrong_token" if transfers or facts.tx.value else "no_transfer"


def _native(facts: Facts, terms: Terms) -> int:
    """Ether that contracts pass on is invisible without traces and does not count."""
    tx = facts.tx
    assert facts.receipt is not None
    if tx.to != terms.recipient:
        moved_tokens = tx.value == 0 and any(_is_transfer(log) for log in facts.receipt.logs)
        raise insufficient(terms, "wrong_token" if moved_tokens else "recipient_mismatch", tx.value)
    if tx.value < terms.required:
        raise insufficient(terms, "amount_too_low", tx.value)
    return tx.value


def _is_transfer(log: Log) -> bool:
    """An ERC-20 Transfer: exactly three topics (four are an NFT's), whole addresses, one word of data."""
    return (
        len(log.topics) == 3
        and log.topics[0] == TRANSFER_TOPIC
        and log.topics[1].startswith(_PADDING)
        and log.topics[2].startswith(_PADDING)
        and len(log.data) == 32
        and not log.removed
    )


def _party(topic: str) -> str:
    return "0x" + topic[-40:]


def wrong_signer(recovered: str | None = None, reason: str = "signer_mismatch") -> FaultError:
    """Never with the address that was expected."""
    detail = {"recovered": checksummed(recovered)} if recovered else {}
    return INVALID_SIGNATURE(reason=reason, detail=detail)
