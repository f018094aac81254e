"""The documents of a plan, by the way that touches the fewest rows.

Three ways: driven by a condition that few documents meet (found out by asking for at most `SELECTIVE` of them); driven
by the index of the one field that is sorted by, documents without a value standing at its end; or from the
folder's own order. All three give the same documents in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content.search.plan import SYSTEM, Anchor, Join, Leaf, Plan, Scope, Sort
from flux.content.search.rows import Hit, hit
from flux.content.search.sql_repository import COLUMNS, TABLES, Statement, conditions, order
from flux.content.shape.types import TYPES
from flux.kernel.store import Database, Reader

CHEAP_OFFSET = 1000
SELECTIVE = 300
MOST_PROBES = 3
_DRIVING = frozenset({"eq", "in", "between", "gt", "gte", "lt", "lte", "startswith"})
Ids = tuple[int, ...] | None


async def documents(
    db: Database, plan: Plan, limit: int, among: Ids = None, generation: int | None = None
) -> list[Hit]:
    """In the direction of the anchor. What cannot take long runs at once, the rest off the loop. `generation` stands
    for the state of the folder."""
    driver = await _driver(db, plan) if among is None else None
    if driver is None and among is None and is_by_one_field(plan):
        return await _by_index(db, plan, limit, generation)
    sql, params = compiled(plan, db.dialect, limit, among, driver)
    plain = not plan.where and not plan.joins and all(one.is_column for one in plan.sort)
    cheap = driver is not None or (among is None and plain and plan.offset <= CHEAP_OFFSET)
    read: Callable[..., Any] = db.all if cheap and not plan.joins else db.scan
    found: list[Hit] = await read(sql, params, hit)
    return found


async def at_once(db: Database, plan: Plan, limit: int) -> list[Hit]:
    """In one statement, whatever it costs."""
    sql, params = compiled(plan, db.dialect, limit)
    return await db.scan(sql, params, hit)


def compiled(
    plan: Plan, dialect: Any, limit: int, among: Ids = None, driver: Leaf | None = None
) -> tuple[str, dict[str, Any]]:
    """The statement for one page of at most `limit` documents, in the direction of the anchor."""
    statement = Statement(dialect)
    backwards = plan.anchor is not None and plan.anchor.backwards
    joins, expressions = statement.sorted_by(plan.scope, plan.sort, "d")
    wanted = _wanted(statement, plan, driver)
    if among is not None:
        wanted.append(f"d.id IN {statement.bind(list(among))}")
    if plan.anchor is not None:
        wanted.append(statement.beyond(plan.anchor, plan.sort, expressions, "d"))
    sql = (
        f"SELECT {', '.join([COLUMNS, *expressions])} FROM content_documents d {' '.join(joins)} "
        f"WHERE {' AND '.join(wanted)} ORDER BY {order(plan.sort, expressions, backwards=backwards, doc='d')} "
        f"LIMIT {statement.bind(limit)}"
    )
    if plan.offset:
        sql += f" OFFSET {statement.bind(plan.offset)}"
    return sql, statement.params


def _wanted(statement: Statement, plan: Plan, driver: Leaf | None = None) -> list[str]:
    others = tuple(one for one in plan.where if one is not driver)
    wanted = conditions(statement, plan.scope, others, driven=driver is not None)
    if driver is not None:
        wanted.append(f"d.id IN ({statement.matching(plan.scope, driver)})")
    return wanted + [statement.joined(plan.scope, one, "d") for one in plan.joins if one.required]


# -- driven by a condition ------------------------------------------------------------------------------------


async def _driver(db: Database, plan: Plan) -> Leaf | None:
    """The condition that the fewest documents meet, when they are few."""
    best: tuple[int, Leaf] | None = None
    for leaf in [one for one in plan.where if isinstance(one, Leaf) and _may_drive(plan.scope, one)][
        :MOST_PROBES
    ]:
        statement = Statement(db.dialect)
        matching = f"{statement.matching(plan.scope, leaf)} LIMIT {SELECTIVE + 1}"
        count = int(await db.value(f"SELECT count(*) FROM ({matching}) few", statement.params))
        if count <= SELECTIVE and (best is None or count < best[0]):
            best = count, leaf
    return best[1] if best is not None else None


def _may_drive(scope: Scope, leaf: Leaf) -> bool:
    """An index finds its documents, and there is one slot to look in."""
    if leaf.negated or leaf.path in SYSTEM or leaf.base not in _DRIVING or TYPES[leaf.type].family == "text":
        return False
    if leaf.folds and leaf.base != "eq":
        return False
    if leaf.base == "in" and len(leaf.operand) > 50:
        return False
    return len(scope.locales) == 1 or not scope.is_localizable(leaf.path)


# -- driven by the order --------------------------------------------------------------------------------------


def is_by_one_field(plan: Plan) -> bool:
    """One field with an index on its values, in one locale, and no skipping."""
    if len(plan.sort) != 1 or plan.sort[0].path in SYSTEM or plan.sort[0].alias or plan.offset:
        return False
    one = plan.sort[0]
    locales = plan.scope.locales if plan.scope.is_localizable(one.path) else ("",)
    return len(locales) == 1 and TYPES[one.type].family != "text"


async def _by_index(db: Database, plan: Plan, limit: int, generation: int | None) -> list[Hit]:
    """First what comes first: documents with a value in its order, or those without one, by key."""
    [one] = plan.sort
    anchor = plan.anchor
    backwards = anchor is not None and anchor.backwards
    empty_first = one.descending is not backwards
    found: list[Hit] = []
    for empty in (empty_first, not empty_first):
        if (
            anchor is not None
            and empty is not (anchor.values[0] is None)
            and not found
            and _is_behind(anchor, empty, empty_first)
        ):
            continue
        here = anchor if anchor is not None and empty is (anchor.values[0] is None) else None
        if empty and not await _has_empty(db, plan, one, generation):
            continue
        found += await _segment(db, plan, one, here, limit - len(found), empty=empty, backwards=backwards)
        if len(found) >= limit:
            break
    return found


def _is_behind(anchor: Anchor, empty: bool, empty_first: bool) -> bool:
    """True for the segment that lies before the anchor's own."""
    return empty is empty_first and (anchor.values[0] is None) is not empty_first


