"""Reading and writing rows: the same behaviour on both databases."""

from __future__ import annotations

import msgspec
import pytest

from flux.kernel.store import Database, ForeignKeyViolation, Sql, Transaction, UniqueViolation, UnstorableText
from flux.kernel.store.migrations import expand


class Account(msgspec.Struct):
    id: int
    name: str | None
    avatar: bytes | None
    score: float | None


ROW = "SELECT id, name, avatar, score FROM accounts WHERE id = :id"
INSERT = "INSERT INTO accounts (id, name, avatar, score) VALUES (:id, :name, :avatar, :score)"


@pytest.fixture(autouse=True)
async def tables(database: Database) -> None:
    script = expand(
        """
        CREATE TABLE accounts (
            id {{bigint}} PRIMARY KEY, name {{text}} UNIQUE, avatar {{blob}}, score {{real}}
        ) {{strict}};
        CREATE TABLE notes (
            id {{serial}}, account_id {{bigint}} NOT NULL REFERENCES accounts (id), body {{text}} NOT NULL
        ) {{strict}};
        """,
        database.dialect,
    )

    async def work(tx: Transaction) -> None:
        await tx.run(script, {})

    await database.transact(work)


def account(number: int, **changes: object) -> dict[str, object]:
    return {"id": number, "name": f"n{number}", "avatar": b"\x00\xff", "score": 1.5, **changes}


async def insert(database: Database, *rows: dict[str, object]) -> None:
    async def work(tx: Transaction) -> None:
        await tx.run_many(INSERT, rows)

    await database.transact(work)


async def test_many_rows_go_in_by_place_as_by_name(database: Database) -> None:
    rows = [(1, "one", b"\x00", 1.5), (2, None, None, None)]

    async def work(tx: Transaction) -> None:
        await tx.run_many(INSERT, rows)

    await database.transact(work)
    for row in rows:
        assert await database.one(ROW, {"id": row[0]}, Account) == Account(*row)


async def test_values_come_back_as_they_went_in(database: Database) -> None:
    big = 2**63 - 1
    await insert(
        database,
        account(big, name="žluťoučký 🐎 'quoted' :name"),
        account(2, name=None, avatar=None, score=None),
    )
    assert await database.one(ROW, {"id": big}, Account) == Account(
        big, "žluťoučký 🐎 'quoted' :name", b"\x00\xff", 1.5
    )
    assert await database.one(ROW, {"id": 2}, Account) == Account(2, None, None, None)
    assert await database.one(ROW, {"id": 3}, Account) is None
    assert await database.value("SELECT score FROM accounts WHERE id = :id", {"id": 3}) is None


async def test_all_value_and_scan_read_the_same(database: Database) -> None:
    await insert(database, *(account(n) for n in range(1, 6)))
    sql = "SELECT id FROM accounts ORDER BY id DESC"
    assert await database.all(sql, {}, int) == [5, 4, 3, 2, 1]
    assert await database.scan(sql, {}, int) == [5, 4, 3, 2, 1]
    assert await database.value(sql, {}) == 5
    assert await database.one(sql, {}, int) == 5


async def test_a_parameter_may_appear_twice_and_extra_ones_are_ignored(database: Database) -> None:
    await insert(database, account(1), account(2))
    sql = "SELECT id FROM accounts WHERE id = :id OR id = :id + 1 ORDER BY id"
    assert await database.all(sql, {"id": 1, "other": "x"}, int) == [1, 2]
    with pytest.raises(KeyError):
        await database.all(sql, {}, int)


class KindOfInt(int):
    """As the ids of a wire are one."""


async def test_lists_in_membership(database: Database) -> None:
    await insert(database, *(account(n) for n in range(1, 6)))
    within = "SELECT id FROM accounts WHERE id IN :ids AND name NOT IN :names ORDER BY id"
    assert await database.all(within, {"ids": [1, 2, 3, 99], "names": ["n2"]}, int) == [1, 3]
    assert await database.all(within, {"ids": (1, 2), "names": []}, int) == [1, 2]
    assert await database.scan(within, {"ids": [], "names": []}, int) == []
    ids = [KindOfInt(1), KindOfInt(3)]
    assert await database.all(within, {"ids": ids, "names": [""]}, int) == [1, 3]
    counted = await database.transact(
        lambda tx: tx.run("DELETE FROM accounts WHERE id IN :ids", {"ids": [4, 5, 6]})
    )
    assert counted == 2


