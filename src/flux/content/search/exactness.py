"""When tags say for sure: the codes that only wanted values have, among all that stand in a slot. In memory, for a state
of the folder.

A document's tag is a code of its value (projection/tags.py), and other values may have the same code. Where a slot has
few values, they are known, and a code that only values have which are asked for needs no look at the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from flux.content.projection.tags import LANES, TAGGED, code
from flux.content.search import slot_repository
from flux.content.search.blanks import Blank
from flux.content.search.plan import SYSTEM, Leaf, Node, Plan, Scope
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
        return tuple([await self._mask(plan, node, slots, generation) for node in plan.where])

    async def _mask(self, plan: Plan, node: Node, slots: Slots, generation: int) -> int:
        locale = tagged_locale(plan.scope, node)
        if locale is None or not isinstance(node, Leaf):
            return 0
        slot = slots.get((plan.scope.component, node.path, locale))
        if slot is None or sum(other % LANES == slot % LANES for other in slots.values()) > 1:
            return 0
        family = TYPES[node.type].family
        codes = await self._codes(family, slot, generation)
        if codes is None:
            return 0
        operand = node.operand
        if isinstance(operand, Blank):
            operand = plan.operands[operand.at]
        wanted = operand if isinstance(operand, list) else [operand]
        return mask_of(codes, wanted, folds=node.folds)

    async def _codes(self, family: str, slot: int, generation: int) -> Codes | None:
        known = self._known.get(slot)
        if known is not None:
            age = generation - known.generation
            if age == 0 or (known.codes is None and 0 < age < _AGAIN):
                return known.codes
        values = await slot_repository.values(self._db, family, slot, MOST_VALUES + 1)
        if len(self._known) >= MOST_SLOTS:
            self._known.clear()
        self._known[slot] = known = _Known(
            generation, codes_of(values) if len(values) <= MOST_VALUES else None
        )
        return known.codes


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
        number = code(_folded(one))
        if all((_folded(other) if folds else other) in wanted for other in codes.get(number, ())):
            found |= 1 << number
    return found


def _folded(value: Value) -> Value:
    """As tags are made of it."""
    return folded(value) if isinstance(value, str) else value
