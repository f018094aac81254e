"""Patterns mean what `re` means, and never take long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux.content.shape.patterns import PatternRefused, compile_pattern

ATOMS = ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "(a|b)", "(ab|a)", "1", r"\b"]
REPEATS = ["", "?", "*", "+", "{2}", "{1,3}", "*?", "{0,2}"]
PIECES = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), min_size=1, max_size=5)


@settings(max_examples=400, deadline=None)
@given(PIECES, st.text("ab1 \n", max_size=8), st.booleans(), st.booleans())
def test_it_agrees_with_re(pieces: list[tuple[str, str]], text: str, start: bool, end: bool) -> None:
    body = "".join(atom + ("" if atom == r"\b" else repeat) for atom, repeat in pieces)
    pattern = ("^" if start else "") + body + ("$" if end else "")
    assert compile_pattern(pattern).matches(text) is (re.search(pattern, text) is not None), (pattern, text)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)*$", "(a{1,30}){1,30}$", "a*a*a*a*a*a*b", "(a?){40}a{40}$"]
)
def test_what_explodes_elsewhere_is_quick_here(pattern: str) -> None:
    began = time.process_time()
    compile_pattern(pattern).matches("a" * 254 + "!")
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "pattern", ["(", "(?=x)y", r"(a)\1", "(?i)a", "(?i:a)", "a{1000}{10}", "x" * 501, "(?<!a)b", "[", "*"]
)
def test_what_it_cannot_run_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        compile_pattern(pattern)
