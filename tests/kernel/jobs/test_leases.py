"""Rows of jobs and schedules, as two processes see them of which one has lost its lease."""

from __future__ import annotations

import pytest

from flux.kernel.jobs.repository import ClaimedJob, JobTable
from flux.kernel.store import Database

KIND = "room.verb"


async def state(database: Database) -> list[tuple[str, str | None]]:
    return await database.all(
        "SELECT state, owner FROM jobs ORDER BY id", {}, lambda state, owner: (state, owner)
    )


async def claimed(database: Database, table: JobTable, now: int) -> list[ClaimedJob]:
    return await database.transact(lambda tx: table.claim(tx, [KIND], now=now, lease_until=now + 10, most=10))


@pytest.mark.parametrize("end", ["done", "bury", "wait again"])
async def test_who_lost_its_job_cannot_end_it(database: Database, end: str) -> None:
    slow, quick = JobTable("slow"), JobTable("quick")
    await database.transact(lambda tx: slow.add(tx, KIND, {}, due_at=1, key=None, now=1))
    [lost] = await claimed(database, slow, 1)
    assert await claimed(database, quick, 5) == []
    [taken] = await claimed(database, quick, 12)
    assert (taken.id, taken.attempts) == (lost.id, 2)
    ends = {
        "done": lambda tx: slow.done(tx, lost),
        "bury": lambda tx: slow.bury(tx, lost, "too late"),
        "wait again": lambda tx: slow.wait_again(tx, lost, due_at=50, attempts=1, error="too late"),
    }
    await database.transact(ends[end])
    assert await state(database) == [("running", "quick")]
    await database.transact(lambda tx: quick.done(tx, taken))
    assert await state(database) == []


async def test_the_dead_stay_dead_while_others_run(database: Database) -> None:
    table = JobTable("here")
    for number in range(2):
        await database.transact(lambda tx, at=number: table.add(tx, KIND, {}, due_at=1 + at, key=None, now=1))
    first, second = await claimed(database, table, 5)
    await database.transact(lambda tx: table.bury(tx, first, "why"))
    await database.transact(lambda tx: table.wait_again(tx, second, due_at=6, attempts=1, error=None))
    assert [one.id for one in await claimed(database, table, 50)] == [second.id]
    assert [one.id for one in await table.dead(database, 10)] == [first.id]


async def test_who_lost_a_schedule_does_not_move_it(database: Database) -> None:
    slow, quick = JobTable("slow"), JobTable("quick")
    await database.transact(lambda tx: slow.schedule(tx, KIND, 1))
    assert await database.transact(lambda tx: slow.claim_schedule(tx, KIND, now=1, until=10))
    assert not await database.transact(lambda tx: quick.claim_schedule(tx, KIND, now=5, until=20))
    assert await database.transact(lambda tx: quick.claim_schedule(tx, KIND, now=11, until=20))
    await database.transact(lambda tx: slow.next_schedule(tx, KIND, 12))
    assert await slow.schedule_due(database, KIND) == 20
    await database.transact(lambda tx: quick.next_schedule(tx, KIND, 15))
    assert await slow.schedule_due(database, KIND) == 15
