"""Units of work: all or nothing, on both databases."""

from __future__ import annotations

import asyncio
import logging

import pytest
from tests.harness.databases import open_url

from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store import Database, Transaction, UniqueViolation

INSERT = "INSERT INTO things (id, name) VALUES (:id, :name)"
ALL = "SELECT id FROM things ORDER BY id"


@pytest.fixture(autouse=True)
async def tables(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.run("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT UNIQUE)", {})

    await database.transact(work)


def inserting(number: int, name: str | None = None, failing: Exception | None = None):
    async def work(tx: Transaction) -> int:
        await tx.run(INSERT, {"id": number, "name": name or f"n{number}"})
        if failing is not None:
            raise failing
        return number

    return work


async def test_a_result_is_returned_and_readable_at_once(database: Database) -> None:
    for number in range(50):
        assert await database.transact(inserting(number)) == number
        assert await database.value("SELECT id FROM things WHERE id = :id", {"id": number}) == number
    assert len(await database.scan(ALL, {}, int)) == 50


async def test_every_acknowledged_write_is_visible_under_load(database: Database) -> None:
    async def one(number: int) -> None:
        await database.transact(inserting(number))
        assert await database.value("SELECT id FROM things WHERE id = :id", {"id": number}) == number
        assert await database.scan("SELECT id FROM things WHERE id = :id", {"id": number}, int) == [number]

    await asyncio.gather(*(one(number) for number in range(200)))


async def test_a_unit_sees_its_own_writes_and_others_do_not_until_it_commits(database: Database) -> None:
    async def work(tx: Transaction) -> list[int]:
        await tx.run(INSERT, {"id": 1, "name": "a"})
        assert await tx.one("SELECT name FROM things WHERE id = 1", {}, str) == "a"
        assert await tx.value("SELECT COUNT(*) FROM things", {}) == 1
        return await tx.all(ALL, {}, int)

    assert await database.transact(work) == [1]


async def test_an_exception_rolls_back_and_leaves_unchanged(database: Database) -> None:
    error = LookupError("mine")
    with pytest.raises(LookupError) as caught:
        await database.transact(inserting(1, failing=error))
    assert caught.value is error
    assert await database.all(ALL, {}, int) == []


async def test_a_failing_unit_hurts_no_other(database: Database) -> None:
    units = [inserting(n, failing=ValueError(n) if n % 3 == 0 else None) for n in range(60)]
    results = await asyncio.gather(*(database.transact(unit) for unit in units), return_exceptions=True)
    for number, result in enumerate(results):
        assert isinstance(result, ValueError) if number % 3 == 0 else result == number
    assert await database.all(ALL, {}, int) == [n for n in range(60) if n % 3]


async def test_one_of_fifty_gets_the_key(database: Database) -> None:
    units = (database.transact(inserting(n, name="same")) for n in range(50))
    results = await asyncio.gather(*units, return_exceptions=True)
    winners = [result for result in results if isinstance(result, int)]
    losers = [result for result in results if isinstance(result, UniqueViolation)]
    assert (len(winners), len(losers)) == (1, 49)
    assert await database.all(ALL, {}, int) == winners


async def test_a_failed_statement_dooms_the_unit_even_when_swallowed(database: Database) -> None:
    await database.transact(inserting(1))
    seen: list[type[BaseException]] = []

    async def work(tx: Transaction) -> str:
        await tx.run(INSERT, {"id": 2, "name": "fine"})
        for statement in (INSERT, ALL):
            try:
                await tx.run(statement, {"id": 1, "name": "again"})
            except Exception as error:
                seen.append(type(error))
        return "all is well"

    with pytest.raises(UniqueViolation):
        await database.transact(work)
    assert seen == [UniqueViolation, UniqueViolation]
    assert await database.all(ALL, {}, int) == [1]


async def test_a_transaction_is_dead_after_its_unit(database: Database) -> None:
    kept: list[Transaction] = []

    async def work(tx: Transaction) -> None:
        kept.append(tx)

    await database.transact(work)
    with pytest.raises(RuntimeError, match="ended"):
        await kept[0].run(INSERT, {"id": 1, "name": "late"})
    with pytest.raises(RuntimeError, match="ended"):
        await kept[0].run_many(INSERT, [{"id": 1, "name": "late"}])
    assert await database.all(ALL, {}, int) == []


async def test_acts_follow_the_commit_in_order(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def broken() -> None:
        raise RuntimeError("a bad listener")

    def unit(number: int, fails: bool):
        async def work(tx: Transaction) -> None:
            tx.after_commit(lambda: told.append(f"{number}a"))
            tx.after_commit(broken)
            await tx.run(INSERT, {"id": number, "name": f"n{number}"})
            tx.after_commit(lambda: told.append(f"{number}b"))
            if fails:
                raise ValueError

        return work

    with caplog.at_level(logging.CRITICAL, "flux.store"):
        for number in range(3):
            with pytest.raises(ValueError) if number == 1 else _nothing():
                await database.transact(unit(number, fails=number == 1))
            assert f"{number}b" in told or number == 1
    assert told == ["0a", "0b", "2a", "2b"]


async def test_acts_see_the_commit(database: Database) -> None:
    seen: list[asyncio.Task[int]] = []

    async def work(tx: Transaction) -> None:
        await tx.run(INSERT, {"id": 1, "name": "a"})
        tx.after_commit(
            lambda: seen.append(asyncio.ensure_future(database.value("SELECT COUNT(*) FROM things", {})))
        )

    await database.transact(work)
    assert [await task for task in seen] == [1]


async def test_injected_failures_meet_every_operation(database: Database, database_url: str) -> None:
    await database.close()
    ports = Ports(enabled=True)
    struck = await open_url(database_url, ports)
    calls = (
        lambda: struck.one(ALL, {}, int),
        lambda: struck.all(ALL, {}, int),
        lambda: struck.value(ALL, {}),
        lambda: struck.scan(ALL, {}, int),
        lambda: struck.transact(inserting(1)),
    )
    for call in calls:
        ports.arm("store", Mode.UNAVAILABLE)
        with pytest.raises(PortFailure) as caught:
            await call()
        assert (caught.value.port, caught.value.mode) == ("store", Mode.UNAVAILABLE)
    assert await struck.all(ALL, {}, int) == []
    for call in calls:
        await call()
    await struck.close()


async def test_a_closed_database_refuses(database: Database) -> None:
    waiting = [asyncio.ensure_future(database.transact(inserting(n))) for n in range(20)]
    await asyncio.sleep(0)
    await database.close()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, (int, PortFailure)) for each in done)
    for call in (database.value(ALL, {}), database.scan(ALL, {}, int), database.transact(inserting(99))):
        with pytest.raises(PortFailure) as caught:
            await call
        assert caught.value.mode is Mode.UNAVAILABLE


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def test_a_unit_is_run_through_whoever_waits_for_it(database: Database) -> None:
    """Also those that still queue behind a commit when their callers are cancelled."""
    waiting = [asyncio.ensure_future(database.transact_through(inserting(number))) for number in range(20)]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    assert await asyncio.gather(*waiting, return_exceptions=True)
    assert all(one.cancelled() for one in waiting)
    async with asyncio.timeout(30):
        while len(await database.scan(ALL, {}, int)) < 20:
            await asyncio.sleep(0.01)
    with pytest.raises(UniqueViolation):
        await database.transact_through(inserting(1))
    assert await database.transact_through(inserting(20)) == 20


async def test_what_goes_through_is_done_though_nobody_waits(database: Database) -> None:
    """Also what waits behind a commit that is under way when its caller is cancelled."""
    first = asyncio.ensure_future(database.transact(inserting(0)))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting = [asyncio.ensure_future(database.transact_through(inserting(n))) for n in range(1, 20)]
    for _ in range(3):
        await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await first
    async with asyncio.timeout(20):
        while len(await database.scan(ALL, {}, int)) < 20:
            await asyncio.sleep(0.02)


async def test_a_reading_connection_cannot_write(database: Database) -> None:
    if database.dialect != "sqlite":
        return
    for read in (database.all, database.scan):
        with pytest.raises(PortFailure):
            await read(INSERT, {"id": 1, "name": "x"}, int)
    assert await database.scan(ALL, {}, int) == []
