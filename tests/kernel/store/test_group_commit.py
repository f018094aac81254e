"""The SQLite writer: shared commits, bodies that must not suspend, disks that fail."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest
from tests.kernel.store.disk import Disk

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store import (
    DatabaseInUse,
    SqliteDatabase,
    Transaction,
    Tuning,
    UniqueViolation,
    UnitSuspended,
)

INSERT = "INSERT INTO things (id) VALUES (:id)"
ALL = "SELECT id FROM things ORDER BY id"
_names = itertools.count()


@pytest.fixture
def disk() -> Disk:
    return Disk(f"disk{next(_names)}")


@pytest.fixture
async def database(tmp_path: Path, disk: Disk) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "flux.db", tuning=Tuning(vfs=disk.name, mmap_mib=0))

    async def work(tx: Transaction) -> None:
        await tx.run("CREATE TABLE things (id INTEGER PRIMARY KEY, body BLOB) STRICT", {})

    await opened.transact(work)
    yield opened
    disk.broken, disk.slow = None, 0.0
    await opened.close()


def inserting(number: int, told: list[int] | None = None):
    async def work(tx: Transaction) -> int:
        await tx.run(INSERT, {"id": number})
        if told is not None:
            tx.after_commit(lambda: told.append(number))
        return number

    return work


async def test_units_of_one_turn_share_a_commit(database: SqliteDatabase, disk: Disk) -> None:
    before = disk.syncs
    told: list[int] = []
    results = await asyncio.gather(*(database.transact(inserting(n, told)) for n in range(100)))
    assert results == list(range(100)) == told
    assert disk.syncs - before <= 2


async def test_nothing_is_answered_or_announced_before_the_sync(database: SqliteDatabase, disk: Disk) -> None:
    disk.slow = 0.2
    told: list[int] = []
    first = asyncio.ensure_future(database.transact(inserting(1, told)))
    turns = 0
    while not first.done():
        await asyncio.sleep(0.001)
        rows = await database.all(ALL, {}, int)
        if disk.syncing:
            assert (rows, told) == ([], [])
            turns += 1
    assert turns > 20, "the loop stood still while the disk worked"
    assert told == [1]
    assert await database.all(ALL, {}, int) == [1]


async def test_units_arriving_during_a_commit_are_the_next_batch(
    database: SqliteDatabase, disk: Disk
) -> None:
    disk.slow = 0.1
    before = disk.syncs
    first = asyncio.ensure_future(database.transact(inserting(1)))
    await asyncio.sleep(0.03)
    rest = [asyncio.ensure_future(database.transact(inserting(n))) for n in range(2, 40)]
    await first
    assert not any(task.done() for task in rest)
    assert await asyncio.gather(*rest) == list(range(2, 40))
    assert disk.syncs - before <= 3


@pytest.mark.parametrize("seconds", [60.0, 0.0])
async def test_long_units_that_wait_share_a_commit_turn_by_turn(
    database: SqliteDatabase, disk: Disk, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("flux.kernel.store.sqlite_writer._BATCH_SECONDS", seconds)
    disk.slow = 0.1
    before = disk.syncs
    first = asyncio.ensure_future(database.transact(inserting(1)))
    await asyncio.sleep(0.03)
    ran: list[int] = []

    def long(number: int):
        async def work(tx: Transaction) -> int:
            await tx.run(INSERT, {"id": number})
            time.sleep(0.02)
            ran.append(number)
            return number

        return work

    rest = [asyncio.ensure_future(database.transact(long(n))) for n in range(2, 7)]
    await first
    seen = set()
    while not rest[-1].done():
        seen.add(len(ran))
        await asyncio.sleep(0)
    assert await asyncio.gather(*rest) == ran == [2, 3, 4, 5, 6]
    assert seen >= {2, 3, 4}, "others had no turn between the units"
    assert (disk.syncs - before <= 3) is (seconds > 0)


async def test_units_run_in_the_order_they_came(database: SqliteDatabase) -> None:
    told: list[int] = []
    tasks = []
    for number in range(300):
        tasks.append(asyncio.ensure_future(database.transact(inserting(number, told))))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert told == list(range(300))


async def test_a_unit_keeps_the_context_of_its_caller(database: SqliteDatabase, disk: Disk) -> None:
    disk.slow = 0.02
    who: contextvars.ContextVar[int] = contextvars.ContextVar("who")

    async def one(number: int) -> bool:
        who.set(number)
        told: list[int] = []

        async def work(tx: Transaction) -> int:
            await tx.run(INSERT, {"id": number})
            tx.after_commit(lambda: told.append(who.get()))
            return who.get()

        return await database.transact(work) == number and told == [number]

    first = asyncio.ensure_future(one(100))
    await asyncio.sleep(0.005)  # its commit is under way, so the others queue
    assert all(await asyncio.gather(first, *(one(n) for n in range(20))))


async def test_a_body_that_suspends_is_undone(database: SqliteDatabase) -> None:
    closed: list[str] = []

    async def sleeping(tx: Transaction) -> None:
        await tx.run(INSERT, {"id": 1})
        try:
            await asyncio.sleep(0)
        finally:
            closed.append("closed")

    async def stubborn(tx: Transaction) -> None:
        await tx.run(INSERT, {"id": 2})
        try:
            await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)

    async def reading_outside(tx: Transaction) -> None:
        await tx.run(INSERT, {"id": 3})
        await database.all(ALL, {}, int)

    async def scanning(tx: Transaction) -> None:
        await database.scan(ALL, {}, int)

    async def nesting(tx: Transaction) -> None:
        await database.transact(inserting(4))

    for work in (sleeping, stubborn, reading_outside, scanning, nesting):
        with pytest.raises(UnitSuspended):
            await database.transact(work)
    assert closed == ["closed"]
    assert await database.transact(inserting(9)) == 9
    assert await database.all(ALL, {}, int) == [9]


async def test_a_cancelled_waiter_does_not_undo_its_unit(database: SqliteDatabase, disk: Disk) -> None:
    disk.slow = 0.1
    told: list[int] = []
    ran = asyncio.ensure_future(database.transact(inserting(1, told)))
    other = asyncio.ensure_future(database.transact(inserting(2, told)))
    await asyncio.sleep(0.02)
    queued = asyncio.ensure_future(database.transact(inserting(3, told)))
    await asyncio.sleep(0)
    ran.cancel()
    queued.cancel()
    assert await other == 2
    assert ran.cancelled()
    assert await database.transact(inserting(4, told)) == 4
    assert told == [1, 2, 4]
    assert await database.all(ALL, {}, int) == [1, 2, 4]


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
async def test_a_failed_commit_fails_its_whole_batch_and_no_other(
    database: SqliteDatabase, disk: Disk, error: type[apsw.Error]
) -> None:
    told: list[int] = []
    await database.transact(inserting(0, told))
    for attempt in range(3):
        disk.broken = error
        units = (database.transact(inserting(n, told)) for n in range(1, 20))
        results = await asyncio.gather(*units, return_exceptions=True)
        assert all(isinstance(each, PortFailure) and each.mode is Mode.ERROR for each in results)
        assert len({id(each) for each in results}) == len(results)
        disk.broken = None
        assert await database.transact(inserting(100 + attempt, told)) == 100 + attempt
    assert told == [0, 100, 101, 102]
    assert await database.all(ALL, {}, int) == told


async def test_a_failure_is_not_answered_before_what_it_rests_on_is_durable(
    database: SqliteDatabase, disk: Disk
) -> None:
    disk.broken = apsw.FullError
    results = await asyncio.gather(
        database.transact(inserting(1)), database.transact(inserting(1)), return_exceptions=True
    )
    assert [type(each) for each in results] == [PortFailure, PortFailure]
    disk.broken = None
    results = await asyncio.gather(
        database.transact(inserting(1)), database.transact(inserting(1)), return_exceptions=True
    )
    assert [type(each) for each in results] == [int, UniqueViolation]


async def test_a_full_file_fails_what_does_not_fit_and_takes_what_does(tmp_path: Path) -> None:
    def limit(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA max_page_count=40").fetchall()

    database = SqliteDatabase(tmp_path / "small.db", tuning=Tuning(prepare=limit))

    def writing(number: int, size: int):
        async def work(tx: Transaction) -> int:
            await tx.run(
                "INSERT INTO things (id, body) VALUES (:id, zeroblob(:size))", {"id": number, "size": size}
            )
            return number

        return work

    async def table(tx: Transaction) -> None:
        await tx.run("CREATE TABLE things (id INTEGER PRIMARY KEY, body BLOB) STRICT", {})

    await database.transact(table)
    units = [writing(n, 1_000_000 if n % 5 == 4 else 10) for n in range(20)]
    results = await asyncio.gather(*(database.transact(unit) for unit in units), return_exceptions=True)
    assert all(isinstance(results[n], PortFailure) for n in range(4, 20, 5))
    kept = [result for result in results if isinstance(result, int)]
    assert await database.all(ALL, {}, int) == kept
    assert await database.transact(writing(50, 10)) == 50
    await database.close()


async def test_one_process_owns_the_file(database: SqliteDatabase) -> None:
    with pytest.raises(DatabaseInUse, match="in use by process"):
        SqliteDatabase(database.path)
    script = "import sys; from flux.kernel.store import *\ntry: SqliteDatabase(sys.argv[1])\nexcept DatabaseInUse: print('in use')"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, str(database.path)], capture_output=True, text=True
    )
    assert done.stdout.strip() == "in use", done.stderr


async def test_a_closed_file_opens_again_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "again.db"
    database = SqliteDatabase(path)

    async def table(tx: Transaction) -> None:
        await tx.run("CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT", {})

    await database.transact(table)
    await asyncio.gather(*(database.transact(inserting(n)) for n in range(50)))
    await database.close()
    await database.close()
    assert not path.with_name("again.db-wal").exists(), "the log was not folded back"
    database = SqliteDatabase(path)
    assert await database.all(ALL, {}, int) == list(range(50))
    await database.close()


async def test_lists_only_where_they_are_asked_for(database: SqliteDatabase) -> None:
    with pytest.raises(TypeError, match="cannot be a SQL parameter"):
        await database.all("SELECT :x", {"x": object()}, str)
