"""What states mean, and what an outcome does to a payment. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from flux.kernel.faults import FaultError
from flux.kernel.store import iso
from flux.paygate.faults import QUOTA_EXCEEDED
from flux.paygate.history.model import Outcome
from flux.paygate.ledger.model import PaymentRow
from flux.paygate.payment.rules import Terms, insufficient

USED = "payment_already_used"
IN_USE = "payment_in_use"
OPEN_STATES = ("reserved", "dispatched")


def refusal(row: PaymentRow, terms: Terms) -> FaultError:
    """Why a payment that is already known cannot be reserved now."""
    return insufficient(terms, IN_USE if row.state in OPEN_STATES else USED, int(row.paid_base))


def is_authorisation(key: str) -> bool:
    """Paid by a transfer that is still to be made when the call is, not by one that was."""
    return key.startswith("eip3009:")


def moves_nothing(row: PaymentRow, outcome: Outcome) -> bool:
    """An authorisation that is refused for good, and was never settled: nobody has paid."""
    return not outcome.charge and is_authorisation(row.payment_key) and not row.settled


def is_spent(row: PaymentRow) -> bool:
    """An orphaned transaction may be mined again, and then pay once more; an authorisation may not."""
    return row.state == "consumed" or (row.state == "orphaned" and is_authorisation(row.payment_key))


def next_state(outcome: Outcome, releases: int, max_releases: int) -> tuple[str, int]:
    """The state after the outcome, and how often the payment has been released after the target saw it.

    A payment the target never saw is released freely. One it saw is released a bounded number of times, so that a
    target that works and then fails to answer cannot be had for nothing again and again. While it is not known whether
    its money has moved it is not refused for good: until that is known no target sees it anyway.
    """
    if outcome.charge:
        return "consumed", releases
    if not outcome.seen:
        return "released", releases
    releases += 1
    used_up = releases >= max_releases and not outcome.undecided
    return ("consumed" if used_up else "released"), releases


def month_of(now: int) -> str:
    return f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m}"


def month_end(now: int) -> int:
    """Unix ms of the first moment of the next UTC month."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    return round(first.replace(year=year, month=month).timestamp() * 1000)


def quota_exceeded(limit: int, used: int, now: int) -> FaultError:
    resets = month_end(now)
    return QUOTA_EXCEEDED(
        seconds=max(1, (resets - now + 999) // 1000),
        limit=limit,
        used=used,
        period=month_of(now),
        resetsAt=iso(resets),
    )
