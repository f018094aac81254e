"""SQL of the word index: on SQLite FTS5, whose words are `word·slot`; elsewhere a row for each word of each document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, cast

import msgspec

from flux.content.projection.rules import MARK, unpacked
from flux.content.search.words import Posting
from flux.kernel.store import Database, Sql

Read = Callable[..., Awaitable[list[Any]]]
"""`Database.all` or `Database.scan`, as there are few rows or many."""

_VOCABULARY = Sql(
    sqlite="SELECT word FROM content_vocabulary WHERE slot = :slot",
    # The index is asked from each word for the next, not for all that is under it.
    postgres=(
        "WITH RECURSIVE known(word) AS (SELECT min(w.word) FROM content_words w WHERE w.slot = :slot UNION ALL "
        "SELECT (SELECT min(w.word) FROM content_words w WHERE w.slot = :slot AND w.word > known.word) "
        "FROM known WHERE known.word IS NOT NULL) SELECT word FROM known WHERE word IS NOT NULL"
    ),
)


async def vocabulary(db: Database, slots_: Sequence[int]) -> set[str]:
    """Every word that stands anywhere in the slots, and perhaps some that did."""
    found: set[str] = set()
    for slot in slots_:
        found.update(await db.scan(_VOCABULARY, {"slot": slot}, str))
    return found


async def counts(db: Database, slots_: Sequence[int], words: Sequence[str]) -> dict[tuple[int, str], int]:
    """In how many documents of a slot each word stands; those in none are left out."""
    if db.dialect == "sqlite":
        terms = [f"{word}{MARK}{slot}" for word in words for slot in slots_]
        sql = (
            "SELECT t.term, t.doc FROM json_each(:terms) wanted "
            "CROSS JOIN content_fts_terms t ON t.term = wanted.value"
        )
        return dict(await db.scan(sql, {"terms": terms}, _term_count))
    sql = "SELECT slot, word, count(*) FROM content_words WHERE slot IN :slots AND word IN :words GROUP BY slot, word"
    rows = await db.scan(
        sql,
        {"slots": list(slots_), "words": list(words)},
        lambda slot, word, count: ((slot, word), count),
    )
    return dict(rows)


def _term_count(term: str, count: int) -> tuple[tuple[int, str], int]:
    word, _, slot = term.rpartition(MARK)
    return (int(slot), word), count


# -- FTS5 -----------------------------------------------------------------------------------------------------


async def meeting(read: Read, slots_: Sequence[int], wanted: Sequence[Sequence[str]]) -> list[Posting]:
    """Postings in the documents that have, of each group of words, at least one."""
    groups = [[f"{word}{MARK}{slot}" for word in words for slot in slots_] for words in wanted]
    times: dict[str, int] = {}
    for group in groups:
        for term in group:
            times[term] = times.get(term, 0) + 1
    asked = " AND ".join(f"({' OR '.join(map(_quoted, group))})" for group in groups)
    found = []
    for doc, told in await _matches(read, asked):
        for term, count in _counted_terms(told):
            word, _, slot = term.rpartition(MARK)
            found.append(Posting(int(slot), doc, word, count // times[term]))
    return found


async def in_phrase(read: Read, slots_: Sequence[int], words: Sequence[str]) -> list[Posting]:
    """Postings of the words in the fields where they stand side by side, in order; at least two words."""
    places = []
    for slot in slots_:
        terms = [f"{word}{MARK}{slot}" for word in words]
        single = " AND ".join(map(_quoted, dict.fromkeys(terms)))
        places.append(f"({_quoted(' '.join(terms))} AND {single})")
    found = []
    for doc, told in await _matches(read, " OR ".join(places)):
        counted = list(_counted_terms(told))
        kept = {phrase.rpartition(MARK)[2] for phrase, _ in counted if " " in phrase}
        for term, count in counted:
            word, _, place = term.rpartition(MARK)
            if place in kept and " " not in term:
                found.append(Posting(int(place), doc, word, count))
    return found


async def _matches(read: Read, asked: str) -> list[tuple[int, str]]:
    sql = "SELECT rowid, word_counts(content_fts) FROM content_fts WHERE content_fts MATCH :asked"
    return await read(sql, {"asked": asked}, lambda doc, told: (doc, told))


def _quoted(text: str) -> str:
    """Words have no quotes in them."""
    return f'"{text}"'


def _counted_terms(told: str) -> Iterator[tuple[str, int]]:
    for line in told.split("\n"):
        term, _, count = line.partition("\t")
        yield term, int(count)


# -- rows -----------------------------------------------------------------------------------------------------


async def postings(
    read: Read, slots_: Sequence[int], words: Sequence[str], docs: Sequence[int] | None, *, positions: bool
) -> list[Posting]:
    """Only of some documents, where these are named."""
    what = "positions" if positions else "length(positions)"
    sql = f"SELECT slot, doc, word, {what} FROM content_words WHERE slot IN :slots AND word IN :words"
    params: dict[str, Any] = {"slots": list(slots_), "words": list(words)}
    if docs is not None:
        sql += " AND doc IN :docs"
        params["docs"] = list(docs)
    found: list[Posting] = await read(sql, params, _with_positions if positions else _counted)
    return found


async def having(
    read: Read, slots_: Sequence[int], words: Sequence[str], docs: Sequence[int] | None
) -> list[int]:
    """The documents, of these where they are named, that have any of the words; some more than once. They cross as one
    value: that costs a fraction of as many rows."""
    among = "" if docs is None else " AND doc IN :docs"
    sql = f"SELECT CAST(json_agg(doc) AS TEXT) FROM content_words WHERE slot IN :slots AND word IN :words{among}"
    params: dict[str, Any] = {"slots": list(slots_), "words": list(words)}
    if docs is not None:
        params["docs"] = list(docs)
    [found] = await read(sql, params, lambda listed: msgspec.json.decode(listed or "[]"))
    return cast("list[int]", found)


def _counted(slot: int, doc: int, word: str, size: int) -> Posting:
    return Posting(slot, doc, word, size // 4)


def _with_positions(slot: int, doc: int, word: str, stored: bytes) -> Posting:
    found = unpacked(bytes(stored))
    return Posting(slot, doc, word, len(found), found)
