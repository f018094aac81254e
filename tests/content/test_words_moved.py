"""The word index of before, a row for each word of each document, moves into FTS5 as it is."""

from __future__ import annotations

from pathlib import Path

import apsw

from flux.content.projection.rules import GAP, packed

MIGRATIONS = Path(__file__).parents[2] / "src/flux/content/migrations"
MOVE = MIGRATIONS / "0009_words.sqlite.sql"


def test_words_move_with_their_places() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE content_words (slot INTEGER NOT NULL, word TEXT NOT NULL, doc INTEGER NOT NULL, "
        "positions BLOB NOT NULL, PRIMARY KEY (slot, word, doc)) STRICT, WITHOUT ROWID"
    )
    before = [
        (7, "red", 1, [0, 258, GAP + 259]),
        (7, "cat", 1, [1, 65537, GAP + 65538]),
        (8, "red", 1, [3]),
        (7, "cat", 2, [0]),
    ]
    connection.executemany(
        "INSERT INTO content_words VALUES (?, ?, ?, ?)",
        [(slot, word, doc, packed(positions)) for slot, word, doc, positions in before],
    )
    connection.execute(MOVE.read_text().replace("{{bigint}}", "INTEGER").replace("{{text}}", "TEXT"))

    def docs(asked: str) -> list[int]:
        return [
            row[0]
            for row in connection.execute("SELECT rowid FROM content_fts WHERE content_fts MATCH ?", (asked,))
        ]

    assert docs('"cat·7"') == [1, 2] and docs('"red·8"') == [1]
    assert docs('"red·7 cat·7"') == [1] and docs('"cat·7 red·7"') == [], (
        "what stands apart is not side by side"
    )
    known = connection.execute("SELECT slot, word FROM content_vocabulary ORDER BY 1, 2").fetchall()
    assert known == [(7, "cat"), (7, "red"), (8, "red")]
