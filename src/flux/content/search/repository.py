"""The documents of a plan, by the way that touches the fewest rows.

Three ways: by the index of the one field that is sorted by (order_repository.py); driven by a condition that few
documents meet (found out by asking for at most `SELECTIVE` of them); or from the folder's own order. All three give the
same documents in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content.search import order_repository
from flux.content.search.blanks import Blank
from flux.content.search.plan import SYSTEM, Join, Leaf, Plan, Scope
from flux.content.search.rows import Hit, sorted_by_several
from flux.content.search.sql_repository import COLUMNS, Statement, order, wanted
from flux.content.search.statements import Statements
from flux.content.shape.types import TYPES
from flux.kernel.store import Database, Reader

CHEAP_OFFSET = 1000
SELECTIVE = 300
MOST_PROBES = 3
_DRIVING = frozenset({"eq", "in", "between", "gt", "gte", "lt", "lte", "startswith"})
Ids = tuple[int, ...] | None


async def documents(
    statements: Statements, plan: Plan, limit: int, among: Ids = None, generation: int | None = None
) -> list[Hit]:
    """In the direction of the anchor. What cannot take long runs at once, the rest off the loop. `generation` stands
    for the state of the folder."""
    by_field = among is None and order_repository.is_by_one_field(plan)
    if by_field and (plan.where or plan.joins):
        found = await order_repository.first_look(statements, plan, limit, generation)
        if found is not None:
            return found
    driver = await _driver(statements, plan, generation) if among is None and plan.where else None
    if driver is None and by_field:
        return await order_repository.by_index(statements, plan, limit, generation)
    sql, params = await compiled(statements, plan, limit, among, driver, generation)
    plain = not plan.where and not plan.joins and all(one.is_column for one in plan.sort)
    cheap = driver is not None or (among is None and plain and plan.offset <= CHEAP_OFFSET)
    db = statements.db
    read: Callable[..., Any] = db.all if cheap and not plan.joins else db.scan
    hits: list[Hit] = await read(sql, params, _into(plan))
    return hits


async def at_once(statements: Statements, plan: Plan, limit: int) -> list[Hit]:
    """In one statement, whatever it costs."""
    sql, params = await compiled(statements, plan, limit)
    return await statements.db.scan(sql, params, _into(plan))


def _into(plan: Plan) -> Callable[..., Hit]:
    return Hit if len(plan.sort) == 1 else sorted_by_several


async def compiled(
    statements: Statements,
    plan: Plan,
    limit: int,
    among: Ids = None,
    driver: Leaf | None = None,
    generation: int | None = None,
) -> tuple[str, dict[str, Any]]:
    """The statement for one page of at most `limit` documents, in the direction of the anchor."""
    anchor = plan.anchor
    backwards = anchor is not None and anchor.backwards

    def write(statement: Statement) -> str:
        joins, expressions = statement.sorted_by(plan.scope, plan.sort, "d")
        conditions = wanted(statement, plan, driver)
        if among is not None:
            conditions.append("d.id IN :among")
        if anchor is not None:
            conditions.append(statement.beyond(anchor, plan.sort, expressions, "d"))
        sql = (
            f"SELECT {', '.join([COLUMNS, *expressions])} FROM content_documents d {' '.join(joins)} "
            f"WHERE {' AND '.join(conditions)} ORDER BY {order(plan.sort, expressions, backwards=backwards, doc='d')} "
            f"LIMIT {statement.bind(Blank('limit'))}"
        )
        return f"{sql} OFFSET {statement.bind(Blank('offset'))}" if plan.offset else sql

    place = None if anchor is None else (backwards, *(one is None for one in anchor.values))
    which = None if driver is None else plan.where.index(driver)
    name = "page", place, plan.offset > 0, among is not None, which
    sql, params = await statements.of(plan, name, write, limit, generation)
    return sql, params if among is None else {**params, "among": list(among)}


# -- driven by a condition ------------------------------------------------------------------------------------


async def _driver(statements: Statements, plan: Plan, generation: int | None) -> Leaf | None:
    """The condition that the fewest documents meet, when they are few."""
    best: tuple[int, Leaf] | None = None
    for leaf in [one for one in plan.where if isinstance(one, Leaf) and _may_drive(plan, one)][:MOST_PROBES]:

        def write(statement: Statement, leaf: Leaf = leaf) -> str:
            return f"SELECT count(*) FROM ({statement.matching(plan.scope, leaf)} LIMIT {SELECTIVE + 1}) few"

        name = "few", plan.where.index(leaf)
        sql, params = await statements.of(plan, name, write, generation=generation)
        count = int(await statements.db.value(sql, params))
        if count <= SELECTIVE and (best is None or count < best[0]):
            best = count, leaf
    return best[1] if best is not None else None


def _may_drive(plan: Plan, leaf: Leaf) -> bool:
    """An index finds its documents, and there is one slot to look in."""
    scope, operand = plan.scope, leaf.operand
    if isinstance(operand, Blank):
        operand = plan.operands[operand.at]
    if leaf.negated or leaf.path in SYSTEM or leaf.base not in _DRIVING or TYPES[leaf.type].family == "text":
        return False
    if leaf.folds and leaf.base != "eq":
        return False
    if leaf.base == "in" and len(operand) > 50:
        return False
    return len(scope.locales) == 1 or not scope.is_localizable(leaf.path)


# -- by key, and joined ---------------------------------------------------------------------------------------


async def document(reader: Reader, folder: str, key: str, parent: str | None = None) -> Hit | None:
    """One published document; with `parent` only when it belongs to that resource."""
    sql = f"SELECT {COLUMNS} FROM content_documents d WHERE d.folder = :folder AND d.key = :key"
    params = {"folder": folder, "key": key}
    if parent is not None:
        sql += " AND d.owner = :parent"
        params["parent"] = parent
    return await reader.one(sql, params, Hit)


async def documents_by_key(reader: Reader, folders: list[str], keys: list[str]) -> list[Hit]:
    """With their folders as what they are sorted by."""
    sql = f"SELECT {COLUMNS}, d.folder FROM content_documents d WHERE d.folder IN :folders AND d.key IN :keys"
    return await reader.all(sql, {"folders": folders, "keys": keys}, Hit)


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
    return source, Hit(id_, key, version, plain, item)
