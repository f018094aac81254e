"""Which settlements are stuck, and what replaces them."""

from __future__ import annotations

import msgspec

from flux.paygate.facilitator import fees
from flux.paygate.facilitator.fees import Fees
from flux.paygate.facilitator.model import Sent

GWEI = 10**9
NOW = 1_000_000


def sent(nonce: int, **change: object) -> Sent:
    made = Sent(
        chain_id=1, sender="0xa", nonce=nonce, tries=0, tx_hash=f"0x{nonce}", payment_key="k", payer="0xb", token="0xc",
        data=b"", gas=1, max_fee=10 * GWEI, tip=1, sent_at=0,
    )  # fmt: skip
    return msgspec.structs.replace(made, **change)  # type: ignore[arg-type]


def test_a_replacement_offers_enough_for_every_node() -> None:
    before = fees.first(GWEI)
    assert before.max_fee == 2 * GWEI + before.tip
    after = fees.raised(before, GWEI, 0, 500 * GWEI)
    assert after.max_fee * 100 >= before.max_fee * 110
    assert after.tip * 100 >= before.tip * 110
    assert after.tip <= after.max_fee


def test_a_replacement_follows_the_market() -> None:
    before = fees.first(GWEI)
    after = fees.raised(before, 50 * GWEI, 3 * GWEI, 500 * GWEI)
    assert after == Fees(103 * GWEI, 3 * GWEI)


def test_nothing_is_offered_above_the_ceiling() -> None:
    before = Fees(400 * GWEI, GWEI)
    assert fees.raised(before, GWEI, 0, 499 * GWEI) == before
    assert fees.raised(before, 300 * GWEI, 0, 550 * GWEI) == before


def test_the_first_in_line_is_stuck_and_whoever_the_base_fee_passed_by() -> None:
    line = [sent(4), sent(5), sent(6, max_fee=GWEI), sent(7, max_fee=GWEI, sent_at=NOW)]
    assert [one.nonce for one in fees.stuck(line, 2 * GWEI, NOW - 1)] == [4, 6]
    assert [one.nonce for one in fees.stuck([sent(4, sent_at=NOW)], GWEI, NOW - 1)] == []
