"""How many documents a search finds in all, and how they fall into the values of a field: on request, beside the page."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.content.search import tally_repository as repository
from flux.content.search.modes import Ranked
from flux.content.search.plan import SYSTEM, Plan, Scope
from flux.content.search.problems import Problems
from flux.content.search.ranking import Ranking
from flux.content.settled import Settled
from flux.kernel.house import House

MEMBERS = ("total", "facets")
_COUNTABLE = frozenset({"string", "integer", "number", "boolean", "reference", "relation"})


class Tally(Struct, frozen=True):
    """What is asked for; `facets` are paths."""

    total: bool = False
    facets: tuple[str, ...] = ()


def read_tally(body: dict[str, Any], scope: Scope, most: int, problems: Problems) -> Tally | None:
    """Of a search body. None where nothing is to be counted."""
    total = body.get("total", False)
    if not isinstance(total, bool):
        problems.type("total", "boolean")
        total = False
    facets = _facets(body["facets"], scope, most, problems) if body.get("facets") is not None else ()
    return Tally(total, facets) if total or facets else None


def _facets(value: Any, scope: Scope, most: int, problems: Problems) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        problems.type("facets", "list")
        return ()
    if len(value) > most:
        problems.value("facets", f"At most {most} entries are allowed")
        return ()
    found = []
    for index, path in enumerate(value):
        field = None if path in SYSTEM else scope.field(path)
        if field is None:
            problems.unknown_field(scope)
        elif field.type not in _COUNTABLE:
            problems.value(f"facets.{index}", f"Values of type '{field.type}' are not counted")
        else:
            found.append(path)
    return tuple(dict.fromkeys(found))


class Tallies:
    def __init__(self, house: House, settled: Settled, ranking: Ranking) -> None:
        self._db = house.db
        self._settings = settled.content
        self._ranking = ranking

    async def of(self, plan: Plan, ranked: Ranked | None, tally: Tally, generation: int) -> dict[str, Any]:
        """`{"total": n, "facets": {path: [{"value", "count"}, …]}}`, as far as asked for; the greatest counts first,
        equal ones in the order of their values. Documents with several values count once under each."""
        among = None
        if ranked is not None:
            among = await self._ranking.documents(plan, ranked, generation)
        told: dict[str, Any] = {}
        if tally.total:
            told["total"] = len(among) if among is not None else await repository.count(self._db, plan)
        if tally.facets:
            told["facets"] = {path: await self._facet(plan, path, among) for path in tally.facets}
        return told

    async def _facet(self, plan: Plan, path: str, among: list[int] | None) -> list[dict[str, Any]]:
        field = plan.scope.field(path)
        assert field is not None
        most = self._settings.max_facet_values
        rows = await repository.facet(self._db, plan, path, field.type, among, most)
        return [{"value": _shown(field.type, one.value), "count": one.count} for one in rows]


def _shown(kind: str, value: Any) -> Any:
    """As the document has it; the index holds all numbers alike."""
    if kind == "boolean":
        return bool(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
