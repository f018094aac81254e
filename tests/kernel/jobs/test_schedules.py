"""Schedules: once over all processes, over restarts, whatever a tick does."""

from __future__ import annotations

import asyncio

from tests.kernel.jobs.conftest import Queues
from tests.kernel.jobs.watching import Handler, a_moment, until

from flux.kernel.store import Database, SandboxClock


async def test_a_tick_comes_every_so_often_and_once_over_all_processes(
    queues: Queues, clock: SandboxClock
) -> None:
    handlers = [Handler() for _ in range(3)]
    for handler in handlers:
        queue = queues()
        queue.every("room.tick", 600, handler)
        await queue.start()
    await a_moment()
    for expected in range(1, 6):
        assert sum(handler.finished for handler in handlers) == expected - 1
        clock.advance(601)
        await until(lambda expected=expected: sum(handler.finished for handler in handlers) == expected)
        await a_moment()
    assert handlers[0].ran == [{}] * len(handlers[0].ran)


async def test_an_interval_shorter_than_the_lease_holds(queues: Queues, clock: SandboxClock) -> None:
    queue, handler = queues(lease_seconds=60.0), Handler()
    queue.every("room.tick", 5, handler)
    await queue.start()
    for expected in (1, 2, 3):
        clock.advance(5.1)
        await until(lambda expected=expected: handler.finished == expected, seconds=2)
        await a_moment()


async def test_a_restart_does_not_start_the_interval_anew(queues: Queues, clock: SandboxClock) -> None:
    before, after, first, second = queues(), queues(), Handler(), Handler()
    before.every("room.tick", 86_400, first)
    await before.start()
    clock.advance(86_000)
    await before.close()
    after.every("room.tick", 86_400, second)
    await after.start()
    await a_moment()
    assert second.ran == []
    clock.advance(401)
    await until(lambda: second.finished == 1)
    assert first.ran == []


async def test_a_shorter_interval_is_taken_up(queues: Queues, clock: SandboxClock) -> None:
    before, after, handler = queues(), queues(), Handler()
    before.every("room.tick", 86_400, Handler())
    await before.start()
    await before.close()
    after.every("room.tick", 100, handler)
    await after.start()
    clock.advance(101)
    await until(lambda: handler.finished == 1)


async def test_a_failed_tick_is_followed_by_the_next(queues: Queues, clock: SandboxClock) -> None:
    queue, handler = queues(), Handler(failures=1)
    queue.every("room.tick", 100, handler)
    await queue.start()
    clock.advance(101)
    await until(lambda: len(handler.ran) == 1)
    await a_moment()
    assert len(handler.ran) == 1, "not retried"
    clock.advance(101)
    await until(lambda: handler.finished == 1)


async def test_a_tick_that_takes_longer_than_its_interval_is_not_run_beside_itself(
    database: Database, queues: Queues, clock: SandboxClock
) -> None:
    gate = asyncio.Event()
    slow = Handler(gate=gate)
    for _ in range(2):
        queue = queues(lease_seconds=60.0)
        queue.every("room.tick", 5, slow)
        await queue.start()
    clock.advance(6)
    await until(lambda: len(slow.ran) == 1)
    clock.advance(30)
    await a_moment()
    assert len(slow.ran) == 1
    gate.set()
    await until(lambda: slow.finished >= 2)


async def test_closing_waits_for_a_tick_that_runs(queues: Queues, clock: SandboxClock) -> None:
    gate = asyncio.Event()
    queue, handler = queues(close_seconds=5.0), Handler(gate=gate)
    queue.every("room.tick", 5, handler)
    await queue.start()
    clock.advance(6)
    await until(lambda: len(handler.ran) == 1)
    closing = asyncio.ensure_future(queue.close())
    await a_moment()
    assert not closing.done()
    gate.set()
    await closing
    assert handler.finished == 1
