"""Reorganisations as nodes tell of them: what is replaced, what only moved, what a node that lags does not know yet."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.paygate.test_nodes import BLOCK, CHAIN_ID, node, reader, results

from flux.kernel.bus.local import LocalBus
from flux.kernel.faults import FaultError, Ports
from flux.kernel.store import Database
from flux.kernel.store.migrations import MigrationSet
from flux.paygate.chains.registry import Chain
from flux.paygate.credit.service import Credits
from flux.paygate.history.model import Outcome
from flux.paygate.history.service import History
from flux.paygate.ledger.model import Funds, Request
from flux.paygate.ledger.monitor import ORPHANED, PAGE, ReorgMonitor
from flux.paygate.ledger.service import Ledger
from flux.paygate.payment.rules import Terms
from flux.paygate.plane import migrations
from flux.paygate.replays.service import Replays

OTHER_BLOCK = "0x" + "ee" * 32
MANY = PAGE * 2 + 5


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


@dataclass
class Story:
    """A chain as a node tells of it: block 5 holds every payment but those in `lost`."""

    head: int = 9
    canonical: str = BLOCK
    lost: set[str] = field(default_factory=set)
    moved: dict[str, int] = field(default_factory=dict)

    def answer(self, request: Any) -> tuple[int, bytes] | None:
        known = results(
            eth_blockNumber=hex(self.head), eth_getTransactionReceipt=None, eth_getBlockByNumber=None
        )
        parts = request if isinstance(request, list) else [request]
        _, body = known(request)
        told = json.loads(body)
        by_id = {one["id"]: one for one in (told if isinstance(told, list) else [told])}
        for part in parts:
            by_id[part["id"]]["result"] = self._result(part, by_id[part["id"]]["result"])
        return 200, json.dumps(told).encode()

    def _result(self, part: Any, otherwise: Any) -> Any:
        if part["method"] == "eth_getBlockByNumber":
            return {"number": part["params"][0], "hash": self.canonical, "timestamp": "0x65000000"}
        if part["method"] != "eth_getTransactionReceipt":
            return otherwise
        tx_hash = part["params"][0]
        if tx_hash in self.lost:
            return None
        number = self.moved.get(tx_hash, 5)
        block = BLOCK if number == 5 else OTHER_BLOCK
        return {
            "transactionHash": tx_hash,
            "status": "0x1",
            "blockNumber": hex(number),
            "blockHash": block,
            "logs": [],
        }


@dataclass
class Scene:
    db: Database
    story: Story
    monitor: ReorgMonitor
    ledger: Ledger
    chain: Chain
    told: list[Any] = field(default_factory=list)
    """Events about orphans."""

    async def states(self) -> dict[str, str]:
        rows = await self.db.all(
            "SELECT tx_hash, state FROM paygate_payments", {}, lambda tx_hash, state: (tx_hash, state)
        )
        return dict(rows)

    async def look(self) -> None:
        await self.monitor.look({})

    async def consumed(self, number: int, block: int = 5, block_hash: str = BLOCK) -> str:
        """Raises the ledger's refusal."""
        tx_hash = f"0x{number:064x}"
        terms = Terms(Chain("local", CHAIN_ID), "ETH", None, 18, "0x" + "22" * 20, 10)
        payer = "0x" + "11" * 20
        funds = Funds(f"tx:{CHAIN_ID}:{tx_hash}", "direct", terms, payer, 10, tx_hash, block, block_hash)
        request = Request(
            call_id=f"call_{number}_{block_hash}", api_id="api_1", api_name="API", provider="0x" + "22" * 20, method="GET",
            path="/", query="", request_bytes=0, lease_ms=10_000, monthly_quota=None,
        )  # fmt: skip
        hold = await self.ledger.reserve(funds, request, dispatched=True)
        await self.ledger.settle(hold, Outcome("success", charge=True, seen=True, http_status=200))
        return tx_hash


