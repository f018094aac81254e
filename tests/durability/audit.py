"""The books after a fire, added up again by somebody else: from the database, the chain, the target's own log of what it
was asked, and what the consumers were answered."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from tests.clients.paygate_world import PRICE
from tests.durability import audit_x402
from tests.durability.books import OPEN, Books, rows
from tests.durability.fire import Fire
from tests.durability.lives import Life

SETTLE_SECONDS = 120.0
LEASE_SECONDS = 3.0
"""Shorter than any lease is: who waited longer for an answer may have lost it."""
MOST_HITS = 3


DIRECT = "SELECT tx_hash, state, block_hash FROM paygate_payments WHERE payment_key LIKE 'tx:84532:%'"
OTHERS_OPEN = (
    "SELECT payment_key FROM paygate_payments WHERE state IN ('reserved', 'dispatched')"
    " AND payment_key NOT LIKE 'tx:84532:%'"
)


async def settle_down(fire: Fire) -> None:
    """Until leases have run out and reorganisations were noticed."""
    fire.node.fates.clear()
    vanished = {life.tx_hash for life in fire.lives if life.gone}
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        payments = await rows(fire.server, DIRECT)
        receipts = await receipts_of(fire, [row["tx_hash"] for row in payments])
        waiting = [
            row
            for row in payments
            if row["state"] in OPEN
            or (row["state"] == "consumed" and row["tx_hash"] in vanished)
            or (row["state"] == "consumed" and _block(receipts, row) != row["block_hash"])
        ]
        if not waiting and not await rows(fire.server, OTHERS_OPEN):
            return
        assert time.monotonic() < deadline, waiting[:5]
        await asyncio.sleep(0.5)


async def receipts_of(fire: Fire, hashes: list[str]) -> dict[str, dict[str, Any] | None]:
    found: dict[str, dict[str, Any] | None] = {}
    for start in range(0, len(hashes), 500):
        page = hashes[start : start + 500]
        answers = await fire.rpc([("eth_getTransactionReceipt", [one]) for one in page])
        found |= dict(zip(page, answers, strict=True))
    return found


def _block(receipts: dict[str, dict[str, Any] | None], row: dict[str, Any]) -> str | None:
    receipt = receipts[row["tx_hash"]]
    return receipt["blockHash"] if receipt is not None else None


async def audit(fire: Fire) -> Counter[str]:
    """What became of the lives, by name. Raises AssertionError where anybody was wronged."""
    await settle_down(fire)
    books = await Books.of(fire.server)
    books.check()
    assert len({life.tx_hash for life in fire.lives}) == len(fire.lives)
    direct = [life for life in fire.lives if not life.authorised]
    receipts = await receipts_of(fire, [life.tx_hash for life in direct])
    hits: dict[str, list[str]] = {}
    for hit in fire.target.hits:
        path, _, query = hit.target.partition("?")
        _, _, nonce = query.partition("&")[0].partition("life=")
        hits.setdefault(nonce or hit.headers["x-payment-hash"], []).append(path.rpartition("/")[2])
    ends: Counter[str] = Counter()
    for life in direct:
        ends[_judge(fire, life, books, hits.get(life.tx_hash, []), receipts[life.tx_hash])] += 1
    assert set(hits) <= {life.tx_hash for life in fire.lives}
    await _check_sums(fire, books, receipts)
    return ends + await _audit_x402(fire, books, hits)


async def _audit_x402(fire: Fire, books: Books, hits: dict[str, list[str]]) -> Counter[str]:
    lives = [life for life in fire.lives if life.authorised]
    keys = {life.tx_hash: fire.x402.key(life) for life in lives}
    used = await audit_x402.moved(fire, lives)
    ends = Counter(
        "x402: "
        + audit_x402.judge(life, keys[life.tx_hash], books, hits.get(life.tx_hash, []), used[life.tx_hash])
        for life in lives
    )
    audit_x402.check_sums(books, lives, used, keys)
    return ends


async def _check_sums(fire: Fire, books: Books, receipts: dict[str, dict[str, Any] | None]) -> None:
    """The recipient has what the chain shows was paid; the journal charged for as many calls as the target knows of."""
    mined = [receipt for receipt in receipts.values() if receipt is not None]
    balance = int(await fire.chain.rpc("eth_getBalance", fire.listing["recipient"], "latest"), 16)
    assert balance == PRICE * len(mined)
    moves: Counter[str] = Counter()
    direct = f"tx:{fire.chain.chain_id}:"
    for key, movements in books.movements.items():
        for move in movements if key.startswith(direct) else ():
            moves[move["kind"]] += int(move["amount_base"])
    consumed = sum(
        row["state"] == "consumed" for key, row in books.payments.items() if key.startswith(direct)
    )
    assert -moves["charge"] - moves["reversal"] == PRICE * consumed
    assert sum(moves.values()) == 0


def _key(fire: Fire, life: Life) -> str:
    return f"tx:{fire.chain.chain_id}:{life.tx_hash}"


def _judge(fire: Fire, life: Life, books: Books, hits: list[str], receipt: dict[str, Any] | None) -> str:
    payment = books.of_transaction(fire.chain.chain_id, life.tx_hash)
    told = (life, payment, hits)
    assert life.delivered <= 1, told
    # One that answered too late, as far as the gateway is concerned, did not answer: its call was given back.
    late = [call for call in books.calls.get(_key(fire, life), []) if call["status"] == "timeout"]
    assert hits.count("ok") <= 1 + len(late), told
    assert len(hits) <= MOST_HITS, told
    if payment is None or payment["state"] != "consumed":
        # Whose transaction is gone owes nothing and is owed nothing.
        assert life.gone, told
        assert receipt is None, told
        assert payment is None or payment["state"] in ("released", "orphaned"), told
        assert payment is not None or not hits, told
        return "orphaned" if payment is not None and payment["state"] == "orphaned" else "never paid"
    assert receipt is not None, told
    assert (receipt["status"], receipt["blockHash"]) == ("0x1", payment["block_hash"]), told
    assert receipt["to"].lower() == fire.listing["recipient"].lower(), told
    assert hits or payment["review"], told
    if life.delivered:
        assert hits, told
        return "served"
    return _why_not_served(life, payment, books, told)


def _why_not_served(life: Life, payment: dict[str, Any], books: Books, told: object) -> str:
    """Consumed, and nothing good arrived: only for a reason that the books or the consumer's own doing name."""
    [call] = [one for one in books.calls[payment["payment_key"]] if one["payment_status"] == "consumed"]
    if payment["releases"] >= MOST_HITS:
        return "failed three times"
    if life.met("cut") and call["status"] == "aborted" and call["http_status"] == 200:
        return "cut while it streamed"
    if life.left and call["status"] in ("aborted", "success") and not payment["review"]:
        return "left"
    # Who has left does not hear that the process died with its call.
    lost = life.broken or life.slowest >= LEASE_SECONDS or life.left
    assert lost, (told, call)
    if payment["review"]:
        return "crashed, to be reviewed"
    assert call["status"] == "success", (told, call)
    return "crashed when it was settled"
