"""Statements for plans: written once for a shape, then only filled."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from flux.content.search import slot_repository
from flux.content.search.blanks import Blank, Prepared, filled
from flux.content.search.exactness import Exactness
from flux.content.search.plan import Plan
from flux.content.search.slot_repository import Slots
from flux.content.search.sql_repository import Statement
from flux.kernel.store import Database

MOST_FOLDERS = 1000


class Statements:
    """With what is known of the folders' slots. A slot that is there stays for good; one that is not may come with
    the folder's next state."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._exactness = Exactness(db)
        self._slots: dict[str, tuple[int, Slots]] = {}

    async def of(
        self,
        plan: Plan,
        name: Hashable,
        write: Callable[[Statement], str],
        limit: int = 0,
        generation: int | None = None,
        sure: tuple[int, ...] = (),
    ) -> tuple[str, dict[str, Any]]:
        """The text that `write` writes and what is bound to it. The text depends on the plan's shape and on `name`
        only. `generation` stands for the state of the folder; without it slots are looked up by the statement. `sure`: see `masks`."""
        texts, kept = plan.texts, plan.kept
        address = generation is None, name
        bound = kept.get((address, limit)) if kept is not None else None
        if bound is not None and bound[0].generation in (None, generation) and bound[2] == sure:
            return bound[0].sql, bound[1]
        known = texts.get(address) if texts is not None else None
        if known is None or known.generation not in (None, generation):
            known = await self._written(plan, write, generation)
            if texts is not None:
                texts.put(address, known)
        anchor = None if plan.anchor is None else (plan.anchor.values, plan.anchor.key)
        params = filled(known, plan.operands, plan.parent, limit, plan.offset, anchor, sure)
        if kept is not None:
            kept[address, limit] = known, params, sure
        return known.sql, params

    async def masks(self, plan: Plan, generation: int | None) -> tuple[int, ...]:
        """For each condition of the plan the codes of tags that say for sure that it is met (exactness.py)."""
        if generation is None:
            return (0,) * len(plan.where)
        kept = plan.kept
        if kept is not None and (known := kept.get("sure")) is not None and known[0] == generation:
            return known[1]  # type: ignore[no-any-return]
        slots = await self._slots_of(plan.scope.folder, generation)
        found = await self._exactness.masks(plan, slots, generation)
        if kept is not None:
            kept["sure"] = generation, found
        return found

    async def _written(
        self, plan: Plan, write: Callable[[Statement], str], generation: int | None
    ) -> Prepared:
        folder = plan.scope.folder
        slots = None if generation is None else await self._slots_of(folder, generation)
        statement = Statement(self.db.dialect, folder, slots)
        sql = write(statement)
        return Prepared(
            sql,
            {name: value for name, value in statement.params.items() if not isinstance(value, Blank)},
            [(name, value) for name, value in statement.params.items() if isinstance(value, Blank)],
            generation if statement.lacks else None,
        )

    async def _slots_of(self, folder: str, generation: int) -> Slots:
        known = self._slots.get(folder)
        if known is not None and known[0] == generation:
            return known[1]
        slots = await slot_repository.of_folder(self.db, folder)
        if len(self._slots) >= MOST_FOLDERS:
            self._slots.clear()
        self._slots[folder] = generation, slots
        return slots
