"""The ledger alone, on both databases: thousands of seeded lives of payments, contended, abandoned, expired, settled.

Each life has rivals that want the same payment at once; a process "dies" by never coming back, and its lease runs out.
`FLUX_LONG=1` lives ten thousand of them.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import structs

from flux.kernel.faults import FaultError
from flux.kernel.store import Database, SandboxClock, Transaction
from flux.kernel.store.migrations import MigrationSet
from flux.paygate.chains.registry import Chain
from flux.paygate.credit import repository as credit
from flux.paygate.credit.repository import UNIT, Account
from flux.paygate.credit.service import Credits
from flux.paygate.history.model import Outcome
from flux.paygate.history.service import History
from flux.paygate.ledger.jobs import PAGE, LeaseSweeper
from flux.paygate.ledger.model import Funds, Hold, Prepaid, Request
from flux.paygate.ledger.rules import month_end
from flux.paygate.ledger.service import LeaseLost, Ledger
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.payment.rules import Terms
from flux.paygate.plane import migrations
from flux.paygate.replays.service import Replays

LIVES = 10_000 if os.environ.get("FLUX_LONG") else 200
AT_ONCE = 50
RIVALS = 4
LEASE_MS = 10_000
PRICE = 10**15
TERMS = Terms(Chain("local", 31337), "ETH", None, 18, "0x" + "22" * 20, PRICE)
GOOD = Outcome("success", charge=True, seen=True, http_status=200)
BAD = Outcome("upstream_error", charge=False, seen=True, http_status=500)
UNREACHED = Outcome("gateway_error", charge=False, seen=False)
ENDS = (
    "good",
    "good",
    "bad",
    "unreached",
    "dies reserved",
    "dies dispatched",
    "answers late",
    "settles twice",
)


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


@dataclass
class Life:
    number: int
    served: int = 0
    sent: int = 0
    attempts: list[str] = field(default_factory=list)
    over: bool = False


@dataclass
class Fire:
    ledger: Ledger
    clock: SandboxClock
    dice: random.Random
    calls: int = 0

    def request(self) -> Request:
        self.calls += 1
        return Request(
            call_id=f"call_{self.calls}", api_id="api_1", api_name="API", provider="0x" + "22" * 20, method="GET",
            path="/", query="", request_bytes=0, lease_ms=LEASE_MS, monthly_quota=None,
        )  # fmt: skip

    async def live(self, life: Life) -> None:
        while not life.over:
            await asyncio.gather(*(self.attempt(life) for _ in range(RIVALS)))

    async def attempt(self, life: Life) -> None:
        """One consumer's try with the payment, as a process of its own would see it."""
        key = f"tx:31337:{life.number}"
        funds = Funds(key, "direct", TERMS, "0x" + "11" * 20, PRICE, key, 7, "0xb")
        end = self.dice.choice(ENDS)
        at_once = self.dice.random() < 0.5
        try:
            hold = await self.ledger.reserve(funds, self.request(), dispatched=at_once)
        except FaultError as refusal:
            life.over = life.over or (
                refusal.detail is not None and refusal.params["reason"] == "payment_already_used"
            )
            return
        life.attempts.append(end)
        if end == "dies reserved" and not at_once:
            await self.run_out()
            return
        if not at_once:
            try:
                await self.ledger.dispatched(hold)
            except LeaseLost:
                return
        life.sent += end != "unreached"
        await self.end(life, hold, end)

    async def end(self, life: Life, hold: Hold, end: str) -> None:
        if end.startswith("dies"):
            await self.run_out()
            return
        if end == "answers late":
            await self.run_out()
        outcome = {"bad": BAD, "unreached": UNREACHED}.get(end, GOOD)
        statuses = [await self.ledger.settle(hold, outcome)]
        if end == "settles twice":
            statuses.append(await self.ledger.settle(hold, BAD))
        assert len(set(statuses)) == 1, (end, statuses)
        life.served += outcome.charge

    async def run_out(self) -> None:
        """Time passes for everybody, and the sweeper of two processes comes by at once."""
        self.clock.advance(LEASE_MS / 1000 + 1)
        rows = await self.ledger.run_out()
        await asyncio.gather(*(self.ledger.expire(row) for row in [*rows, *rows]))


