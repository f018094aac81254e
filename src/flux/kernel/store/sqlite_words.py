"""What full-text queries ask SQLite's FTS5 beyond what it has: how often each of their words stands in a document."""

from __future__ import annotations

import apsw

WORD_COUNTS = "word_counts"


def load_words(connection: apsw.Connection) -> None:
    """`word_counts(table)`, beside a MATCH: a line for each phrase of the query that the row has, `words<TAB>count`. A
    phrase that stands in the query several times is counted as often."""
    connection.register_fts5_function(WORD_COUNTS, _word_counts)


def _word_counts(api: apsw.FTS5ExtensionApi, *_: object) -> str:
    found: dict[tuple[str, ...], int] = {}
    for number in range(api.inst_count):
        tokens = api.inst_tokens(number) or ()
        found[tokens] = found.get(tokens, 0) + 1
    return "\n".join([f"{' '.join(tokens)}\t{count}" for tokens, count in found.items()])
