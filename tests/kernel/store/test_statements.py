"""The neutral SQL form in each driver's own."""

from __future__ import annotations

import pytest

from flux.kernel.store import Sql
from flux.kernel.store.statements import for_postgres, for_sqlite


@pytest.mark.parametrize(
    ("text", "expected", "names"),
    [
        ("SELECT 1", "SELECT 1", ()),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ("a", "b")),
        ("WHERE x=:a AND y=:a2", "WHERE x=$1 AND y=$2", ("a", "a2")),
        ("SELECT ':a' || :a || 'it''s :b'", "SELECT ':a' || $1 || 'it''s :b'", ("a",)),
        ('SELECT ":a" FROM "q"":b" WHERE c=:c', 'SELECT ":a" FROM "q"":b" WHERE c=$1', ("c",)),
        ("SELECT :a -- :b 'quote\n, :c", "SELECT $1 -- :b 'quote\n, $2", ("a", "c")),
        ("SELECT /* :b ' */ :a", "SELECT /* :b ' */ $1", ("a",)),
        ("SELECT x::text, :a::bigint", "SELECT x::text, $1::bigint", ("a",)),
        ("SELECT E'a\\':b' || :c", "SELECT E'a\\':b' || $1", ("c",)),
        ("DO $$ x := :a $$; SELECT :b", "DO $$ x := :a $$; SELECT $1", ("b",)),
        ("DO $t$ :a $$ $t$; SELECT :b", "DO $t$ :a $$ $t$; SELECT $1", ("b",)),
        ("SELECT a[1:2], '12:30', :t", "SELECT a[1:2], '12:30', $1", ("t",)),
        ("x IN :xs AND y NOT IN :ys AND z=:xs", "x = ANY($1) AND y <> ALL($2) AND z=$1", ("xs", "ys")),
        ("x in (:a, :b) AND y not  in\n:ys", "x in ($1, $2) AND y <> ALL($3)", ("a", "b", "ys")),
        ("min IN :xs", "min = ANY($1)", ("xs",)),
        ("'x IN :xs'", "'x IN :xs'", ()),
    ],
)
def test_postgres(text: str, expected: str, names: tuple[str, ...]) -> None:
    assert for_postgres(text) == (expected, names)
    assert for_postgres(text) is for_postgres(text)


def test_sqlite_changes_lists_only() -> None:
    assert for_sqlite("SELECT :a, ':b'") == "SELECT :a, ':b'"
    assert for_sqlite("x NOT IN :xs") == "x NOT IN (SELECT value FROM json_each(:xs))"
    assert for_sqlite("'x IN :xs'") == "'x IN :xs'"


def test_dialects() -> None:
    both = Sql(sqlite="a :x", postgres="b :x")
    assert for_sqlite(both) == "a :x"
    assert for_postgres(both) == ("b $1", ("x",))


def test_the_cache_is_bounded() -> None:
    for number in range(10_000):
        for_postgres(f"SELECT {number}")
        for_sqlite(f"SELECT {number}")
    from flux.kernel.store import statements

    assert len(statements._postgres) <= 4096
    assert len(statements._sqlite) <= 4096