async def test_lives_of_payments(database: Database) -> None:
    clock = SandboxClock()
    credits, replays = Credits(database, clock), Replays(database, clock)
    ledger = Ledger(database, clock, History(database), credits, replays, 3)
    fire = Fire(ledger, clock, random.Random(20_260_102))
    lives = [Life(number) for number in range(LIVES)]
    for start in range(0, LIVES, AT_ONCE):
        await asyncio.gather(*(fire.live(life) for life in lives[start : start + AT_ONCE]))
    for life in lives:
        assert life.served <= 1, life
        assert life.sent <= 3, life
    states = await column(database, "SELECT state FROM paygate_payments")
    assert states == ["consumed"] * LIVES
    sums = await column(
        database, "SELECT sum(CAST(amount_base AS BIGINT)) FROM paygate_journal GROUP BY payment"
    )
    assert [int(one) for one in sums] == [0] * LIVES
    charges = await column(
        database, "SELECT count(*) FROM paygate_journal WHERE kind = 'charge' GROUP BY payment"
    )
    assert charges == [1] * LIVES
    consumed = await column(
        database, "SELECT count(*) FROM paygate_calls WHERE payment_status = 'consumed' GROUP BY payment_key"
    )
    assert consumed == [1] * LIVES
    assert sum(life.served for life in lives) > LIVES // 4
    unserved = [life for life in lives if not life.served]
    reviewed = await column(
        database, "SELECT payment_key FROM paygate_payments WHERE review = 1 OR releases >= 3"
    )
    assert {f"tx:31337:{life.number}" for life in unserved} <= set(reviewed)


async def test_a_quota_is_given_back_in_the_month_of_the_call(database: Database) -> None:
    """The payment is of the month before: its first call was before the turn of the month, and failed."""
    clock = SandboxClock()
    credits, replays = Credits(database, clock), Replays(database, clock)
    ledger = Ledger(database, clock, History(database), credits, replays, 3)
    fire = Fire(ledger, clock, random.Random(1))
    clock.advance((month_end(clock.now_ms()) - clock.now_ms()) / 1000 - 60)
    funds = Funds("tx:31337:1", "direct", TERMS, "0x" + "11" * 20, PRICE, "1", 7, "0xb")
    request = structs.replace(fire.request(), monthly_quota=2)
    hold = await ledger.reserve(funds, request, dispatched=True)
    assert await ledger.settle(hold, BAD) == "released"
    served = structs.replace(funds, key="tx:31337:2")
    request = structs.replace(fire.request(), monthly_quota=2)
    assert await ledger.settle(await ledger.reserve(served, request, dispatched=True), GOOD) == "consumed"
    clock.advance(120)
    await ledger.reserve(funds, structs.replace(fire.request(), monthly_quota=1))
    assert await column(database, "SELECT used FROM paygate_quotas ORDER BY period") == [1, 1]
    await fire.run_out()
    assert await column(database, "SELECT used FROM paygate_quotas ORDER BY period") == [1, 0]
    await ledger.reserve(funds, structs.replace(fire.request(), monthly_quota=1))


