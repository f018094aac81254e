"""PostgreSQL: conflicts are retried, lost servers and exhausted pools are named."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from tests.harness.databases import open_url

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store import Database, EmbeddedPostgres, PostgresDatabase, Transaction

pytestmark = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)


@pytest.fixture(autouse=True)
async def tables(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        await tx.run("CREATE TABLE counters (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)", {})
        await tx.run_many("INSERT INTO counters VALUES (:id, 0)", [{"id": n} for n in (1, 2)])

    await database.transact(work)


async def test_serializable_units_that_collide_run_again(database: Database) -> None:
    gate = asyncio.Barrier(6)
    attempts = 0
    told: list[int] = []

    async def work(tx: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        tx.after_commit(lambda: told.append(1))
        seen = await tx.value("SELECT n FROM counters WHERE id = 1", {})
        if attempts <= 6:
            await gate.wait()
        await tx.run("UPDATE counters SET n = :n WHERE id = 1", {"n": seen + 1})

    await asyncio.gather(*(database.transact(work, serializable=True) for _ in range(6)))
    assert await database.value("SELECT n FROM counters WHERE id = 1", {}) == 6
    assert attempts > 6
    assert len(told) == 6


async def test_write_skew_is_caught_at_the_commit(database: Database) -> None:
    """Each reads both rows and writes its own: only the commit can notice."""
    gate = asyncio.Barrier(2)
    attempts = 0

    def taking(mine: int):
        async def work(tx: Transaction) -> bool:
            nonlocal attempts
            attempts += 1
            total = await tx.value("SELECT SUM(n) FROM counters", {})
            if attempts <= 2:
                await gate.wait()
            if total == 0:
                await tx.run("UPDATE counters SET n = 1 WHERE id = :id", {"id": mine})
            if attempts <= 2:
                await gate.wait()
            return bool(total == 0)

        return work

    results = await asyncio.gather(
        database.transact(taking(1), serializable=True), database.transact(taking(2), serializable=True)
    )
    assert sorted(results) == [False, True]
    assert attempts == 3


async def test_a_deadlock_is_run_again(database: Database) -> None:
    gate = asyncio.Barrier(2)
    attempts = 0

    def crossing(first: int, second: int):
        async def work(tx: Transaction) -> None:
            nonlocal attempts
            attempts += 1
            await tx.run("UPDATE counters SET n = n + 1 WHERE id = :id", {"id": first})
            if attempts <= 2:
                await gate.wait()
            await tx.run("UPDATE counters SET n = n + 1 WHERE id = :id", {"id": second})

        return work

    await asyncio.gather(database.transact(crossing(1, 2)), database.transact(crossing(2, 1)))
    assert await database.all("SELECT n FROM counters", {}, int) == [2, 2]
    assert attempts == 3


async def test_a_conflict_hidden_by_the_body_is_still_run_again(database: Database) -> None:
    tries = 0

    async def work(tx: Transaction) -> int:
        nonlocal tries
        tries += 1
        seen = await tx.value("SELECT n FROM counters WHERE id = 1", {})
        if tries == 1:
            await database.transact(_bump)
        try:
            await tx.run("UPDATE counters SET n = :n WHERE id = 1", {"n": seen + 1})
        except Exception as error:
            raise LookupError("something else") from error
        return tries

    assert await database.transact(work, serializable=True) == 2
    assert await database.value("SELECT n FROM counters WHERE id = 1", {}) == 2


async def _bump(tx: Transaction) -> None:
    await tx.run("UPDATE counters SET n = n + 1 WHERE id = 1", {})


async def test_conflicts_without_end_are_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flux.kernel.store.postgres._LONGEST_WAIT_SECONDS", 0.002)

    async def work(tx: Transaction) -> None:
        seen = await tx.value("SELECT n FROM counters WHERE id = 1", {})
        await database.transact(_bump)
        await tx.run("UPDATE counters SET n = :n WHERE id = 1", {"n": seen + 1})

    with pytest.raises(PortFailure) as caught:
        await database.transact(work, serializable=True)
    assert (caught.value.mode, caught.value.reason) == (Mode.UNAVAILABLE, "conflict")


async def _cut_everyone(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


async def test_a_lost_connection_is_unavailable_and_replaced(database: Database, database_url: str) -> None:
    async def slow(tx: Transaction) -> None:
        await tx.run("UPDATE counters SET n = 77 WHERE id = 1", {})
        await tx.value("SELECT pg_sleep(20)", {})

    victims = [
        asyncio.ensure_future(database.transact(slow)),
        asyncio.ensure_future(database.value("SELECT pg_sleep(20)", {})),
    ]
    await asyncio.sleep(0.2)
    await _cut_everyone(database_url)
    for result in await asyncio.gather(*victims, return_exceptions=True):
        assert isinstance(result, PortFailure)
        assert result.mode is Mode.UNAVAILABLE
    assert await database.all("SELECT n FROM counters", {}, int) == [0, 0]
    await _cut_everyone(database_url)
    await asyncio.sleep(0.05)
    await database.transact(_bump)


async def test_no_server_is_unavailable(postgres_server: EmbeddedPostgres, tmp_path: object) -> None:
    for url in (f"postgres://postgres@/x?host={tmp_path}", postgres_server.dsn("no_such_database")):
        with pytest.raises(PortFailure) as caught:
            await PostgresDatabase.connect(url)
        assert caught.value.mode is Mode.UNAVAILABLE


async def test_an_exhausted_pool_times_out_and_recovers(database_url: str, database: Database) -> None:
    small = await open_url(database_url, pool_size=2, statement_timeout_seconds=0.3)
    free = asyncio.Event()

    async def holding(tx: Transaction) -> None:
        await free.wait()

    holders = [asyncio.ensure_future(small.transact(holding)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(PortFailure) as caught:
        await small.value("SELECT 1", {})
    assert (caught.value.mode, caught.value.reason) == (Mode.TIMEOUT, "pool")
    waiting = [asyncio.ensure_future(small.value("SELECT 1", {})) for _ in range(10)]
    await asyncio.sleep(0)
    waiting[3].cancel()
    free.set()
    results = await asyncio.gather(*holders, *waiting, return_exceptions=True)
    assert sum(result == 1 for result in results) == 9
    await small.close()


async def test_a_commit_under_way_survives_its_caller(database: Database) -> None:
    """Cancelled at any moment, a unit is announced if and only if it is in the database."""
    told: list[int] = []

    def adding(number: int):
        async def work(tx: Transaction) -> None:
            await tx.run("INSERT INTO counters VALUES (:id, 0)", {"id": number})
            tx.after_commit(lambda: told.append(number))

        return work

    for number in range(100, 160):
        task = asyncio.ensure_future(database.transact(adding(number)))
        await asyncio.sleep((number - 100) * 0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for _ in range(100):
        kept = await database.all("SELECT id FROM counters WHERE id >= 100 ORDER BY id", {}, int)
        if kept == sorted(told):
            break
        await asyncio.sleep(0.01)
    assert kept == sorted(told)
    assert len(kept) > 0


async def test_a_slow_commit_is_finished_and_announced_after_its_caller_left(database: Database) -> None:
    async def slow(tx: Transaction) -> None:
        await tx.run(
            "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$",
            {},
        )
        await tx.run(
            "CREATE CONSTRAINT TRIGGER naps AFTER INSERT ON counters DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION nap()",
            {},
        )

    await database.transact(slow)
    told: list[int] = []

    async def work(tx: Transaction) -> None:
        await tx.run("INSERT INTO counters VALUES (9, 0)", {})
        tx.after_commit(lambda: told.append(9))

    task = asyncio.ensure_future(database.transact(work))
    await asyncio.sleep(0.15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == []
    async with asyncio.timeout(30):
        while not told:
            await asyncio.sleep(0.01)
    assert await database.value("SELECT id FROM counters WHERE id = 9", {}) == 9


async def test_unusual_integers_fit_or_are_refused(database: Database) -> None:
    biggest = 2**63 - 1
    assert await database.value("SELECT CAST(:x AS BIGINT)", {"x": biggest}) == biggest
    with pytest.raises(asyncpg.DataError):
        await database.value("SELECT CAST(:x AS BIGINT)", {"x": biggest + 1})
    assert await database.value("SELECT CAST(:x AS BIGINT)", {"x": True}) == 1
    assert await database.value("SELECT 1.5 * 2", {}) == 3.0
