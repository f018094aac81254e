"""SQL that writes the word index: on SQLite FTS5, a row a document; elsewhere a row for each word of each document."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flux.content.projection.rules import Words
from flux.kernel.store import Transaction

_MOST_KNOWN = 500_000
_NONE: frozenset[str] = frozenset()


class Indexed(Struct, frozen=True):
    """The words of one document, by slot."""

    doc: int
    words: dict[int, Words]


class Vocabulary:
    """Which words are known to have been written down for a slot, so that few are written twice."""

    def __init__(self) -> None:
        self._known: dict[int, set[str]] = {}
        self._count = 0

    def new(self, found: Sequence[Indexed]) -> dict[int, set[str]]:
        fresh: dict[int, set[str]] = {}
        for one in found:
            for slot, words in one.words.items():
                known = self._known.get(slot, _NONE)
                for value in words.values:
                    # Mostly so, and told without a set of them all.
                    if not known.issuperset(value):
                        fresh.setdefault(slot, set()).update(value)
        return {slot: words_ - self._known.get(slot, _NONE) for slot, words_ in fresh.items()}

    def learn(self, fresh: dict[int, set[str]]) -> None:
        self._count += sum(map(len, fresh.values()))
        if self._count > _MOST_KNOWN:
            self._known, self._count = {}, 0
        for slot, words in fresh.items():
            self._known.setdefault(slot, set()).update(words)


async def put_words(tx: Transaction, dialect: str, known: Vocabulary, found: Sequence[Indexed]) -> None:
    """Of documents that have no words yet."""
    found = [one for one in found if one.words]
    if not found:
        return
    lengths = [(slot, one.doc, words.count) for one in found for slot, words in one.words.items()]
    sql = "INSERT INTO content_lengths (slot, doc, words) VALUES (:slot, :doc, :words)"
    await tx.run_many(sql, lengths)
    if dialect == "sqlite":
        await _put_terms(tx, known, found)
    else:
        await _put_rows(tx, found)


async def _put_terms(tx: Transaction, known: Vocabulary, found: Sequence[Indexed]) -> None:
    fresh = known.new(found)
    if fresh:
        sql = "INSERT INTO content_vocabulary (slot, word) VALUES (:slot, :word) ON CONFLICT DO NOTHING"
        await tx.run_many(sql, [(slot, word) for slot in sorted(fresh) for word in sorted(fresh[slot])])
        tx.after_commit(lambda: known.learn(fresh))
    rows = [(one.doc, "".join([words.terms(slot) for slot, words in one.words.items()])) for one in found]
    await tx.run_many("INSERT INTO content_fts (rowid, words) VALUES (:doc, :words)", rows)


async def _put_rows(tx: Transaction, found: Sequence[Indexed]) -> None:
    rows = [
        (slot, word, one.doc, positions)
        for one in found
        for slot, words in one.words.items()
        for word, positions in words.positions().items()
    ]
    sql = "INSERT INTO content_words (slot, word, doc, positions) VALUES (:slot, :word, :doc, :positions)"
    await tx.run_many(sql, rows)


async def drop_words(tx: Transaction, dialect: str, docs: Sequence[int]) -> None:
    params = {"docs": list(docs)}
    await tx.run("DELETE FROM content_lengths WHERE doc IN :docs", params)
    index, column = ("content_fts", "rowid") if dialect == "sqlite" else ("content_words", "doc")
    await tx.run(f"DELETE FROM {index} WHERE {column} IN :docs", params)


async def drop_folders(tx: Transaction, dialect: str, folders: Sequence[str]) -> None:
    """Before their documents and slots go."""
    params = {"folders": list(folders)}
    docs = "(SELECT id FROM content_documents WHERE folder IN :folders)"
    await tx.run(f"DELETE FROM content_lengths WHERE doc IN {docs}", params)
    if dialect == "sqlite":
        await tx.run(f"DELETE FROM content_fts WHERE rowid IN {docs}", params)
        slots = "(SELECT id FROM content_slots WHERE folder IN :folders)"
        await tx.run(f"DELETE FROM content_vocabulary WHERE slot IN {slots}", params)
    else:
        await tx.run(f"DELETE FROM content_words WHERE doc IN {docs}", params)
