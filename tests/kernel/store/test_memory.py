"""What is remembered of rows is forgotten before anybody hears that they are others. PostgreSQL remembers nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from flux.kernel.faults.ports import Mode, Ports
from flux.kernel.store import Database, Memory, SqliteDatabase, Transaction

SCHEMA = (
    "CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT NOT NULL, seen BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE guilds (id BIGINT PRIMARY KEY, owner BIGINT REFERENCES people (id) ON DELETE CASCADE, size BIGINT DEFAULT 0)",
    "CREATE TABLE rooms (id BIGINT PRIMARY KEY, guild BIGINT REFERENCES guilds (id) ON DELETE CASCADE)",
    "CREATE TABLE guests (room BIGINT REFERENCES rooms (id) ON DELETE SET NULL, person BIGINT, PRIMARY KEY (person))",
    "INSERT INTO people (id, name) VALUES (1, 'ada'), (2, 'bob')",
    "INSERT INTO guilds (id, owner) VALUES (10, 1), (11, 2)",
    "INSERT INTO rooms VALUES (20, 10), (21, 11)",
    "INSERT INTO guests VALUES (20, 1)",
)
NAME = "SELECT p.name FROM people p WHERE p.id = :id"
ROOM = "SELECT r.id, g.owner FROM rooms r JOIN guilds g ON g.id = r.guild WHERE r.id = :id"
GUESTS = "SELECT COUNT(*) FROM guests WHERE room = :id"


def script(*statements: str, **params: Any) -> Callable[[Transaction], Any]:
    async def work(tx: Transaction) -> None:
        for each in statements:
            await tx.run(each, params)

    return work


@pytest.fixture(autouse=True)
async def tables(database: Database) -> None:
    await database.transact(script(*SCHEMA))


def keeps(database: Database, memory: Memory[int, str]) -> bool:
    memory.put(1, "kept", memory.turn)
    return memory.get(1) == "kept"


async def test_only_where_nobody_else_commits(database: Database) -> None:
    memory = database.remember(NAME)
    # Whatever was under way when it was made is not waited for: the first unit of work empties it.
    await database.transact(script("DELETE FROM people WHERE id = 99"))
    assert keeps(database, memory) == (database.dialect == "sqlite")


@pytest.mark.parametrize(
    ("reading", "writing", "forgets"),
    [
        (NAME, "UPDATE people SET name = 'eve' WHERE id = 1", True),
        (NAME, "UPDATE people SET seen = 7 WHERE id = 1", False),
        (NAME, "INSERT INTO people (id, name) VALUES (3, 'eve')", True),
        (NAME, "DELETE FROM people WHERE id = 2", True),
        (NAME, "INSERT INTO guests VALUES (20, 5)", False),
        (
            NAME,
            "INSERT INTO people (id, name) VALUES (1, 'eve') ON CONFLICT (id) DO UPDATE SET seen = 1",
            True,
        ),
        (ROOM, "UPDATE guilds SET size = size + 1", False),
        (ROOM, "UPDATE guilds SET owner = 2", True),
        (ROOM, "DELETE FROM people WHERE id = 1", True),
        (GUESTS, "DELETE FROM people WHERE id = 1", True),
        (GUESTS, "DELETE FROM people WHERE id = 1 RETURNING id", True),
        (GUESTS, "UPDATE people SET name = 'eve'", False),
    ],
)
async def test_what_a_statement_makes_forget(
    database: Database, reading: str, writing: str, forgets: bool
) -> None:
    memory = database.remember(reading)
    await database.transact(script("UPDATE people SET seen = 3"))
    kept = keeps(database, memory)
    await database.transact(script(writing))
    assert memory.get(1) == ("kept" if kept and not forgets else None)


async def test_many_at_once_and_with_a_list(database: Database) -> None:
    memory = database.remember("SELECT name FROM people WHERE id IN :ids")

    async def many(tx: Transaction) -> None:
        await tx.run_many("UPDATE people SET name = :name WHERE id = :id", [{"id": 1, "name": "x"}])

    for writing in (many, script("UPDATE people SET name = 'y' WHERE id IN :ids", ids=[1, 2])):
        keeps(database, memory)
        await database.transact(writing)
        assert memory.get(1) is None


async def test_it_is_forgotten_before_anybody_hears(database: Database) -> None:
    memory = database.remember(NAME)
    heard: list[object] = []

    async def work(tx: Transaction) -> None:
        tx.after_commit(lambda: heard.append(memory.get(1)))
        await tx.run("UPDATE people SET name = 'eve' WHERE id = 1", {})

    for _ in range(3):
        keeps(database, memory)
        await database.transact(work)
    assert heard == [None, None, None]


async def test_what_was_read_before_a_commit_is_not_kept_after_it(database: Database) -> None:
    memory = database.remember(NAME)
    turn = memory.turn
    found = await database.one(NAME, {"id": 1}, str)
    await database.transact(script("UPDATE people SET name = 'eve' WHERE id = 1"))
    memory.put(1, found, turn)
    assert memory.get(1) is None


async def test_one_made_while_a_batch_is_under_way(database: Database) -> None:
    """What ran before it was made may still be uncommitted: what was read beside it is not kept for longer."""
    running = asyncio.ensure_future(database.transact(script("UPDATE people SET name = 'eve' WHERE id = 1")))
    await asyncio.sleep(0)
    memory = database.remember(NAME)
    keeps(database, memory)
    await running
    assert memory.get(1) is None


async def test_a_unit_that_is_undone_harms_nothing(database: Database) -> None:
    memory = database.remember(NAME)

    async def work(tx: Transaction) -> None:
        await tx.run("UPDATE people SET name = 'eve' WHERE id = 1", {})
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(work)
    await database.transact(script("UPDATE people SET seen = 1"))
    assert keeps(database, memory) == (database.dialect == "sqlite")


async def test_remembered_is_what_would_be_read(database: Database) -> None:
    """Any writes in any order, and readers that always ask the memory first."""
    dice = random.Random()
    names: Memory[int, str] = database.remember(NAME)

    async def name(person: int) -> str | None:
        found = names.get(person)
        if found is None:
            turn = names.turn
            found = await database.one(NAME, {"id": person}, str)
            if found is not None:
                names.put(person, found, turn)
        return found

    async def writer(number: int) -> None:
        for _ in range(40):
            person, text = number, f"n{dice.random()}"
            await database.transact(
                script("UPDATE people SET name = :text WHERE id = :id", id=person, text=text)
            )
            assert await name(person) == text
            await name(3 - person)

    await asyncio.gather(writer(1), writer(2))


async def test_bounds_a_fault_that_waits_and_a_stranger(tmp_path: Path) -> None:
    ports = Ports(enabled=True)
    database = SqliteDatabase(tmp_path / "flux.db", ports=ports, remembered=3)
    try:
        await database.transact(script(*SCHEMA))
        memory = database.remember(NAME)
        await database.transact(script("UPDATE people SET seen = 1"))
        for key in range(5):
            memory.put(key, "kept", memory.turn)
        assert [memory.get(key) for key in range(5)] == [None, None, "kept", "kept", "kept"]
        ports.arm("store", Mode.ERROR)
        assert memory.get(4) is None
        ports.disarm()
        assert memory.get(4) == "kept"
        with apsw.Connection(str(tmp_path / "flux.db")) as stranger:
            stranger.execute("UPDATE people SET name = 'eve'")
        await database.transact(script("UPDATE people SET seen = 2"))
        assert memory.get(4) is None
        none = SqliteDatabase(tmp_path / "other.db", remembered=0)
        assert not keeps(none, none.remember("SELECT name FROM sqlite_schema"))
        await none.close()
    finally:
        await database.close()
