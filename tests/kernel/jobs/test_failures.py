"""Failing handlers, dying processes, leases, closing."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest
from tests.harness.databases import open_url
from tests.kernel.jobs.conftest import Queues
from tests.kernel.jobs.watching import Handler, a_moment, until

from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.jobs import StoreJobs
from flux.kernel.store import Database, SandboxClock, SystemClock
from flux.settings.jobs import JobSettings


async def enqueue(database: Database, queue: StoreJobs, payload: dict[str, Any], **options: Any) -> None:
    await database.transact(lambda tx: queue.enqueue(tx, "room.verb", payload, **options))


async def states(database: Database) -> list[tuple[str, int, str | None]]:
    return await database.all(
        "SELECT state, attempts, last_error FROM jobs ORDER BY id",
        {},
        lambda state, attempts, error: (state, attempts, error),
    )


async def test_the_pause_doubles_up_to_a_longest(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    queue, handler = queues(backoff_seconds=100.0, backoff_max_seconds=350.0), Handler(failures=4)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {})
    await until(lambda: len(handler.ran) == 1)
    for attempt, pause in enumerate((100, 200, 350, 350), start=1):
        await a_moment()
        assert (await states(database))[0][:2] == ("waiting", attempt)
        clock.advance(pause - 10)
        await a_moment()
        assert len(handler.ran) == attempt
        clock.advance(11)
        await until(lambda attempt=attempt: len(handler.ran) == attempt + 1)
    await until(lambda: handler.finished == 1)


async def test_jitter_takes_up_to_half_of_the_pause(database: Database, clock: SandboxClock) -> None:
    queue, handler = (
        StoreJobs(database, clock, JobSettings(backoff_seconds=100.0), jitter=lambda: 0.0),
        Handler(1),
    )
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {})
    await until(lambda: len(handler.ran) == 1)
    await a_moment()
    clock.advance(45)
    await a_moment()
    assert len(handler.ran) == 1
    clock.advance(6)
    await until(lambda: handler.finished == 1)
    await queue.close()


async def test_a_job_that_keeps_failing_ends_dead_and_visible(
    database: Database, queues: Queues, clock: SandboxClock, caplog: pytest.LogCaptureFixture
) -> None:
    queue, handler = queues(max_attempts=3), Handler(failures=99)
    queue.handle("room.verb", handler)
    await queue.start()
    with caplog.at_level(logging.WARNING, "flux.jobs"):
        await enqueue(database, queue, {"token": "secret-token"})
        for attempt in (1, 2, 3):
            await until(lambda attempt=attempt: len(handler.ran) == attempt)
            await a_moment()
            clock.advance(1000)
    await a_moment()
    assert len(handler.ran) == 3
    dead = await queue.dead()
    assert [(job.kind, job.attempts, job.last_error) for job in dead] == [
        ("room.verb", 3, "ConnectionError: the other side said no")
    ]
    assert "is dead after 3 attempts" in caplog.text
    assert "secret-token" not in caplog.text


async def test_many_workers_run_each_job_once(database: Database, queues: Queues) -> None:
    handlers = [Handler() for _ in range(4)]
    members = [queues(poll_seconds=0.02) for _ in handlers]
    for queue, handler in zip(members, handlers, strict=True):
        queue.handle("room.verb", handler)
    await members[0]._db.transact(lambda tx: _many(members[0], tx))
    for queue in members:
        await queue.start()
    await until(lambda: sum(handler.finished for handler in handlers) >= 200, seconds=20)
    await a_moment()
    ran = sorted(payload["n"] for handler in handlers for payload in handler.ran)
    assert ran == list(range(200))
    assert sum(bool(handler.ran) for handler in handlers) > 1, "they shared the work"


async def _many(queue: StoreJobs, tx: Any) -> None:
    for number in range(200):
        await queue.enqueue(tx, "room.verb", {"n": number})


async def die_over(url: str) -> None:
    dead = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.kernel.jobs.dying", url],
        check=False,
        capture_output=True,
    )
    assert dead.returncode == -9, dead.stderr.decode()


async def test_the_job_of_a_killed_process_is_taken_over_when_its_lease_ends(database_url: str) -> None:
    await die_over(database_url)
    database, clock, handler = await open_url(database_url), SandboxClock(), Handler()
    queue = StoreJobs(database, clock, JobSettings(poll_seconds=1e9))
    queue.handle("room.verb", handler)
    await queue.start()
    await a_moment()
    assert handler.ran == []
    clock.advance(61)
    await until(lambda: handler.finished == 1)
    assert handler.ran == [{"n": 1}]
    await queue.close()
    assert await states(database) == []
    await database.close()


async def test_a_job_that_kills_its_process_each_time_is_buried(database_url: str) -> None:
    await die_over(database_url)
    database, clock, handler = await open_url(database_url), SandboxClock(), Handler()
    queue = StoreJobs(database, clock, JobSettings(max_attempts=1))
    queue.handle("room.verb", handler)
    await queue.start()
    clock.advance(61)
    await a_moment()
    assert handler.ran == []
    assert [job.last_error for job in await queue.dead()] == ["its process died each time"]
    await queue.close()
    await database.close()


async def test_a_long_job_keeps_its_lease(database: Database) -> None:
    settings = JobSettings(poll_seconds=0.02, lease_seconds=1.0)  # a stall of a busy machine is shorter
    gate, first, second = asyncio.Event(), Handler(), Handler()
    slow = Handler(gate=gate)
    mine, theirs = (StoreJobs(database, SystemClock(), settings) for _ in range(2))
    mine.handle("room.verb", slow)
    mine.handle("room.first", first)
    theirs.handle("room.verb", second)
    await mine.start()
    await enqueue(database, mine, {})
    await until(lambda: len(slow.ran) == 1)
    await theirs.start()
    await asyncio.sleep(2.5)
    gate.set()
    await until(lambda: slow.finished == 1)
    assert second.ran == []
    await mine.close()
    await theirs.close()
    assert await states(database) == []


async def test_advancing_the_clock_past_the_lease_does_not_run_a_job_twice_here(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    gate = asyncio.Event()
    queue, handler = queues(), Handler(gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {})
    await until(lambda: len(handler.ran) == 1)
    clock.advance(86_400)
    await a_moment()
    queue._worker.wake()
    await a_moment()
    assert len(handler.ran) == 1
    gate.set()
    await until(lambda: handler.finished == 1)
    await queue.close()
    assert await states(database) == []


async def test_a_lapsed_lease_is_no_reason_to_run_a_job_beside_itself(
    database: Database, queues: Queues
) -> None:
    gate = asyncio.Event()
    queue, handler = queues(), Handler(gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {"n": 1})
    await until(lambda: len(handler.ran) == 1)
    await database.transact(lambda tx: tx.run("UPDATE jobs SET due_at = 0", {}))
    await enqueue(database, queue, {"n": 2})
    await until(lambda: len(handler.ran) == 2)
    await a_moment()
    assert handler.ran == [{"n": 1}, {"n": 2}]
    gate.set()
    await until(lambda: handler.finished == 2)


async def test_closing_waits_for_what_runs_and_takes_nothing_new(database: Database, queues: Queues) -> None:
    gate = asyncio.Event()
    queue, handler = queues(close_seconds=5.0), Handler(gate=gate)
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {"n": 1})
    await until(lambda: len(handler.ran) == 1)
    closing = asyncio.ensure_future(queue.close())
    await a_moment()
    assert not closing.done()
    await enqueue(database, queue, {"n": 2})
    gate.set()
    await closing
    assert handler.finished == 1
    assert await states(database) == [("waiting", 0, None)]


async def test_closing_returns_what_does_not_end_to_the_queue(database: Database, queues: Queues) -> None:
    queue, handler = queues(close_seconds=0.05), Handler(gate=asyncio.Event())
    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {})
    await until(lambda: len(handler.ran) == 1)
    await queue.close()
    assert handler.finished == 0
    assert await states(database) == [("waiting", 0, None)], "the attempt does not count"


async def test_a_store_fault_is_left_for_the_request_it_was_armed_for(database_url: str) -> None:
    ports = Ports(enabled=True)
    database = await open_url(database_url, ports)
    handler, tick = Handler(), Handler()
    queue = StoreJobs(database, SystemClock(), JobSettings(poll_seconds=0.01, lease_seconds=0.03), ports)
    queue.handle("room.verb", handler)
    queue.every("room.tick", 0.01, tick)
    await queue.start()
    await until(lambda: tick.finished > 2)
    ports.arm("store", Mode.ERROR)
    ticks = tick.finished
    await asyncio.sleep(0.3)
    assert ports.armed("store")
    assert tick.finished <= ticks + 1
    ports.disarm()
    await until(lambda: tick.finished > ticks + 2)
    await queue.close()
    await database.close()


async def test_work_that_began_before_leaves_the_fault_alone_too(database_url: str) -> None:
    ports = Ports(enabled=True)
    database = await open_url(database_url, ports)
    queue = StoreJobs(database, SystemClock(), JobSettings(poll_seconds=0.01), ports)
    began, gate, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(_: dict[str, Any]) -> None:
        began.set()
        await gate.wait()
        assert await database.all("SELECT 1", {}, int) == [1]
        ended.set()

    queue.handle("room.verb", handler)
    await queue.start()
    await enqueue(database, queue, {})
    await asyncio.wait_for(began.wait(), 20)
    ports.arm("store", Mode.ERROR)
    gate.set()
    await asyncio.wait_for(ended.wait(), 20)
    assert ports.armed("store")
    with pytest.raises(PortFailure):
        await database.all("SELECT 1", {}, int)
    await queue.close()
    await database.close()
