"""What a settlement offers for its place in a block (EIP-1559), and what more when it is passed over. Pure; wei per gas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flux.paygate.facilitator.model import Sent

LEAST_TIP = 1_000_000
RAISE_PERCENT = 125
"""Nodes take a replacement from 110 percent of both fees on."""


@dataclass(frozen=True, slots=True)
class Fees:
    max_fee: int
    tip: int


def first(base_fee: int) -> Fees:
    """Holds while the base fee doubles."""
    return Fees(base_fee * 2 + LEAST_TIP, LEAST_TIP)


def raised(before: Fees, base_fee: int, wanted_tip: int, ceiling: int) -> Fees:
    """Enough to replace the transaction and to be mined now; as before when that would pass the ceiling."""
    tip = max(before.tip * RAISE_PERCENT // 100 + 1, wanted_tip)
    max_fee = max(before.max_fee * RAISE_PERCENT // 100 + 1, base_fee * 2 + tip)
    return Fees(max_fee, tip) if max_fee <= ceiling else before


def stuck(waiting: Iterable[Sent], base_fee: int, long_ago: int) -> Iterator[Sent]:
    """Which of the unmined hold up the rest, or can not be mined at this base fee. `waiting`: the newest try of each nonce,
    in order; `long_ago`: what was sent later has not waited long (Unix ms)."""
    for index, sent in enumerate(waiting):
        if sent.sent_at <= long_ago and (index == 0 or sent.max_fee < base_fee):
            yield sent
