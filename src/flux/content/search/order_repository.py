"""Reading a folder in the order of one field, by that field's index.

Documents without a value are a segment of their own at one end of the order. A first look goes through a bounded part of
the order, so cheap that it needs no thread: where conditions are met often enough it finds the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from flux.content.search.blanks import Blank
from flux.content.search.plan import KEY, SYSTEM, Anchor, Group, Leaf, Node, Plan, Scope, Sort, known_of
from flux.content.search.rows import Hit
from flux.content.search.sql_repository import COLUMNS, TABLES, Statement, wanted
from flux.content.search.statements import Statements
from flux.content.shape.types import TYPES
from flux.kernel.store import Database

LOOK = 1000
"""Documents of the order that a first look goes through on PostgreSQL; many more where tags say of most what they are not.
SQLite looks for as long as a glance takes."""
LOOK_BY_TAGS = 4000
_BOUNDS = frozenset({"eq", "gt", "gte", "lt", "lte", "between"})
_COMPLETE: dict[tuple[Any, ...], bool] = {}


def is_by_one_field(plan: Plan) -> bool:
    """One field with an index on its values, in one locale, and no skipping."""
    return not plan.offset and known_of(plan, "by one field", _is_by_one_field)


def _is_by_one_field(plan: Plan) -> bool:
    if len(plan.sort) != 1 or plan.sort[0].path in SYSTEM or plan.sort[0].alias:
        return False
    one = plan.sort[0]
    return len(_locales(plan.scope, one)) == 1 and TYPES[one.type].family != "text"


def _locales(scope: Scope, one: Sort) -> tuple[str, ...]:
    return scope.locales if scope.is_localizable(one.path) else ("",)


class Ordered(Struct, frozen=True):
    """A plan sorted by one field. `backwards` is the direction of its anchor."""

    plan: Plan
    one: Sort
    anchor: Anchor | None
    backwards: bool

    @property
    def descending(self) -> bool:
        return self.one.descending is not self.backwards

    @property
    def begins_empty(self) -> bool:
        """Whether documents without a value come before the others."""
        return self.descending

    @property
    def is_among_empty(self) -> bool:
        return self.anchor is not None and self.anchor.values[0] is None

    @property
    def place(self) -> tuple[bool, bool, bool]:
        """What of the anchor a statement's text depends on."""
        return self.anchor is not None, self.is_among_empty, self.backwards

    @property
    def segments(self) -> list[bool]:
        """What is still to be read, in order: True for the documents without a value."""
        both = [self.begins_empty, not self.begins_empty]
        if self.anchor is not None and self.is_among_empty is not self.begins_empty:
            return both[1:]
        return both


def ordered(plan: Plan) -> Ordered:
    anchor = plan.anchor
    return Ordered(plan, plan.sort[0], anchor, anchor is not None and anchor.backwards)


async def by_index(statements: Statements, plan: Plan, limit: int, generation: int | None) -> list[Hit]:
    """First what comes first: documents with a value in its order, or those without one, by key."""
    read = ordered(plan)
    found: list[Hit] = []
    for empty in read.segments:
        if empty and not await _has_empty(statements.db, plan, read.one, generation):
            continue
        rest = limit - len(found)
        found += await (_empty if empty else _valued)(statements, read, rest, generation)
        if len(found) >= limit:
            break
    return found


async def first_look(
    statements: Statements, plan: Plan, limit: int, generation: int | None
) -> list[Hit] | None:
    """The page, when it can be found among the next so many documents of the order; else None."""
    if plan.scope.parent is not None or not known_of(plan, "of values", _are_of_values):
        return None
    read = ordered(plan)
    if read.segments[0] and (
        read.is_among_empty or await _has_empty(statements.db, plan, read.one, generation)
    ):
        return None

    def write(statement: Statement) -> str:
        return _window(statement, read)

    sure = await statements.masks(plan, generation)
    sql, params = await statements.of(plan, ("look", read.place), write, limit, generation, sure)
    found: list[Hit] | None = await statements.db.glance(sql, params, Hit)
    if found is None or len(found) >= limit:
        return found
    # Where the text bounds the look, there may be more beyond it; where the database does, it has seen all that have a value.
    is_all = statements.db.dialect == "sqlite" and (
        not read.segments[-1] or not await _has_empty(statements.db, plan, read.one, generation)
    )
    return found if is_all else None


def _are_of_values(plan: Plan) -> bool:
    return all(_is_of_values(one) for one in plan.where)


def _is_of_values(node: Node) -> bool:
    """Whether a condition can be checked without the document's own row."""
    if isinstance(node, Group):
        return all(_is_of_values(one) for one in node.nodes)
    return node.path not in SYSTEM or node.path == KEY


