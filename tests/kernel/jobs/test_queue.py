"""Queueing: in the caller's unit, at once after its commit, at its time, once for each key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.kernel.jobs.conftest import Queues
from tests.kernel.jobs.watching import Handler, a_moment, until

from flux.kernel.jobs import StoreJobs
from flux.kernel.store import Database, SandboxClock, Transaction


async def enqueue(database: Database, queue: StoreJobs, payload: dict[str, Any], **options: Any) -> None:
    await database.transact(lambda tx: queue.enqueue(tx, "room.verb", payload, **options))


async def rows(database: Database) -> list[tuple[str, str]]:
    return await database.all(
        "SELECT state, kind FROM jobs ORDER BY id", {}, lambda state, kind: (state, kind)
    )


async def test_a_job_runs_right_after_its_commit_and_is_gone(database: Database, queues: Queues) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    payload = {"id": 2**62, "text": "ä", "deep": {"list": [1, None, True]}}
    await enqueue(database, queue, payload)
    await until(lambda: handler.finished == 1, seconds=2)
    assert handler.ran == [payload]
    await queue.close()
    assert await rows(database) == []


async def test_what_was_queued_before_the_start_runs(database: Database, queues: Queues) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await enqueue(database, queue, {"n": 1})
    await queue.start()
    await until(lambda: handler.finished == 1)


async def test_a_job_of_a_unit_that_rolls_back_never_was(database: Database, queues: Queues) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()

    async def work(tx: Transaction) -> None:
        await queue.enqueue(tx, "room.verb", {})
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(work)
    await a_moment()
    assert handler.ran == []
    assert await rows(database) == []


async def test_a_kind_without_handler_waits_for_a_process_that_has_one(
    database: Database, queues: Queues
) -> None:
    without, having, handler, other = queues(), queues(), Handler(), Handler()
    without.handle("room.other", other)
    await without.start()
    await enqueue(database, without, {"n": 1})
    await a_moment()
    assert await rows(database) == [("waiting", "room.verb")]
    having.handle("room.verb", handler)
    await having.start()
    await until(lambda: handler.finished == 1)
    assert other.ran == []


async def test_a_later_job_runs_when_the_sandbox_clock_gets_there(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {}, run_at_ms=clock.now_ms() + 86_400_000)
    await a_moment()
    clock.advance(86_000)
    await a_moment()
    assert handler.ran == []
    clock.advance(401)
    await until(lambda: handler.finished == 1, seconds=2)


async def test_an_earlier_job_is_not_kept_waiting_by_a_later_one(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    for hours in (5, 1, 3):
        await enqueue(database, queue, {"hours": hours}, run_at_ms=clock.now_ms() + hours * 3_600_000)
    for expected in (1, 3, 5):
        clock.advance(2 * 3600)
        await until(
            lambda expected=expected: bool(handler.ran) and handler.ran[-1] == {"hours": expected}, seconds=2
        )
    assert len(handler.ran) == 3


async def test_a_second_waiting_job_of_a_key_is_not_added_and_the_earlier_time_holds(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    now = clock.now_ms()
    await enqueue(database, queue, {"n": 1}, key="k", run_at_ms=now + 50_000)
    await enqueue(database, queue, {"n": 2}, key="k", run_at_ms=now + 20_000)
    await enqueue(database, queue, {"n": 3}, key="k", run_at_ms=now + 90_000)
    await enqueue(database, queue, {"n": 4}, key="other", run_at_ms=now + 90_000)
    clock.advance(10)
    await a_moment()
    assert handler.ran == []
    clock.advance(11)
    await until(lambda: handler.finished == 1)
    clock.advance(1000)
    await until(lambda: handler.finished == 2)
    await a_moment()
    assert handler.ran == [{"n": 1}, {"n": 4}]


async def test_jobs_without_key_are_all_added(database: Database, queues: Queues) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    for number in range(3):
        await enqueue(database, queue, {"n": number})
    await until(lambda: handler.finished == 3)


async def test_a_job_queued_while_its_twin_runs_runs_afterwards(database: Database, queues: Queues) -> None:
    gate = asyncio.Event()
    queue, handler = queues(), Handler(gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {"n": 1}, key="k")
    await until(lambda: len(handler.ran) == 1)
    await enqueue(database, queue, {"n": 2}, key="k")
    gate.set()
    await until(lambda: handler.finished == 2)
    assert handler.ran == [{"n": 1}, {"n": 2}]


async def test_a_failing_job_gives_way_to_its_waiting_twin(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    gate = asyncio.Event()
    queue, handler = queues(backoff_seconds=10.0), Handler(failures=1, gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {"n": 1}, key="k")
    await until(lambda: len(handler.ran) == 1)
    await enqueue(database, queue, {"n": 2}, key="k", run_at_ms=clock.now_ms() + 3_600_000)
    gate.set()
    await a_moment()
    assert await rows(database) == [("waiting", "room.verb")]
    clock.advance(10.1)
    await until(lambda: handler.finished == 1)
    assert handler.ran == [{"n": 1}, {"n": 2}], "the twin ran at the time of the retry, which was the earlier"


async def test_a_cancelled_job_does_not_run(database: Database, queues: Queues, clock: SandboxClock) -> None:
    queue, handler = queues(), Handler()
    queue.handle("room.verb", handler)
    await queue.start()
    for key in ("a", "b"):
        await enqueue(database, queue, {"key": key}, key=key, run_at_ms=clock.now_ms() + 1000)
    await database.transact(lambda tx: queue.cancel(tx, "room.verb", "a"))
    await database.transact(lambda tx: queue.cancel(tx, "room.verb", "never was"))
    clock.advance(2)
    await until(lambda: handler.finished == 1)
    await a_moment()
    assert handler.ran == [{"key": "b"}]


async def test_only_so_many_run_at_once(database: Database, queues: Queues) -> None:
    gate = asyncio.Event()
    queue, handler = queues(concurrency=3), Handler(gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    for number in range(10):
        await enqueue(database, queue, {"n": number})
    await until(lambda: len(handler.ran) == 3)
    await a_moment()
    assert len(handler.ran) == 3
    gate.set()
    await until(lambda: handler.finished == 10)
    assert [payload["n"] for payload in handler.ran] == list(range(10)), "in the order they were queued"


async def test_handlers_are_declared_once_and_before_the_start(database: Database, queues: Queues) -> None:
    queue = queues()
    queue.handle("room.verb", Handler())
    with pytest.raises(ValueError, match=r"room\.verb"):
        queue.handle("room.verb", Handler())
    with pytest.raises(ValueError, match=r"room\.verb"):
        queue.every("room.verb", 1, Handler())
    await queue.start()
    with pytest.raises(RuntimeError, match=r"room\.late"):
        queue.handle("room.late", Handler())