async def _segment(
    db: Database, plan: Plan, one: Sort, anchor: Anchor | None, limit: int, *, empty: bool, backwards: bool
) -> list[Hit]:
    statement = Statement(db.dialect)
    table = TABLES[TYPES[one.type].family]
    locale = plan.scope.locales[0] if plan.scope.is_localizable(one.path) else ""
    slot = statement.slot(plan.scope, one.path, locale)
    wanted = _wanted(statement, plan)
    down = " DESC" if backwards else ""
    key = f"d.key {'<' if backwards else '>'} {statement.bind(anchor.key)}" if anchor is not None else ""
    if empty:
        wanted.append(
            f"NOT EXISTS (SELECT 1 FROM {table} o WHERE o.doc = d.id AND o.slot = {slot} AND o.ord = 0)"
        )
        source, value, ordered = "content_documents d", "NULL", f"d.key{down}"
        wanted += [key] if key else []
    else:
        wanted += [f"o.slot = {slot}", "o.ord = 0"]
        source, value = f"{table} o JOIN content_documents d ON d.id = o.doc", "o.value"
        descending = one.descending is not backwards
        ordered = f"o.value{' DESC' if descending else ''}, d.key{down}"
        if anchor is not None:
            bound = statement.bind(anchor.values[0])
            further = "<" if descending else ">"
            wanted += [f"o.value {further}= {bound}", f"(o.value {further} {bound} OR {key})"]
    sql = (
        f"SELECT {COLUMNS}, {value} FROM {source} WHERE {' AND '.join(wanted)} "
        f"ORDER BY {ordered} LIMIT {statement.bind(limit)}"
    )
    read: Callable[..., Any] = db.scan if plan.where or plan.joins or empty else db.all
    found: list[Hit] = await read(sql, statement.params, hit)
    return found


_COMPLETE: dict[tuple[Any, ...], bool] = {}


async def _has_empty(db: Database, plan: Plan, one: Sort, generation: int | None) -> bool:
    """Whether any document of the scope lacks the value: counted once for each state of the folder."""
    scope = plan.scope
    locale = scope.locales[0] if scope.is_localizable(one.path) else ""
    address = generation, scope.folder, scope.component, one.path, locale
    known = _COMPLETE.get(address) if generation is not None else None
    if known is None:
        statement = Statement(db.dialect)
        table = TABLES[TYPES[one.type].family]
        slot = statement.slot(scope, one.path, locale)
        component = f" AND d.component = {statement.bind(scope.component)}" if scope.component else ""
        documents_ = f"SELECT count(*) FROM content_documents d WHERE d.folder = {statement.bind(scope.folder)}{component}"
        values = f"SELECT count(*) FROM {table} v WHERE v.slot = {slot} AND v.ord = 0"
        [known] = await db.scan(
            f"SELECT CASE WHEN ({documents_}) > ({values}) THEN 1 ELSE 0 END", statement.params, bool
        )
        if len(_COMPLETE) > 10_000:
            _COMPLETE.clear()
        _COMPLETE[address] = known
    return known


# -- by key, and joined ---------------------------------------------------------------------------------------


async def document(reader: Reader, folder: str, key: str, parent: str | None = None) -> Hit | None:
    """One published document; with `parent` only when it belongs to that resource."""
    sql = f"SELECT {COLUMNS} FROM content_documents d WHERE d.folder = :folder AND d.key = :key"
    params = {"folder": folder, "key": key}
    if parent is not None:
        sql += " AND d.owner = :parent"
        params["parent"] = parent
    return await reader.one(sql, params, hit)


async def documents_by_key(reader: Reader, folders: list[str], keys: list[str]) -> list[Hit]:
    sql = f"SELECT {COLUMNS} FROM content_documents d WHERE d.folder IN :folders AND d.key IN :keys"
    return await reader.all(sql, {"folders": folders, "keys": keys}, hit)


async def joined_documents(
    db: Database, source: Scope, join: Join, ids: list[int], most: int
) -> list[tuple[int, Hit]]:
    """For documents of `source` by id, what the join leads to; pairs of source id and document, by key."""
    statement = Statement(db.dialect)
    wanted = [
        f"d.id IN {statement.bind(ids)}",
        f"j.folder = {statement.bind(join.scope.folder)}",
        statement.meeting(source, join, "d", "j"),
        *statement.all_of(join.scope, join.where, "j"),
        *(statement.joined(join.scope, below, "j") for below in join.joins if below.required),
    ]
    sql = (
        "SELECT d.id, j.id, j.key, j.version, j.plain, j.item FROM content_documents d JOIN content_documents j ON 1 = 1 "
        f"WHERE {' AND '.join(wanted)} ORDER BY d.id, j.key LIMIT {statement.bind(most)}"
    )
    found: list[tuple[int, Hit]] = await db.scan(sql, statement.params, _pair)
    return found


def _pair(source: int, id_: int, key: str, version: str, plain: int, item: bytes) -> tuple[int, Hit]:
    return source, hit(id_, key, version, plain, item)
