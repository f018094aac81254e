"""Authorisations in the ledger, on both databases: their money moves after the call, so that a lease may run out, and a
call may fail for good, before, while or after it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.paygate.test_ledger_fire import LEASE_MS, PRICE, TERMS, column

from flux.kernel.faults import FaultError
from flux.kernel.store import Database, SandboxClock, Transaction
from flux.kernel.store.migrations import MigrationSet
from flux.paygate.credit.service import Credits
from flux.paygate.history.model import Outcome
from flux.paygate.history.service import History
from flux.paygate.ledger import repository
from flux.paygate.ledger.model import Funds, Hold, Moved, Request
from flux.paygate.ledger.service import LeaseLost, Ledger
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.plane import migrations
from flux.paygate.replays.service import Replays

KEY = "eip3009:31337:0xt:0xp:0x01"
FUNDS = Funds(KEY, "x402-v2", TERMS, "0x" + "11" * 20, PRICE, None)
GOOD = Outcome("success", charge=True, seen=True, http_status=200)
BAD = Outcome("upstream_error", charge=False, seen=True, http_status=500)
PENDING = Outcome("gateway_error", charge=False, seen=True, undecided=True)
MOVED = Moved("0xsettled", 7, "0xb")


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


class Room:
    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, SandboxClock()
        credits, replays = Credits(database, self.clock), Replays(database, self.clock)
        self.ledger = Ledger(database, self.clock, History(database), credits, replays, 3)
        self.settlements = Settlements(database, self.clock)
        self.calls = 0

    async def reserved(self) -> Hold:
        self.calls += 1
        request = Request(
            call_id=f"call_{self.calls}", api_id="api_1", api_name="API", provider="0x" + "22" * 20, method="GET",
            path="/", query="", request_bytes=0, lease_ms=LEASE_MS, monthly_quota=None,
        )  # fmt: skip
        return await self.ledger.reserve(FUNDS, request, dispatched=True)

    async def run_out(self) -> None:
        self.clock.advance(LEASE_MS / 1000 + 1)
        for row in await self.ledger.run_out():
            await self.ledger.expire(row)

    async def note(self, hold: Hold, tx_hash: str) -> None:
        async def work(tx: Transaction) -> None:
            await self.settlements.note(tx, hold, tx_hash)

        await self.database.transact(work)

    async def mark_settled(self) -> None:
        async def work(tx: Transaction) -> None:
            await repository.mark_settled(tx, KEY, "0xsettled", 7, "0xb")

        await self.database.transact(work)

    async def books(self) -> tuple[str, int, list[Any]]:
        """The payment's state, what its journal adds up to, and what became of its calls' payments."""
        [state] = await column(
            self.database, "SELECT state FROM paygate_payments WHERE payment_key LIKE 'eip%'"
        )
        amounts = await column(self.database, "SELECT amount_base FROM paygate_journal")
        charges = await column(self.database, "SELECT amount_base FROM paygate_journal WHERE kind = 'charge'")
        assert sum(map(int, amounts)) == 0
        calls = await column(self.database, "SELECT payment_status FROM paygate_calls ORDER BY id")
        return state, -sum(map(int, charges)), calls


@pytest.fixture
def room(database: Database) -> Room:
    return Room(database)


async def test_settled_after_its_lease_ran_out_it_is_had_once(room: Room) -> None:
    hold = await room.reserved()
    await room.note(hold, "0xsettled")
    await room.run_out()
    assert (await room.books())[0] == "released"
    assert await room.ledger.settle(hold, GOOD, MOVED) == "consumed"
    assert await room.books() == ("consumed", PRICE, ["consumed"])
    with pytest.raises(FaultError, match="INSUFFICIENT_PAYMENT"):
        await room.reserved()


async def test_settled_after_it_was_refused_for_good_it_is_charged(room: Room) -> None:
    """The third lease runs out before anything was noted, and its process lives on."""
    for _ in range(2):
        await room.ledger.settle(await room.reserved(), BAD)
    hold = await room.reserved()
    await room.run_out()
    assert (await room.books())[:2] == ("consumed", 0)
    assert [await room.ledger.settle(hold, GOOD, MOVED) for _ in range(2)] == ["consumed"] * 2
    assert await room.books() == ("consumed", PRICE, ["released", "released", "consumed"])


async def test_presented_again_while_it_settles_it_is_had_once(room: Room) -> None:
    first = await room.reserved()
    await room.note(first, "0xsettled")
    await room.run_out()
    await room.mark_settled()
    second = await room.reserved()
    with pytest.raises(LeaseLost):
        await room.ledger.settle(first, GOOD, MOVED)
    assert await room.ledger.settle(second, GOOD) == "consumed"
    assert await room.books() == ("consumed", PRICE, ["released", "consumed"])


async def test_refused_for_good_before_it_moved_it_is_not_charged(room: Room) -> None:
    said = [await room.ledger.settle(await room.reserved(), BAD) for _ in range(3)]
    assert said == ["released"] * 3
    assert await room.books() == ("consumed", 0, ["released"] * 3)
    with pytest.raises(FaultError, match="INSUFFICIENT_PAYMENT"):
        await room.reserved()


async def test_refused_for_good_after_it_moved_it_is_charged(room: Room) -> None:
    hold = await room.reserved()
    await room.mark_settled()
    said = [await room.ledger.settle(hold, BAD)]
    said += [await room.ledger.settle(await room.reserved(), BAD) for _ in range(2)]
    assert said == ["released", "released", "consumed"]
    assert await room.books() == ("consumed", PRICE, ["released", "released", "consumed"])


async def test_while_it_may_still_move_it_is_not_refused_for_good(room: Room) -> None:
    """The third call's settlement is out and not known: when it turns out to have moved the money, there is a call for it."""
    for outcome in (BAD, BAD, PENDING):
        assert await room.ledger.settle(await room.reserved(), outcome) == "released"
    await room.mark_settled()
    assert await room.ledger.settle(await room.reserved(), GOOD) == "consumed"
    assert (await room.books())[:2] == ("consumed", PRICE)


async def test_a_process_that_dies_while_it_settles_does_not_refuse_it_for_good(room: Room) -> None:
    for _ in range(2):
        await room.ledger.settle(await room.reserved(), BAD)
    await room.note(await room.reserved(), "0xsettled")
    await room.run_out()
    await room.mark_settled()
    assert await room.ledger.settle(await room.reserved(), GOOD) == "consumed"
    assert (await room.books())[:2] == ("consumed", PRICE)
