"""From the neutral SQL form to each driver's own, once per statement text.

Two things are rewritten, and only outside quotes and comments:

`:name`      stays on SQLite; becomes `$1`, `$2` … on PostgreSQL, in the order of first appearance.
`IN :name`   a list or tuple parameter. SQLite: `IN (SELECT value FROM json_each(:name))` (the driver binds the
             list as JSON). PostgreSQL: `= ANY($n)`. `NOT IN :name` likewise. Items are int or str; an empty
             list matches nothing.
"""

from __future__ import annotations

import re

from flux.kernel.store.port import Statement

_CACHE_SIZE = 4096
"""Texts made on the fly (filters) are distinct without bound: a full cache is emptied, the hot ones return at once."""

_TOKEN = re.compile(
    r"""
      (?P<skip>
          [eE]'(?:[^'\\]|''|\\.)*'            # escape string
        | '(?:[^']|'')*'                      # string
        | "(?:[^"]|"")*"                      # quoted name
        | --[^\n]*                            # comment to the end of the line
        | /\*.*?\*/                           # comment
        | \$(?P<tag>[A-Za-z_]?\w*)\$.*?\$(?P=tag)\$   # dollar-quoted string
        | ::                                  # a cast, never a parameter
      )
    | \b(?P<membership>(?:NOT\s+)?IN)\s+:(?P<many>[A-Za-z_]\w*)
    | (?<![:\w]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_sqlite: dict[str, str] = {}
_postgres: dict[str, tuple[str, tuple[str, ...]]] = {}


def for_sqlite(statement: Statement) -> str:
    """The text SQLite prepares."""
    text = statement if isinstance(statement, str) else statement.sqlite
    known = _sqlite.get(text)
    return known if known is not None else _compile_sqlite(text)


def for_postgres(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The text PostgreSQL prepares and the parameter names in the order of `$1`, `$2` …"""
    text = statement if isinstance(statement, str) else statement.postgres
    known = _postgres.get(text)
    return known if known is not None else _compile_postgres(text)


def _compile_sqlite(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match["many"]:
            return f"{match['membership']} (SELECT value FROM json_each(:{match['many']}))"
        return match[0]

    compiled = _TOKEN.sub(replace, text)
    if len(_sqlite) >= _CACHE_SIZE:
        _sqlite.clear()
    _sqlite[text] = compiled
    return compiled


def _compile_postgres(text: str) -> tuple[str, tuple[str, ...]]:
    numbers: dict[str, int] = {}

    def replace(match: re.Match[str]) -> str:
        name = match["many"] or match["name"]
        if name is None:
            return match[0]
        number = numbers.setdefault(name, len(numbers) + 1)
        if match["name"]:
            return f"${number}"
        return f"<> ALL(${number})" if match["membership"][0] in "nN" else f"= ANY(${number})"

    compiled = _TOKEN.sub(replace, text)
    if len(_postgres) >= _CACHE_SIZE:
        _postgres.clear()
    _postgres[text] = (compiled, tuple(numbers))
    return _postgres[text]
