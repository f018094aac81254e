"""When tags say for sure: the codes that only wanted values have, among all that stand in a slot. In memory, for a state
of the folder.

A document's tag is a code of its value (projection/tags.py), and other values may have the same code. Where a slot has
few values, they are known, and a code that only values have which are asked for needs no look at the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from flux.content.projection.tags import TAGGED, bit, code
from flux.content.search import slot_repository
from flux.content.search.blanks import Blank
from flux.content.search.plan import SYSTEM, Leaf, Node, Plan, Scope, known_of
from flux.content.search.slot_repository import Slots
from flux.content.shape.types import TYPES
from flux.content.texts import folded
from flux.kernel.store import Database

MOST_VALUES = 64
"""A slot with more of them has several to nearly every code."""
MOST_SLOTS = 10_000
_AGAIN = 1000
"""States of a folder after which a slot of many values is asked again whether it has few."""

Value = float | str
Codes = Mapping[int, Sequence[Value]]


class _Known(Struct, frozen=True):
    """`codes` are None where there are many values."""

    generation: int
    codes: Codes | None


class _Told(Struct, frozen=True):
    """The condition `at` a place of a plan, of which tags tell something: `address` is of its slot."""

    at: int
    leaf: Leaf
    address: tuple[str, str, str]
    family: str


def tagged_locale(scope: Scope, node: Node) -> str | None:
    """The one locale in which a condition is about a value that has a tag; None where tags say nothing about it."""
    if not isinstance(node, Leaf) or node.negated or node.base not in ("eq", "in") or node.path in SYSTEM:
        return None
    locales = scope.locales if scope.is_localizable(node.path) else ("",)
    return locales[0] if len(locales) == 1 and TYPES[node.type].family in TAGGED else None


class Exactness:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, _Known] = {}

    async def masks(self, plan: Plan, slots: Slots, generation: int) -> tuple[int, ...]:
        """For each condition of the plan the codes that say it is met, as bits; 0 where none does."""
        masks = [0] * len(plan.where)
        for told in known_of(plan, "told", _told):
            slot = slots.numbers.get(told.address)
            if slot is None or slot not in slots.alone:
                continue
            known = self._known.get(slot)
            if known is None or known.generation != generation:
                known = await self._counted(known, told.family, slot, generation)
            if known.codes is not None:
                operand = told.leaf.operand
                if isinstance(operand, Blank):
                    operand = plan.operands[operand.at]
                wanted = operand if isinstance(operand, list) else [operand]
                masks[told.at] = mask_of(known.codes, wanted, folds=told.leaf.folds)
        return tuple(masks)

    async def _counted(self, known: _Known | None, family: str, slot: int, generation: int) -> _Known:
        if known is not None and known.codes is None and 0 < generation - known.generation < _AGAIN:
            return known
        values = await slot_repository.values(self._db, family, slot, MOST_VALUES + 1)
        if len(self._known) >= MOST_SLOTS:
            self._known.clear()
        found = _Known(generation, codes_of(values) if len(values) <= MOST_VALUES else None)
        self._known[slot] = found
        return found


def _told(plan: Plan) -> tuple[_Told, ...]:
    scope = plan.scope
    return tuple(
        _Told(at, node, (scope.component, node.path, locale), TYPES[node.type].family)
        for at, node in enumerate(plan.where)
        if (locale := tagged_locale(scope, node)) is not None and isinstance(node, Leaf)
    )


def codes_of(values: Sequence[Value]) -> Codes:
    """Which of the values have a code."""
    codes: dict[int, list[Value]] = {}
    for value in values:
        codes.setdefault(code(_folded(value)), []).append(value)
    return codes


def mask_of(codes: Codes, wanted: Sequence[Value], *, folds: bool) -> int:
    """The codes, as bits, that no value has but those that are wanted."""
    found = 0
    for one in wanted:
        number = _code(one)
        others = codes.get(number, ())
        alone = not folds and len(others) == 1 and others[0] == one
        if alone or all((_folded(other) if folds else other) in wanted for other in others):
            found |= bit(number)
    return found


@lru_cache(maxsize=4096)
def _code(value: Value) -> int:
    return code(_folded(value))


def _folded(value: Value) -> Value:
    """As tags are made of it."""
    return folded(value) if isinstance(value, str) else value
