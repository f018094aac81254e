"""Blanks: what a plan of a known shape leaves open, the statements written once for the shape, and filling them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from flux.content.projection.rules import HEAD
from flux.content.projection.tags import mask
from flux.content.texts import folded

MOST_TEXTS = 32
"""Statements of one shape: they differ by direction, and by where an anchor has no value."""


class Blank(Struct, frozen=True):
    """Stands in a plan, and in what is bound to its statements, for a value that each request brings with it: the operand
    `at` that place or a `part` of it, the parent, a value of the anchor or its key, the limit or the offset; or for the codes
    that say for `sure` that the condition `at` that place is met."""

    of: Literal["operand", "parent", "anchor", "key", "limit", "offset", "sure"]
    at: int = 0
    part: str = ""


def _finite(values: list[Any]) -> list[Any]:
    """What a list that is bound may hold; no stored number is infinite."""
    return [one for one in values if not isinstance(one, float) or math.isfinite(one)]


_PARTS: dict[str, Callable[[Any], Any]] = {
    "finite": _finite,
    "low": lambda pair: pair[0],
    "high": lambda pair: pair[1],
    "head": lambda text: text[:HEAD],
    "mask": mask,
    "folding": lambda wanted: mask(
        [folded(one) for one in wanted] if isinstance(wanted, list) else folded(wanted)
    ),
}


def part(value: Any, name: str) -> Any:
    """A part of an operand, or of the operand that a blank stands for."""
    if isinstance(value, Blank):
        return Blank(value.of, value.at, name)
    return _PARTS[name](value)


class Prepared(Struct, frozen=True):
    """A statement with what every request binds alike and, by name, the blanks. `generation`: the state of the folder it
    holds for, when a field had no slot yet; None: for good."""

    sql: str
    fixed: Mapping[str, Any]
    blanks: Sequence[tuple[str, Blank]]
    generation: int | None

    @property
    def bytes(self) -> int:
        return len(self.sql) + 100 * (len(self.fixed) + len(self.blanks))


class Texts:
    """The statements of one shape. `grown` hears by how many bytes they grow."""

    def __init__(self, grown: Callable[[int], None]) -> None:
        self._grown = grown
        self._known: dict[Hashable, Prepared] = {}
        self.print: bytes | None = None
        """Of everything in the shape that decides order and choice."""
        self.facts: dict[str, Any] = {}
        """What was found out about the shape's plans (`plan.known_of`)."""

    def get(self, name: Hashable) -> Prepared | None:
        return self._known.get(name)

    def put(self, name: Hashable, statement: Prepared) -> None:
        if len(self._known) >= MOST_TEXTS:
            self._grown(-sum(one.bytes for one in self._known.values()))
            self._known.clear()
        before = self._known.get(name)
        self._known[name] = statement
        self._grown(statement.bytes - (before.bytes if before is not None else 0))

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self._known.values())


def filled(
    statement: Prepared,
    operands: Sequence[Any],
    parent: str | None,
    limit: int,
    offset: int,
    anchor: tuple[Sequence[Any], str] | None,
    sure: Sequence[int] = (),
) -> dict[str, Any]:
    """What is bound for one request. `anchor` is its values and its key, `sure` the codes by condition."""
    bound = dict(statement.fixed)
    for name, blank in statement.blanks:
        of = blank.of
        value: Any
        if of == "operand":
            value = operands[blank.at]
            if blank.part:
                value = _PARTS[blank.part](value)
        elif of == "sure":
            value = sure[blank.at]
        elif of == "limit":
            value = limit
        elif of == "parent":
            value = parent
        elif of == "offset":
            value = offset
        else:
            assert anchor is not None
            value = anchor[1] if of == "key" else anchor[0][blank.at]
        bound[name] = value
    return bound
