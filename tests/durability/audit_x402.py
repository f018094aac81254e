"""The books of transfer authorisations: what the ledger says of each, held against the chain's own word on whether its
money has moved, against the target's log, and against what its consumer was answered."""

from __future__ import annotations

from typing import Any

from tests.durability import authorising
from tests.durability.books import Books
from tests.durability.fire import Fire
from tests.durability.lives import Life

MOST_HITS = 3
PAGE = 500


async def moved(fire: Fire, lives: list[Life]) -> dict[str, bool]:
    """By nonce: whether the chain has moved the money. The recipient has exactly what was moved."""
    found: dict[str, bool] = {}
    for start in range(0, len(lives), PAGE):
        page = lives[start : start + PAGE]
        answers = await fire.rpc([fire.x402.used_call(life) for life in page], fire.x402.chain.url)
        found |= {life.tx_hash: int(told, 16) == 1 for life, told in zip(page, answers, strict=True)}
    balance = await fire.x402.usdc.balance(authorising.RECIPIENT)
    assert balance == authorising.PRICE * sum(found.values())
    return found


def check_sums(books: Books, lives: list[Life], used: dict[str, bool], keys: dict[str, str]) -> None:
    """What the journal charged for authorisations is what the chain moved for them."""
    charged = spent = 0
    for life in lives:
        payment = books.payments.get(keys[life.tx_hash])
        spent += used[life.tx_hash] and (payment is None or not payment["settled"])
        for move in books.movements.get(keys[life.tx_hash], []):
            if move["kind"] in ("charge", "reversal"):
                charged -= int(move["amount_base"])
    assert charged == authorising.PRICE * (sum(used.values()) - spent)


def judge(life: Life, key: str, books: Books, hits: list[str], used: bool) -> str:
    """What became of it. Raises AssertionError where anybody was wronged."""
    payment, calls = books.payments.get(key), books.calls.get(key, [])
    told = (life, payment, hits, used, calls)
    assert life.delivered <= 1, told
    if life.met("stolen"):
        # Spent elsewhere before we saw it: whatever that bought, it was not this.
        assert used and not life.delivered and not hits, told
        assert payment is None, told
        return "spent elsewhere"
    assert payment is not None, told
    if life.met("eth_estimateGas:stolen") and payment["state"] == "released":
        # Spent elsewhere while its call's process died: what that bought nobody here can tell any more.
        assert used and not life.delivered and not payment["settled"], told
        assert any(call["status"] == "aborted" for call in calls), told
        return "spent elsewhere while its process died"
    assert payment["state"] == "consumed", told
    assert bool(payment["settled"]) == used, told
    # Whose process died with the call is given back, and so the target may see it once more for each such death.
    assert len(hits) <= MOST_HITS + sum(call["status"] == "aborted" for call in calls), told
    if life.delivered:
        assert used and hits, told
        return "served"
    if not used:
        assert payment["releases"] >= MOST_HITS, told
        assert not [call for call in calls if call["payment_status"] == "consumed"], told
        return "failed three times, nothing moved"
    return _why_paid_and_not_served(life, payment, calls, told)


def _why_paid_and_not_served(
    life: Life, payment: dict[str, Any], calls: list[dict[str, Any]], told: object
) -> str:
    [call] = [one for one in calls if one["payment_status"] == "consumed"]
    if life.met("cut") and call["status"] == "aborted" and call["http_status"] == 200:
        return "cut while it streamed"
    if call["status"] == "success" and (life.broken or life.left):
        return "left, or crashed when it was settled"
    # Paid by then, and failed for good by the target.
    assert payment["releases"] >= MOST_HITS, told
    return "failed three times"
