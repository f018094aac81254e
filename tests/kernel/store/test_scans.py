"""Long reads stop when nobody waits for them any more."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.harness.databases import open_url

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store import Database, SqliteDatabase, Transaction

ENDLESS = """
WITH RECURSIVE n (x) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT x + 1 FROM n WHERE x < CAST(:most AS BIGINT))
SELECT COUNT(*) FROM n
"""
FOREVER = {"most": 10**15}


async def _running(database: Database) -> int:
    if isinstance(database, SqliteDatabase):
        return database.scans.busy
    return int(
        await database.value(
            "SELECT COUNT(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'active' AND query LIKE '%RECURSIVE n%'"
            " AND pid <> pg_backend_pid()",
            {},
        )
    )


async def _wait_for(database: Database, running: int) -> None:
    deadline = time.monotonic() + 20
    while await _running(database) != running:
        assert time.monotonic() < deadline, "the query did not stop"
        await asyncio.sleep(0.01)


async def test_a_scan_does_not_hold_the_loop(database: Database) -> None:
    scan = asyncio.ensure_future(database.scan(ENDLESS, {"most": 300_000}, int))
    turns = 0
    while not scan.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await scan == [300_000]
    assert turns > 3


async def test_cancelling_stops_the_query(database: Database) -> None:
    scans = [asyncio.ensure_future(database.scan(ENDLESS, FOREVER, int)) for _ in range(2)]
    await _wait_for(database, 2)
    scans[0].cancel()
    await _wait_for(database, 1)
    scans[1].cancel()
    await _wait_for(database, 0)
    results = await asyncio.gather(*scans, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert await database.scan("SELECT 1", {}, int) == [1]


async def test_a_storm_of_cancelled_scans_leaves_nothing_running(database: Database) -> None:
    async def one(number: int) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001 * (number % 10)):
                await database.scan(ENDLESS, FOREVER, int)

    await asyncio.gather(*(one(number) for number in range(30)))
    await _wait_for(database, 0)
    assert await asyncio.gather(*(database.scan("SELECT 1", {}, int) for _ in range(10))) == [[1]] * 10


async def test_a_scan_past_its_time_is_a_timeout(database: Database, database_url: str) -> None:
    await database.close()
    hasty = await open_url(database_url, statement_timeout_seconds=0.1)
    with pytest.raises(PortFailure) as caught:
        await hasty.scan(ENDLESS, FOREVER, int)
    assert (caught.value.port, caught.value.mode) == ("store", Mode.TIMEOUT)
    await _wait_for(hasty, 0)
    assert await hasty.scan("SELECT 1", {}, int) == [1]
    await hasty.close()


async def test_closing_stops_what_runs(database: Database) -> None:
    if not isinstance(database, SqliteDatabase):
        pytest.skip("the pool's own tests cover it")
    scan = asyncio.ensure_future(database.scan(ENDLESS, FOREVER, int))
    await _wait_for(database, 1)
    async with asyncio.timeout(30):
        await database.close()
    with pytest.raises(PortFailure):
        await scan


async def test_a_glance_is_given_up_when_it_takes_long(database: Database) -> None:
    assert await database.glance(ENDLESS, {"most": 100}, int) == [100]
    if isinstance(database, SqliteDatabase):
        assert await database.glance(ENDLESS, FOREVER, int) is None
    assert await database.glance(ENDLESS, {"most": 100}, int) == [100]
    assert await database.all(ENDLESS, {"most": 100_000}, int) == [100_000]


async def test_what_can_be_read_is_settled_when_its_acts_were_called(database: Database) -> None:
    await database.transact(lambda tx: tx.run("CREATE TABLE seen (id BIGINT)", {}))
    told: list[int] = []

    async def work(tx: Transaction) -> None:
        await tx.run("INSERT INTO seen (id) VALUES (1)", {})
        tx.after_commit(lambda: told.append(1))

    unit = asyncio.ensure_future(database.transact(work))
    while not unit.done():
        settled, seen = database.settled, await database.all("SELECT id FROM seen", {}, int)
        assert not settled or seen == told
        await asyncio.sleep(0)
    assert database.settled is isinstance(database, SqliteDatabase)
