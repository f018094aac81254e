"""Movements of money, written in the unit of work that moves it. The sum over a settled payment is zero.

reserve    what a payment holds                      charge, surplus   for the provider; what was paid beyond the price
release    given back, to be presented again         deposit           turned into credit
reversal   a charge undone by a reorganisation       withdraw          credit taken back with its deposit
orphaned   the payment is gone from its chain        uncovered         credit that was spent before its deposit vanished

A payer's credit is the sum of deposits, less withdrawals, less what credit calls hold or were charged.
"""

from __future__ import annotations

import msgspec

from flux.kernel.store import Transaction
from flux.paygate.ledger import repository
from flux.paygate.ledger.model import Funds, PaymentRow


class Subject(msgspec.Struct, frozen=True):
    """Whose money, on account of which payment."""

    payment: str
    payer: str
    api_id: str
    chain_id: int
    currency: str


def subject_of(row: PaymentRow) -> Subject:
    return Subject(row.payment_key, row.payer, row.api_id, row.chain_id, row.currency)


def subject_for(funds: Funds, key: str, api_id: str) -> Subject:
    return Subject(key, funds.payer, api_id, funds.terms.chain.chain_id, funds.terms.currency)


def charged(paid: int, required: int) -> list[tuple[str, int]]:
    """What follows when a payment is used up."""
    surplus = [("surplus", required - paid)] if paid > required else []
    return [("charge", -required), *surplus]


async def write(
    tx: Transaction, subject: Subject, balance: int, moves: list[tuple[str, int]], now: int
) -> None:
    """`moves` are (kind, base units); `balance` is what the payment held before them."""
    entries = []
    for kind, amount in moves:
        balance += amount
        entries.append(
            {
                "at": now,
                "kind": kind,
                "payment": subject.payment,
                "payer": subject.payer,
                "api_id": subject.api_id,
                "chain_id": subject.chain_id,
                "currency": subject.currency,
                "amount_base": str(amount),
                "balance_after": str(balance),
            }
        )
    await repository.write_journal(tx, entries)
