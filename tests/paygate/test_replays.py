"""Kept answers: whose they are, for which request, how large and for how long."""

from __future__ import annotations

import pytest
from tests.paygate.test_ledger_fire import TERMS
from tests.paygate.test_monitor import migration_sets as migration_sets

from flux.kernel.faults import FaultError
from flux.kernel.store import Database, SandboxClock
from flux.paygate.replays.model import Head, Kept, Remembered
from flux.paygate.replays.service import KEPT_BYTES, KEPT_MS, Replays

ASKED = Remembered.of("order-0001", "POST", "/a?x=1", b"body")
PAYER, OTHER = "0x" + "11" * 20, "0x" + "33" * 20


async def keep(db: Database, replays: Replays, body: bytes, call_id: str = "call_1") -> Kept:
    answer = Kept(Head(201, [("x-own", "1"), ("x-own", "2")]), body)
    await db.transact(lambda tx: replays.open(tx, "api_1", PAYER, ASKED, call_id, TERMS))
    await db.transact(lambda tx: replays.close(tx, call_id, answer))
    return answer


async def test_an_answer_is_its_payers_its_listings_and_its_keys(database: Database) -> None:
    replays = Replays(database, SandboxClock())
    answer = await keep(database, replays, b"hello")
    assert await replays.find("api_1", [OTHER, PAYER], ASKED, TERMS) == answer
    assert await replays.find("api_1", [OTHER], ASKED, TERMS) is None
    assert await replays.find("api_2", [PAYER], ASKED, TERMS) is None
    named = Remembered("order-0002", ASKED.fingerprint)
    assert await replays.find("api_1", [PAYER], named, TERMS) is None


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [("PUT", "/a?x=1", b"body"), ("POST", "/a?x=2", b"body"), ("POST", "/a?x=1", b"other")],
)
async def test_another_request_under_the_key_is_refused(
    database: Database, method: str, target: str, body: bytes
) -> None:
    replays = Replays(database, SandboxClock())
    await keep(database, replays, b"hello")
    other = Remembered.of("order-0001", method, target, body)
    with pytest.raises(FaultError) as caught:
        await replays.find("api_1", [PAYER], other, TERMS)
    assert caught.value.fault.code == "INVALID_PARAMETER"
    with pytest.raises(FaultError):
        await database.transact(lambda tx: replays.open(tx, "api_1", PAYER, other, "call_2", TERMS))


async def test_a_key_is_free_again_after_a_day(database: Database) -> None:
    clock = SandboxClock()
    replays = Replays(database, clock)
    await keep(database, replays, b"hello")
    clock.advance(KEPT_MS / 1000 - 60)
    await replays.sweep({})
    assert await replays.find("api_1", [PAYER], ASKED, TERMS) is not None
    clock.advance(61)
    assert await replays.find("api_1", [PAYER], ASKED, TERMS) is None
    assert (await keep(database, replays, b"anew", "call_2")).body == b"anew"
    clock.advance(KEPT_MS / 1000 + 1)
    await replays.sweep({})
    assert await database.value("SELECT count(*) FROM paygate_idempotency", {}) == 0


@pytest.mark.parametrize(("size", "kept"), [(KEPT_BYTES, True), (KEPT_BYTES + 1, False)])
async def test_a_large_answer_is_not_kept(database: Database, size: int, kept: bool) -> None:
    replays = Replays(database, SandboxClock())
    await keep(database, replays, b"x" * size)
    assert (await replays.find("api_1", [PAYER], ASKED, TERMS) is not None) is kept
