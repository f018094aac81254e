"""Page tokens: of one query, in one direction, and nothing that was forged reaches the database."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from flux.content.search import cursors
from flux.content.search.blanks import Texts
from flux.content.search.plan import DEFAULT_SORT, Join, Leaf, Plan, Scope, Sort

SCOPE = Scope("f", "", None, ("en",))
WHERE = (Leaf("word", "string", "eq", "a"),)
JOIN = Join("n", SCOPE, "_sys.key", "about", True, WHERE, ())
PLAN = Plan(SCOPE, WHERE, DEFAULT_SORT, 10, 0, None, joins=(JOIN,))
PRINT = cursors.fingerprint(PLAN)
BY_NUMBER = (Sort("size", "number", False),)


@pytest.mark.parametrize(
    "change",
    [
        {"scope": replace(SCOPE, folder="g")},
        {"scope": replace(SCOPE, component="c")},
        {"scope": replace(SCOPE, parent="p")},
        {"scope": replace(SCOPE, locales=("en", "de"))},
        {"where": ()},
        {"where": (replace(WHERE[0], operand="b"),)},
        {"sort": (replace(DEFAULT_SORT[0], descending=False),)},
        {"sort": BY_NUMBER},
        {"joins": ()},
        {"joins": (replace(JOIN, where=()),)},
        {"joins": (replace(JOIN, joins=(JOIN,)),)},
    ],
)
def test_another_query_has_another_print(change: dict[str, Any]) -> None:
    assert cursors.fingerprint(replace(PLAN, **change)) != PRINT


def test_what_filled_its_blanks_tells_queries_of_one_shape_apart() -> None:
    shape = Texts(lambda grown: None)
    prints = [
        cursors.fingerprint(replace(PLAN, operands=operands, parent=parent, texts=shape))
        for operands in ((), ("a",), ("b",))
        for parent in (None, "p", "q")
    ]
    assert len(set(prints)) == len(prints)
    # The page itself is no part of the query.
    assert cursors.fingerprint(replace(PLAN, limit=3, offset=8)) == PRINT


def test_a_token_is_read_as_it_was_written() -> None:
    token = cursors.encode(PRINT, (1.5,), "key", backwards=True)
    anchor = cursors.decode(token, PRINT, BY_NUMBER, backwards=True)
    assert anchor is not None
    assert (anchor.backwards, anchor.values, anchor.key) == (True, (1.5,), "key")
    assert cursors.decode(token, PRINT, BY_NUMBER, backwards=False) is None
    assert cursors.decode(token, b"another", BY_NUMBER, backwards=True) is None
    assert cursors.decode(token, PRINT, (*BY_NUMBER, *BY_NUMBER), backwards=True) is None


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("number", None, True),
        ("number", -2.5, True),
        ("number", 3, False),
        ("number", "3", False),
        ("number", math.inf, False),
        ("number", math.nan, False),
        ("string", "text", True),
        ("string", "a\x00b", False),
        ("string", 1.0, False),
        ("string", b"raw", False),
    ],
)
def test_values_fit_what_is_sorted_by(kind: str, value: Any, fits: bool) -> None:
    sort = (Sort("some", kind, False),)
    token = cursors.encode(PRINT, (value,), "key", backwards=False)
    assert (cursors.decode(token, PRINT, sort, backwards=False) is not None) is fits


@pytest.mark.parametrize(
    ("value", "fits"), [(5, True), (-5, True), (True, False), (5.0, False), (1 << 62, False)]
)
def test_a_time_of_our_own_is_a_whole_number(value: Any, fits: bool) -> None:
    token = cursors.encode(PRINT, (value,), "key", backwards=False)
    assert (cursors.decode(token, PRINT, DEFAULT_SORT, backwards=False) is not None) is fits


def test_a_key_holds_no_nul() -> None:
    token = cursors.encode(PRINT, (5,), "k\x00", backwards=False)
    assert cursors.decode(token, PRINT, DEFAULT_SORT, backwards=False) is None


@pytest.mark.parametrize(
    ("position", "fits"), [(0, True), (7, True), (-1, False), (1 << 40, False), (None, False)]
)
def test_positions_in_a_ranking(position: Any, fits: bool) -> None:
    token = cursors.encode_position(PRINT, position, backwards=False)
    assert cursors.decode_position(token, PRINT, backwards=False) == (position if fits else None)
    assert cursors.decode_position(token, PRINT, backwards=True) is None