async def test_a_late_answer_settles_nothing_of_the_next_call(database: Database) -> None:
    """An authorisation whose call took too long is given back, and holds another call by the time the first one ends."""
    clock = SandboxClock()
    ledger = Ledger(database, clock, History(database), Credits(database, clock), Replays(database, clock), 3)
    fire = Fire(ledger, clock, random.Random(1))
    funds = Funds("eip3009:1", "x402-v2", TERMS, "0x" + "11" * 20, PRICE, None)
    late = await ledger.reserve(funds, fire.request(), dispatched=True)
    await fire.run_out()
    second = await ledger.reserve(funds, fire.request(), dispatched=True)

    async def note(tx: Transaction) -> None:
        await Settlements(database, clock).note(tx, late, "0x" + "aa" * 32)

    await database.transact(note)
    for outcome in (GOOD, BAD):
        if outcome is GOOD:
            # Its answer is not delivered: what the authorisation buys is the second call's.
            with pytest.raises(LeaseLost):
                await ledger.settle(late, outcome)
        else:
            await ledger.settle(late, outcome)
        row = await ledger.look("eip3009:1")
        assert row is not None
        assert (row.state, row.call_id, row.tx_hash) == ("dispatched", second.call_id, None)
    assert await ledger.settle(second, GOOD) == "consumed"
    held = "SELECT sum(CAST(amount_base AS BIGINT)) FROM paygate_journal"
    assert [int(one) for one in await column(database, held)] == [0]


async def test_one_sweep_ends_every_lease_that_ran_out(database: Database) -> None:
    """A process that dies may leave hundreds."""
    clock = SandboxClock()
    ledger = Ledger(database, clock, History(database), Credits(database, clock), Replays(database, clock), 3)
    fire = Fire(ledger, clock, random.Random(1))
    for number in range(PAGE * 2 + 1):
        funds = Funds(f"tx:31337:{number}", "direct", TERMS, "0x" + "11" * 20, PRICE, str(number), 7, "0xb")
        await ledger.reserve(funds, fire.request(), dispatched=number % 2 == 0)
    clock.advance(LEASE_MS / 1000 + 1)
    await LeaseSweeper(ledger).sweep({})
    states = await column(database, "SELECT state FROM paygate_payments")
    assert (states.count("consumed"), states.count("released")) == (PAGE + 1, PAGE)


async def column(database: Database, sql: str) -> list[Any]:
    return await database.scan(sql, {}, lambda value: value)


async def test_what_is_final_is_not_watched(database: Database) -> None:
    clock = SandboxClock()
    credits, replays = Credits(database, clock), Replays(database, clock)
    ledger = Ledger(database, clock, History(database), credits, replays, 3)
    fire = Fire(ledger, clock, random.Random(1))
    for number, final in enumerate((False, True)):
        key = f"tx:31337:final{number}"
        funds = Funds(key, "direct", TERMS, "0x" + "11" * 20, PRICE, key, 7, "0xb", final=final)
        hold = await ledger.reserve(funds, fire.request(), dispatched=True)
        assert await ledger.settle(hold, GOOD) == "consumed"
    watched = await column(
        database, "SELECT final_at_block FROM paygate_payments WHERE tx_hash LIKE '%final%' ORDER BY tx_hash"
    )
    assert watched == [7, None]


async def test_a_signature_spends_no_credit_twice_while_it_is_fresh(database: Database) -> None:
    """However long an operator lets signatures live."""
    clock = SandboxClock()
    credits = Credits(database, clock, 3_600)
    payer = "0x" + "11" * 20

    async def spend(tx: Transaction) -> None:
        await credits.spend(tx, payer, "api_1", TERMS, b"d" * 32)

    await database.transact(lambda tx: credits.deposit(tx, payer, "api_1", TERMS, 3 * PRICE))
    await database.transact(spend)
    for seconds, spent in ((3_500, 1), (200, 2)):
        clock.advance(seconds)
        await credits.sweep({})
        if spent == 1:
            with pytest.raises(FaultError):
                await database.transact(spend)
        else:
            await database.transact(spend)
        assert await credits.balance(payer, "api_1", TERMS) == (3 - spent) * PRICE