async def test_statements_of_two_dialects(database: Database) -> None:
    sql = Sql(sqlite="SELECT 'lite' || :x", postgres="SELECT 'post' || CAST(:x AS TEXT)")
    expected = {"sqlite": "lite!", "postgres": "post!"}[database.dialect]
    assert await database.value(sql, {"x": "!"}) == expected


async def test_sums_are_plain_numbers(database: Database) -> None:
    await insert(database, account(1), account(2**40))
    total = await database.value("SELECT SUM(id) FROM accounts", {})
    assert total == 2**40 + 1
    assert type(total) is int
    assert await database.value("SELECT COUNT(*) FROM accounts", {}) == 2


async def test_text_orders_by_code_point(database: Database) -> None:
    names = ["a", "B", "é", "z", "Z", "_"]
    await insert(database, *(account(n, name=name) for n, name in enumerate(names)))
    assert await database.all("SELECT name FROM accounts ORDER BY name", {}, str) == sorted(names)


async def test_run_counts_changed_rows(database: Database) -> None:
    await insert(database, *(account(n) for n in range(1, 6)))

    async def work(tx: Transaction) -> list[int]:
        return [
            await tx.run("UPDATE accounts SET score = 2 WHERE id > :id", {"id": 2}),
            await tx.run("DELETE FROM accounts WHERE id = :id", {"id": 77}),
            await tx.run("CREATE INDEX accounts_score ON accounts (score)", {}),
            await tx.run(INSERT + " ON CONFLICT (id) DO NOTHING", account(1)),
            await tx.run(INSERT + " ON CONFLICT (id) DO NOTHING", account(6)),
        ]

    assert await database.transact(work) == [3, 0, 0, 0, 1]


async def test_returning_and_serial_keys(database: Database) -> None:
    await insert(database, account(1))

    async def work(tx: Transaction) -> list[int]:
        sql = "INSERT INTO notes (account_id, body) VALUES (:account, :body) RETURNING id"
        return [await tx.value(sql, {"account": 1, "body": "x"}) for _ in range(3)]

    assert await database.transact(work) == [1, 2, 3]


async def test_a_taken_key_names_its_constraint(database: Database) -> None:
    await insert(database, account(1))
    with pytest.raises(UniqueViolation) as caught:
        await insert(database, account(2, name="n1"))
    assert caught.value.constraint in ("accounts.name", "accounts_name_key")
    with pytest.raises(UniqueViolation) as caught:
        await insert(database, account(1, name="other"))
    assert caught.value.constraint in ("accounts.id", "accounts_pkey")


async def test_foreign_keys_hold_in_both_directions(database: Database) -> None:
    await insert(database, account(1))

    async def orphan(tx: Transaction) -> int:
        sql = "INSERT INTO notes (account_id, body) VALUES (:account, 'x') RETURNING id"
        return int(await tx.value(sql, {"account": 5}))

    async def widow(tx: Transaction) -> None:
        await tx.run("INSERT INTO notes (account_id, body) VALUES (1, 'x')", {})
        await tx.run("DELETE FROM accounts WHERE id = 1", {})

    for work in (orphan, widow):
        with pytest.raises(ForeignKeyViolation):
            await database.transact(work)
    assert await database.value("SELECT COUNT(*) FROM notes", {}) == 0


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_nul_in_text_is_refused_clearly(database: Database) -> None:
    with pytest.raises(UnstorableText, match=r"U\+0000"):
        await insert(database, account(1, name="a\x00b"))
    with pytest.raises(UnstorableText):
        await database.all("SELECT id FROM accounts WHERE name = :name", {"name": "\x00"}, int)


async def test_a_bug_in_a_statement_stays_itself(database: Database) -> None:
    with pytest.raises(Exception) as caught:
        await database.all("SELECT nonsense FROM accounts", {}, int)
    assert type(caught.value).__module__.startswith(("apsw", "asyncpg"))
    assert caught.value.__cause__ is None
    assert await database.value("SELECT COUNT(*) FROM accounts", {}) == 0