def _window(statement: Statement, read: Ordered) -> str:
    plan = read.plan
    down = " DESC" if read.descending else ""
    keys = " DESC" if read.backwards else ""
    bounds: list[Leaf] = []
    possible: list[str] = []
    others: list[str] = []
    for at, node in enumerate(plan.where):
        if isinstance(node, Leaf) and node.path == read.one.path and _bounds(node):
            bounds.append(node)
            continue
        condition = statement.node(plan.scope, node, "e")
        told = statement.told(plan.scope, node, "e.tags", at)
        if told is not None:
            may, does = told
            possible.append(may)
            condition = f"({does} OR {condition})"
        others.append(condition)
    beginning = [*_beginning(statement, read), *(statement.comparison(one, "o") for one in bounds)]
    if statement.dialect == "sqlite":
        # Nearly every value is a document's first: asked after the tags, of few entries.
        possible.append("e.ord = 0")
        bounded = ""
    else:
        beginning.append("o.ord = 0")
        bounded = f"ORDER BY o.value{down}, o.key{keys} LIMIT {LOOK_BY_TAGS if possible else LOOK}"
    window = (
        f"SELECT o.doc AS id, o.value, o.key, o.tags, o.ord FROM {TABLES[TYPES[read.one.type].family]} o "
        f"WHERE {' AND '.join(beginning)} {bounded}"
    )
    joined = [statement.joined(plan.scope, one, "e") for one in plan.joins if one.required]
    conditions = [*possible, *others, *joined]
    inner = (
        f"SELECT e.id, e.value, e.key FROM ({window}) e WHERE {' AND '.join(conditions) or '1 = 1'} "
        f"ORDER BY e.value{down}, e.key{keys} LIMIT {statement.bind(Blank('limit'))}"
    )
    return (
        f"SELECT {COLUMNS}, f.value FROM ({inner}) f JOIN content_documents d ON d.id = f.id "
        f"ORDER BY f.value{down}, f.key{keys}"
    )


def _bounds(leaf: Leaf) -> bool:
    """A field that is sorted by has one value, so that its range can be read off the index."""
    return not leaf.negated and not leaf.folds and leaf.base in _BOUNDS


def _beginning(statement: Statement, read: Ordered) -> list[str]:
    """The place in the index from which on the values are read."""
    [locale] = _locales(read.plan.scope, read.one)
    found = [f"o.slot = {statement.slot(read.plan.scope, read.one.path, locale)}"]
    anchor = read.anchor
    if anchor is not None and anchor.values[0] is not None:
        bound = statement.bind(Blank("anchor"))
        further = "<" if read.descending else ">"
        key = f"o.key {'<' if read.backwards else '>'} {statement.bind(Blank('key'))}"
        found += [f"o.value {further}= {bound}", f"(o.value {further} {bound} OR {key})"]
    return found


async def _valued(statements: Statements, read: Ordered, limit: int, generation: int | None) -> list[Hit]:
    down = " DESC" if read.descending else ""
    keys = " DESC" if read.backwards else ""

    def write(statement: Statement) -> str:
        conditions = [*wanted(statement, read.plan), *_beginning(statement, read), "o.ord = 0"]
        return (
            f"SELECT {COLUMNS}, o.value FROM {TABLES[TYPES[read.one.type].family]} o "
            f"JOIN content_documents d ON d.id = o.doc WHERE {' AND '.join(conditions)} "
            f"ORDER BY o.value{down}, o.key{keys} LIMIT {statement.bind(Blank('limit'))}"
        )

    sql, params = await statements.of(read.plan, ("valued", read.place), write, limit, generation)
    found: list[Hit] = await _reader(statements.db, read)(sql, params, Hit)
    return found


async def _empty(statements: Statements, read: Ordered, limit: int, generation: int | None) -> list[Hit]:
    table = TABLES[TYPES[read.one.type].family]

    def write(statement: Statement) -> str:
        [locale] = _locales(read.plan.scope, read.one)
        slot = statement.slot(read.plan.scope, read.one.path, locale)
        conditions = [
            *wanted(statement, read.plan),
            f"NOT EXISTS (SELECT 1 FROM {table} o WHERE o.doc = d.id AND o.slot = {slot} AND o.ord = 0)",
        ]
        if read.is_among_empty:
            conditions.append(f"d.key {'<' if read.backwards else '>'} {statement.bind(Blank('key'))}")
        return (
            f"SELECT {COLUMNS}, NULL FROM content_documents d WHERE {' AND '.join(conditions)} "
            f"ORDER BY d.key{' DESC' if read.backwards else ''} LIMIT {statement.bind(Blank('limit'))}"
        )

    sql, params = await statements.of(read.plan, ("empty", read.place), write, limit, generation)
    return await statements.db.scan(sql, params, Hit)


def _reader(db: Database, read: Ordered) -> Callable[..., Any]:
    """Off the loop, unless the index alone finds the page."""
    plan = read.plan
    return db.scan if plan.where or plan.joins or plan.scope.parent is not None else db.all


async def _has_empty(db: Database, plan: Plan, one: Sort, generation: int | None) -> bool:
    """Whether any document of the scope lacks the value: asked once for each state of the folder."""
    scope = plan.scope
    [locale] = _locales(scope, one)
    address = generation, scope.folder, scope.component, one.path, locale
    known = _COMPLETE.get(address) if generation is not None else None
    if known is None:
        params = {"folder": scope.folder, "component": scope.component, "path": one.path, "locale": locale}
        known = int(await db.value(_lacking(TYPES[one.type].family), params)) > 0
        if len(_COMPLETE) > 10_000:
            _COMPLETE.clear()
        _COMPLETE[address] = known
    return known


def _lacking(family: str) -> str:
    """How many documents have no value there, as they were counted when they came (projection/counts_repository.py)."""
    place = "folder = :folder AND component = :component"
    documents = f"SELECT documents FROM content_counts WHERE {place}"
    held = f"SELECT {family}s FROM content_slots WHERE {place} AND path = :path AND locale = :locale"
    return f"SELECT coalesce(({documents}), 0) - coalesce(({held}), 0)"