async def test_what_the_target_never_saw_is_released_without_end(database: Database) -> None:
    clock = SandboxClock()
    ledger = Ledger(database, clock, History(database), Credits(database, clock), Replays(database, clock), 3)
    fire = Fire(ledger, clock, random.Random(1))
    funds = Funds("tx:31337:1", "direct", TERMS, "0x" + "11" * 20, PRICE, "1", 7, "0xb")
    for outcome, status in [(UNREACHED, "released")] * 5 + [(BAD, "released")] * 2 + [(BAD, "consumed")]:
        hold = await ledger.reserve(funds, fire.request(), dispatched=True)
        assert await ledger.settle(hold, outcome) == status


async def test_the_journal_is_read_page_by_page(database: Database) -> None:
    clock = SandboxClock()
    ledger = Ledger(database, clock, History(database), Credits(database, clock), Replays(database, clock), 3)
    fire = Fire(ledger, clock, random.Random(1))
    for number in range(3):
        funds = Funds(f"tx:31337:{number}", "direct", TERMS, "0x" + "11" * 20, PRICE, str(number), 7, "0xb")
        await ledger.settle(await ledger.reserve(funds, fire.request(), dispatched=True), GOOD)
    read: list[dict[str, Any]] = []
    for _ in range(4):
        read += await ledger.journal(read[-1]["id"] if read else 0, 2)
    assert [one["kind"] for one in read] == ["reserve", "charge"] * 3
    assert [one["id"] for one in read] == sorted({one["id"] for one in read})


async def test_a_deposit_of_somebody_else_is_no_credit(database: Database) -> None:
    """Two listings are shown one payment at once: the second finds it is the first's."""
    clock = SandboxClock()
    credits = Credits(database, clock)
    ledger = Ledger(database, clock, History(database), credits, Replays(database, clock), 3)
    fire = Fire(ledger, clock, random.Random(1))
    payer, other = "0x" + "11" * 20, "0x" + "33" * 20
    deposit = Funds("tx:31337:1", "direct", TERMS, payer, 3 * PRICE, "1", 7, "0xb")

    def paid(digest: bytes, by: Funds) -> Funds:
        return Funds("", "credit", TERMS, by.payer, PRICE, "1", prepaid=Prepaid(digest, by))

    await ledger.reserve(paid(b"a" * 32, deposit), fire.request())
    await ledger.reserve(paid(b"b" * 32, deposit), fire.request())
    assert await credits.balance(payer, "api_1", TERMS) == PRICE
    stranger, elsewhere = (
        structs.replace(deposit, payer=other),
        structs.replace(fire.request(), api_id="api_2"),
    )
    for account in ((payer, "api_2"), (other, "api_1")):
        await database.transact(lambda tx, to=account: credits.deposit(tx, *to, TERMS, PRICE))
    for funds, request in (
        (paid(b"c" * 32, deposit), elsewhere),
        (paid(b"d" * 32, stranger), fire.request()),
    ):
        with pytest.raises(FaultError) as caught:
            await ledger.reserve(funds, request)
        assert caught.value.params["reason"] == "payment_already_used"


async def test_balances_are_whole_numbers_of_any_size(database: Database) -> None:
    """Kept in two halves: against integers, across the border between them."""
    clock, dice = SandboxClock(), random.Random(7)
    payer, balance = "0x" + "11" * 20, 0
    account = Account(payer, "api_1", 31337, "ETH")
    amounts = (1, UNIT - 1, UNIT, UNIT + 1, UNIT // 2, 7 * UNIT // 10, 3 * UNIT)
    for _ in range(200):
        amount = dice.choice(amounts)
        if dice.random() < 0.5:
            await database.transact(lambda tx, by=amount: credit.add(tx, account, by, clock.now_ms()))
            balance += amount
        else:
            spent = await database.transact(
                lambda tx, by=amount: credit.spend(tx, account, by, clock.now_ms())
            )
            assert spent is (amount <= balance)
            balance -= amount * spent
        assert await credit.balance(database, account) == balance