@asynccontextmanager
async def scene(db: Database) -> AsyncIterator[Scene]:
    story = Story()
    async with node(story.answer) as there, reader(there.url) as (reading, clock, chain):
        history, credits = History(db), Credits(db, clock)
        bus = LocalBus(Ports())
        ledger = Ledger(db, clock, history, credits, Replays(db, clock), 3)
        made = ReorgMonitor(db, bus, clock, reading, history, credits)
        here = Scene(db, story, made, ledger, chain)
        bus.subscribe(ORPHANED, lambda _, payload: here.told.append(json.loads(payload)))
        yield here


async def test_the_newest_is_found_behind_many_that_are_not_final(database: Database) -> None:
    async with scene(database) as here:
        hashes = [await here.consumed(number) for number in range(1, MANY + 1)]
        here.story.lost, here.story.canonical = {hashes[-1]}, OTHER_BLOCK
        await here.look()
        assert set((await here.states()).values()) == {"consumed"}
        await here.look()
        assert {tx for tx, state in (await here.states()).items() if state == "orphaned"} == {hashes[-1]}


async def test_what_is_mined_again_meanwhile_stays_paid(database: Database) -> None:
    """As on a real chain: replaced, back among the pending ones for a moment, then in another block."""
    async with scene(database) as here:
        tx_hash = await here.consumed(1)
        here.story.lost, here.story.canonical = {tx_hash}, OTHER_BLOCK
        await here.look()
        here.story.lost, here.story.moved = set(), {tx_hash: 6}
        await here.look()
        here.story.lost, here.story.moved = {tx_hash}, {}
        await here.look()
        assert await here.states() == {tx_hash: "consumed"}


@pytest.mark.parametrize("lag", ["behind", "same block"])
async def test_a_node_that_does_not_know_yet_is_no_reorganisation(database: Database, lag: str) -> None:
    async with scene(database) as here:
        tx_hash = await here.consumed(1)
        here.story.lost = {tx_hash}
        if lag == "behind":
            here.story.head, here.story.canonical = 4, OTHER_BLOCK
        for _ in range(3):
            await here.look()
        assert await here.states() == {tx_hash: "consumed"}


async def test_an_orphan_pays_again_from_another_block_only(database: Database) -> None:
    """Who remembers the block that is gone must not sell it a second time."""
    async with scene(database) as here:
        tx_hash = await here.consumed(1)
        await here.look()
        here.story.lost, here.story.canonical = {tx_hash}, OTHER_BLOCK
        for _ in range(2):
            await here.look()
        assert await here.states() == {tx_hash: "orphaned"}
        payer = "0x" + "11" * 20
        key = f"tx:{CHAIN_ID}:{tx_hash}"
        assert here.told == [{"payment": key, "payer": payer, "apiId": "api_1", "callId": f"call_1_{BLOCK}"}]
        terms = Terms(here.chain, "ETH", None, 18, "0x" + "22" * 20, 10)
        await here.ledger.check_orphans("0x" + "33" * 20, terms)
        with pytest.raises(FaultError):
            await here.ledger.check_orphans(payer, terms)
        with pytest.raises(FaultError) as caught:
            await here.consumed(1)
        assert caught.value.params["reason"] == "payment_already_used"
        await here.consumed(1, 6, OTHER_BLOCK)
        assert await here.states() == {tx_hash: "consumed"}


async def test_what_moved_while_it_was_judged_stays_paid(database: Database) -> None:
    """Two processes look: the one with the older picture must not undo what the other one found."""
    async with scene(database) as here:
        tx_hash = await here.consumed(1)
        before = await here.ledger.look(f"tx:{CHAIN_ID}:{tx_hash}")
        assert before is not None
        here.story.moved = {tx_hash: 6}
        await here.look()
        await here.monitor._orphan(here.chain, before)
        assert (await here.states(), here.told) == ({tx_hash: "consumed"}, [])
