"""A list or search request, understood: what to look for and how to show it.

The order of the checks is the order of the codes: what cannot be understood at all, locales, components, joins,
unknown fields, and then everything that is wrong with values at once.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from flux.content.delivery import parameters
from flux.content.delivery.joining import Joins, read_joins
from flux.content.delivery.parameters import Latest, Paging, known_paths, latest, listed
from flux.content.delivery.served import ApiServed, Published, Served, Snapshot
from flux.content.faults import COMPONENT_NOT_FOUND, INVALID_REQUEST
from flux.content.search.blanks import Blank
from flux.content.search.modes import SECTIONS, Ranked, check_modes, read_ranked
from flux.content.search.plan import DEFAULT_SORT, Node, Plan, Scope, Sort
from flux.content.search.problems import Problems
from flux.content.search.tallies import MEMBERS, Tally, read_tally
from flux.content.search.where import GET_PREFIX, Heard, Where
from flux.content.settled import Settled
from flux.content.shape.localising import View

Query = list[tuple[str, Any]]
"""Names and texts; of conditions also `Sent` ones."""
_MEMBERS = frozenset(
    {
        "search_mode",
        "where",
        "find_text",
        "find_phrase",
        "vector_search",
        "vector_field_search",
        "vector_boost_config",
        "hybrid_config",
        "join",
        "fields",
        "sort",
        "limit",
        "offset",
        "next",
        "previous",
        "populate",
        "ignore_unknown_fields",
        *MEMBERS,
    }
)
_FIND = {"find_text": ("query", "fields", "threshold"), "find_phrase": ("query", "fields")}


class Reading(Struct, frozen=True):
    """`ranked` is set when relevance or similarity takes part; `sorted` when an order was asked for.
    `populate` are paths to references."""

    plan: Plan
    view: View
    paging: Paging
    populate: tuple[str, ...]
    joins: Joins
    ranked: Ranked | None
    sorted: bool
    tally: Tally | None = None

    def kept(self) -> Reading:
        """The same, to be used again: what its plan is turned into is then kept with it."""
        return msgspec.structs.replace(self, plan=msgspec.structs.replace(self.plan, kept={}))


def read_request(
    settled: Settled,
    snapshot: Snapshot,
    api: ApiServed,
    served: Served,
    parent: str | Blank | None,
    pairs: Query,
    body: dict[str, Any],
    heard: Heard | None = None,
) -> Reading:
    """Raises the one fault that comes first. Where values came as `Sent`, the plan has blanks for them, and `heard` is told."""
    settings = settled.content
    query = latest(pairs)
    ignore = parameters.boolean(query, "ignore_unknown_fields") or body.get("ignore_unknown_fields") is True
    problems = Problems(ignore_unknown=ignore)
    body = {**_find_parameters(query), **body}
    paging = parameters.paging(query, body, settings.page_size)
    check_modes(body)
    view = parameters.view(query, snapshot.locales, problems)
    locales = parameters.search_locales(query, snapshot.locales, fallback=view.fallback)
    component, schema = _schema(snapshot, served, query.get("component"))
    lacks = served.folder.is_composite and not component
    scope = Scope(served.key, component, schema.shape if schema else None, locales, parent, lacks)
    joins = read_joins(body.get("join"), snapshot, api, scope, settings, problems)
    sections = _Sections(settled, {"$": scope, **joins.scopes}, problems, pairs, query, heard or Heard())
    sections.read(body)
    tally = read_tally(body, scope, settings.max_facets, problems)
    problems.settle()
    view = msgspec.structs.replace(view, fields=sections.fields)
    joins = joins.narrowed(sections.where)
    plan = Plan(
        scope=scope,
        where=sections.where.get("$", ()),
        sort=joins.led(sections.sort) or DEFAULT_SORT,
        limit=paging.limit,
        offset=paging.offset,
        anchor=None,
        joins=joins.tree("$"),
    )
    return Reading(plan, view, paging, sections.populate, joins, sections.ranked, bool(sections.sort), tally)


def _schema(snapshot: Snapshot, served: Served, named: str | None) -> tuple[str, Published | None]:
    """The component's schema in a composite folder, the folder's own elsewhere."""
    if not served.folder.is_composite:
        return "", served.schema
    if named is None:
        return "", None
    if named not in snapshot.components:
        raise COMPONENT_NOT_FOUND()
    return named, snapshot.components[named]


def _find_parameters(query: Latest) -> dict[str, Any]:
    """`find_text__query=` and its kin, as the body has them."""
    found: dict[str, Any] = {}
    for section, names in _FIND.items():
        for name in names:
            text = query.get(f"{section}__{name}")
            if text is not None:
                value: Any = text
                if name == "fields":
                    value = listed(text)
                elif name == "threshold":
                    value = _number(text)
                found.setdefault(section, {})[name] = value
    return found


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


class _Sections:
    """The parts of a request that need the schema, read in the order they were sent."""

    def __init__(
        self,
        settled: Settled,
        scopes: dict[str, Scope],
        problems: Problems,
        pairs: Query,
        query: Latest,
        heard: Heard,
    ) -> None:
        settings = settled.content
        self._scopes = scopes
        self._problems = problems
        self._pairs = pairs
        self._query = query
        self._most_sort = settings.max_sort_entries
        self._where = Where(
            scopes, problems, heard, deepest=settings.max_filter_depth, most=settings.max_filter_conditions
        )
        self.where: dict[str, tuple[Node, ...]] = {}
        self.sort: tuple[Sort, ...] = ()
        self.populate: tuple[str, ...] = ()
        self.fields: tuple[str, ...] | None = None
        self.ranked: Ranked | None = None

    def read(self, body: dict[str, Any]) -> None:
        for name, text in self._pairs:
            if name.startswith(GET_PREFIX):
                self._and("$", self._where.parameter(name, text))
        for name in ("sort", "populate", "fields"):
            sent = self._query.get(name)
            if sent is not None and body.get(name) is None:
                getattr(self, f"_read_{name}")(sent, name)
        ranked = False
        for name, value in body.items():
            if name == "where":
                for source, nodes in self._where.body(value).items():
                    self._and(source, nodes)
            elif name in ("sort", "populate", "fields") and value is not None:
                getattr(self, f"_read_{name}")(value, name)
            elif name == "ignore_unknown_fields" and not isinstance(value, bool):
                self._problems.type(name, "boolean")
            elif name in SECTIONS and not ranked:
                ranked = True
                self.ranked = read_ranked(body, self._scopes["$"], self._problems)
            elif name not in _MEMBERS:
                self._problems.surplus(name)

    def _and(self, source: str, nodes: tuple[Node, ...]) -> None:
        self.where[source] = (*self.where.get(source, ()), *nodes)

    def _read_sort(self, value: Any, path: str) -> None:
        entries = listed(value)
        if entries is None:
            self._problems.type(path, "list")
            return
        if len(entries) > self._most_sort:
            self._problems.value(path, f"At most {self._most_sort} entries are allowed")
            return
        found = [self._sort_entry(entry, path) for entry in entries]
        self.sort = tuple(one for one in found if one is not None)

    def _sort_entry(self, entry: str, path: str) -> Sort | None:
        descending = entry.startswith("-")
        name = entry.removeprefix("-").strip()
        scope = self._scopes["$"]
        alias, _, rest = name.partition(".")
        if alias in self._scopes and alias != "$" and scope.field(name) is None:
            scope, name = self._scopes[alias], rest
        else:
            alias = ""
        if name in ("created_at", "updated_at") and scope.field(name) is None:
            name = f"_sys.{name}"
        field = scope.field(name)
        if field is None:
            self._problems.unknown_field(scope)
            return None
        if scope.is_many(name):
            self._problems.value(path, f"'{name}' holds several values")
            return None
        return Sort(name, field.type, descending, alias)

    def _read_populate(self, value: Any, path: str) -> None:
        self.populate = known_paths(value, path, self._scopes["$"].shape, self._problems) or ()

    def _read_fields(self, value: Any, path: str) -> None:
        self.fields = known_paths(value, path, self._scopes["$"].shape, self._problems)


def read_body(raw: bytes, decoded: Any) -> dict[str, Any]:
    """A search body is an object; none at all is an empty one."""
    if not raw:
        return {}
    if not isinstance(decoded, dict):
        raise INVALID_REQUEST()
    return decoded
