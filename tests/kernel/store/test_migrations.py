"""Numbered files, applied once, never changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.harness.databases import open_url

from flux.kernel.store import Database, MigrationError, MigrationSet, SandboxClock, migrate
from flux.kernel.store.migrations import expand

TABLE = "CREATE TABLE {name} (id {{{{serial}}}}, body {{{{text}}}} NOT NULL, raw {{{{blob}}}}, x {{{{real}}}}, n {{{{bigint}}}}) {{{{strict}}}};"


@pytest.fixture
def room(tmp_path: Path) -> MigrationSet:
    directory = tmp_path / "migrations"
    directory.mkdir()
    return MigrationSet("room", directory)


def write(room: MigrationSet, name: str, text: str) -> Path:
    path = room.directory / name
    path.write_text(text)
    return path


def table(name: str) -> str:
    return TABLE.format(name=name)


async def test_files_are_applied_in_order_and_once(database: Database, room: MigrationSet) -> None:
    write(room, "0001_first.sql", table("first"))
    write(
        room,
        "0002_second.sqlite.sql",
        "ALTER TABLE first ADD COLUMN extra TEXT; -- ; ' :name\n" + table("second"),
    )
    write(room, "0002_second.postgres.sql", "ALTER TABLE first ADD COLUMN extra TEXT;" + table("second"))
    clock = SandboxClock()
    clock.advance(1_000_000)
    applied = await migrate(database, [room], clock)
    assert [str(each) for each in applied] == ["room/0001_first", "room/0002_second"]
    assert await migrate(database, [room]) == []
    write(room, "0003_third.sql", "INSERT INTO second (body) VALUES ('a;b')")
    assert [each.number for each in await migrate(database, [room])] == [3]
    assert await database.all("SELECT body FROM second", {}, str) == ["a;b"]
    kept = await database.all(
        "SELECT number, name, applied_at FROM flux_migrations ORDER BY number", {}, lambda *row: row
    )
    assert [row[:2] for row in kept] == [(1, "first"), (2, "second"), (3, "third")]
    assert kept[0][2] > kept[2][2], "the clock given was not asked"


async def test_sets_are_numbered_apart(database: Database, tmp_path: Path) -> None:
    rooms = []
    for name in ("beta", "alpha"):
        (tmp_path / name).mkdir()
        rooms.append(MigrationSet(name, tmp_path / name))
        write(rooms[-1], "0001_start.sql", table(name))
    assert [str(each) for each in await migrate(database, rooms)] == ["beta/0001_start", "alpha/0001_start"]
    with pytest.raises(MigrationError, match="same name"):
        await migrate(database, [rooms[0], rooms[0]])


async def test_a_changed_file_is_refused(database: Database, room: MigrationSet) -> None:
    path = write(room, "0001_first.sql", table("first"))
    await migrate(database, [room])
    path.write_text(path.read_text() + "\n-- harmless?")
    with pytest.raises(MigrationError, match=r"room/0001_first: the file changed"):
        await migrate(database, [room])


async def test_a_lost_file_is_refused(database: Database, room: MigrationSet) -> None:
    write(room, "0001_first.sql", table("first"))
    path = write(room, "0002_second.sql", table("second"))
    await migrate(database, [room])
    path.unlink()
    with pytest.raises(MigrationError, match=r"room/0002_second: applied to this database"):
        await migrate(database, [room])


async def test_a_renamed_file_is_refused(database: Database, room: MigrationSet) -> None:
    path = write(room, "0001_first.sql", table("first"))
    await migrate(database, [room])
    path.rename(path.with_name("0001_other.sql"))
    with pytest.raises(MigrationError, match="its file is missing"):
        await migrate(database, [room])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["0001_a.sql", "0003_c.sql"], "room/0002: this number is missing"),
        (["0002_b.sql"], "room/0001: this number is missing"),
        (["0001_a.sqlite.sql"], "one .sqlite.sql and one .postgres.sql"),
        (["0001_a.sql", "0001_a.postgres.sql"], "one .sql for both"),
        (["0001_a.sqlite.sql", "0001_b.postgres.sql"], "different names"),
        (["0001_a.sql", "0001_b.sql"], "taken twice"),
        (["1_a.sql"], "is named 0001_name.sql"),
    ],
)
async def test_ill_formed_directories(
    database: Database, room: MigrationSet, names: list[str], message: str
) -> None:
    for number, name in enumerate(names):
        write(room, name, table(f"t{number}"))
    with pytest.raises(MigrationError, match=message):
        await migrate(database, [room])
    with pytest.raises(Exception):  # noqa: B017
        await database.value("SELECT COUNT(*) FROM t0", {})


async def test_a_failing_file_leaves_nothing(database: Database, room: MigrationSet) -> None:
    write(room, "0001_first.sql", table("first"))
    write(room, "0002_bad.sql", table("second") + "CREATE TABLE first (id INTEGER);")
    with pytest.raises(Exception, match="first"):
        await migrate(database, [room])
    assert await database.all("SELECT number FROM flux_migrations", {}, int) == [1]
    write(room, "0002_bad.sql", table("second"))
    assert [each.number for each in await migrate(database, [room])] == [2]


async def test_no_directory(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="is not a directory"):
        await migrate(database, [MigrationSet("room", tmp_path / "absent")])


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_processes_starting_at_once(database: Database, database_url: str, room: MigrationSet) -> None:
    write(room, "0001_first.sql", table("first") + "SELECT pg_sleep(0.2);")
    write(room, "0002_second.sql", table("second"))
    others = [await open_url(database_url, statement_timeout_seconds=0.1) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(each, [room]) for each in others))
    assert sorted(migration.number for each in applied for migration in each) == [1, 2]
    for each in others:
        await each.close()


def test_macros() -> None:
    assert expand("a {{text}} {{ blob }}", "postgres") == 'a TEXT COLLATE "C" BYTEA'
    assert expand("a {{bigint}}{{strict}}", "sqlite") == "a INTEGERSTRICT"
    with pytest.raises(MigrationError, match="unknown macro"):
        expand("{{nope}}", "sqlite")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_deferred_constraints_are_refused_on_sqlite(database: Database, room: MigrationSet) -> None:
    write(room, "0001_a.sql", "CREATE TABLE a (id INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(MigrationError, match="DEFERRED"):
        await migrate(database, [room])
