"""The regular expressions a string field may use, matched in linear time.

A pattern is written by whoever may edit schemas and runs against every value anyone writes. A backtracking matcher
can be made to run for hours by either of them, so patterns run here on a set of states that all advance together:
the time is at most states times characters. What such a matcher cannot do is refused: back references, look-around,
inline flags. Like in JSON Schema, a pattern matches anywhere unless it is anchored.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LONGEST_PATTERN = 500
MOST_STATES = 2000

Test = Callable[[str], bool]
_CATEGORIES = {
    codes.CATEGORY_DIGIT: re.compile(r"\d"),
    codes.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    codes.CATEGORY_SPACE: re.compile(r"\s"),
    codes.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    codes.CATEGORY_WORD: re.compile(r"\w"),
    codes.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
_WORD = re.compile(r"\w")
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


class PatternRefused(ValueError):
    """Not a regular expression, or one this matcher does not run. The message says what is allowed."""


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Raises `PatternRefused`."""
    if len(text) > LONGEST_PATTERN:
        raise PatternRefused(f"pattern of at most {LONGEST_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(text)
            if tree.state.flags & ~re.UNICODE.value:
                raise PatternRefused("pattern without inline flags")
            return Pattern(tree)
    except (re.error, RecursionError, OverflowError):
        raise PatternRefused("regular expression") from None


class Pattern:
    """State 0 is the start, state 1 accepts. A state has steps on a character, and jumps that may want a position."""

    def __init__(self, tree: Any) -> None:
        self._steps: list[list[tuple[Test, int]]] = [[], []]
        self._jumps: list[list[tuple[Any, int]]] = [[], []]
        self._add(tree, 0, 1)

    def matches(self, text: str) -> bool:
        """True when the pattern is found anywhere in `text`."""
        states: set[int] = set()
        for at in range(len(text) + 1):
            states.add(0)
            states = self._closed(states, text, at)
            if 1 in states:
                return True
            if at < len(text):
                character = text[at]
                states = {
                    target for state in states for test, target in self._steps[state] if test(character)
                }
        return False

    def _closed(self, states: set[int], text: str, at: int) -> set[int]:
        """With everything that is reached without reading."""
        reached, waiting = set(states), list(states)
        while waiting:
            for position, target in self._jumps[waiting.pop()]:
                if target not in reached and (position is None or _holds(position, text, at)):
                    reached.add(target)
                    waiting.append(target)
        return reached

    def _state(self) -> int:
        if len(self._steps) >= MOST_STATES:
            raise PatternRefused("shorter pattern: its repeats need too many states")
        self._steps.append([])
        self._jumps.append([])
        return len(self._steps) - 1

    def _add(self, tree: Any, start: int, end: int) -> None:
        """Every node of a sequence leads from one state to the next."""
        for code, argument in tree:
            following = self._state()
            self._node(code, argument, start, following)
            start = following
        self._jumps[start].append((None, end))

    def _node(self, code: Any, argument: Any, start: int, end: int) -> None:
        if code is codes.BRANCH:
            for one in argument[1]:
                self._add(one, start, end)
        elif code is codes.SUBPATTERN:
            _, added, removed, below = argument
            if added or removed:
                raise PatternRefused("pattern without inline flags")
            self._add(below, start, end)
        elif code in _REPEATS:
            self._repeat(argument, start, end)
        elif code is codes.AT:
            self._jumps[start].append((argument, end))
        elif (test := _test(code, argument)) is not None:
            self._steps[start].append((test, end))
        else:
            raise PatternRefused("pattern without back references and look-around")

    def _repeat(self, argument: tuple[int, Any, Any], start: int, end: int) -> None:
        low, high, below = argument
        for _ in range(low):
            following = self._state()
            self._add(below, start, following)
            start = following
        if high is codes.MAXREPEAT:
            around = self._state()
            self._jumps[start].append((None, around))
            self._add(below, around, around)
            start = around
        else:
            for _ in range(high - low):
                self._jumps[start].append((None, end))
                following = self._state()
                self._add(below, start, following)
                start = following
        self._jumps[start].append((None, end))


def _test(code: Any, argument: Any) -> Test | None:
    if code is codes.LITERAL:
        return chr(argument).__eq__
    if code is codes.NOT_LITERAL:
        return chr(argument).__ne__
    if code is codes.ANY:
        return "\n".__ne__
    if code is codes.CATEGORY:
        category = _CATEGORIES[argument]
        return lambda character: category.match(character) is not None
    if code is codes.RANGE:
        low, high = argument
        return lambda character: low <= ord(character) <= high
    if code is codes.IN:
        negated = argument[0][0] is codes.NEGATE
        tests = [test for kind, value in argument[negated:] if (test := _test(kind, value)) is not None]
        return lambda character: any(test(character) for test in tests) is not negated
    return None


def _holds(position: Any, text: str, at: int) -> bool:
    if position in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
        return at == 0
    if position is codes.AT_END_STRING:
        return at == len(text)
    if position is codes.AT_END:
        return at == len(text) or (at == len(text) - 1 and text[at] == "\n")
    before = at > 0 and _WORD.match(text[at - 1]) is not None
    after = at < len(text) and _WORD.match(text[at]) is not None
    return (before != after) is (position is codes.AT_BOUNDARY)
