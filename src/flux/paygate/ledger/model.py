"""Payments as the ledger knows them."""

from __future__ import annotations

from typing import Literal

import msgspec

from flux.paygate.payment.rules import Terms
from flux.paygate.replays.model import Remembered

State = Literal["reserved", "dispatched", "consumed", "released", "orphaned"]
Flow = Literal["direct", "x402-v1", "x402-v2", "credit"]


class PaymentRow(msgspec.Struct, frozen=True):
    """In the order of the columns read."""

    payment_key: str
    state: str
    chain_id: int
    tx_hash: str | None
    api_id: str
    payer: str
    call_id: str
    lease_until: int
    releases: int
    currency: str
    paid_base: str
    required_base: str
    block_number: int | None
    block_hash: str | None
    created_at: int
    settled: int = 0
    """1 once an EIP-3009 authorisation has moved its money; `tx_hash` is then where."""


class Prepaid(msgspec.Struct, frozen=True):
    """A call paid from credit. `digest` is what was signed for it; `deposit` is a payment to be credited first."""

    digest: bytes
    deposit: Funds | None


class Funds(msgspec.Struct, frozen=True):
    """A verified payment: the key that makes it one, who paid, and how much in base units. Without a key of its own
    when it is `prepaid`."""

    key: str
    flow: Flow
    terms: Terms
    payer: str
    paid: int
    tx_hash: str | None
    block_number: int | None = None
    block_hash: str | None = None
    prepaid: Prepaid | None = None
    final: bool = False
    """No reorganisation takes it back any more."""


class Request(msgspec.Struct, frozen=True):
    """The call to be paid for, as history shows it."""

    call_id: str
    api_id: str
    api_name: str
    provider: str
    method: str
    path: str
    query: str
    request_bytes: int
    lease_ms: int
    monthly_quota: int | None
    remembered: Remembered | None = None
    """The Idempotency-Key it came with."""


class Hold(msgspec.Struct, frozen=True):
    """A payment reserved for a call. `period` is the month it counts in, where a quota counts."""

    funds: Funds
    key: str
    call_id: str
    api_id: str
    lease_ms: int
    period: str | None
    remembered: Remembered | None


class Moved(msgspec.Struct, frozen=True):
    """Where on the chain an authorisation was settled."""

    tx_hash: str
    block_number: int | None
    block_hash: str | None


def transaction_key(chain_id: int, tx_hash: str) -> str:
    return f"tx:{chain_id}:{tx_hash}"
