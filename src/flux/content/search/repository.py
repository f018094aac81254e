"""A plan as SQL over the projection, and the documents it finds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flux.content.projection.rules import HEAD
from flux.content.search.plan import KEY, SYSTEM, Anchor, Group, Join, Leaf, Node, Plan, Scope, Sort
from flux.content.search.rows import Hit, hit
from flux.content.shape.types import TYPES
from flux.kernel.store import Database, Dialect, Reader

CHEAP_OFFSET = 1000
_TABLES = {"number": "content_numbers", "string": "content_strings", "text": "content_texts"}
_COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_COLUMNS = "d.id, d.key, d.version, d.item"


class Statement:
    """SQL being written, with its parameters."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.params: dict[str, Any] = {}

    def bind(self, value: Any) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    # -- conditions -------------------------------------------------------------------------------------------

    def all_of(self, scope: Scope, nodes: tuple[Node, ...], doc: str) -> list[str]:
        return [self.node(scope, one, doc) for one in nodes]

    def node(self, scope: Scope, node: Node, doc: str) -> str:
        if isinstance(node, Leaf):
            return self.leaf(scope, node, doc)
        parts = self.all_of(scope, node.nodes, doc)
        return _combined(node, parts)

    def leaf(self, scope: Scope, leaf: Leaf, doc: str) -> str:
        if leaf.path in SYSTEM:
            condition = self._system(leaf, doc)
            return f"NOT ({condition})" if leaf.negated else condition
        wanted = None if leaf.base == "isnull" else self._comparison(leaf)
        condition = self._somewhere(scope, leaf.path, leaf.type, wanted, doc)
        negated = leaf.negated != (leaf.base == "isnull" and leaf.operand is True)
        return f"NOT ({condition})" if negated else condition

    def _somewhere(self, scope: Scope, path: str, kind: str, wanted: str | None, doc: str) -> str:
        """Some value at the path is as wanted. With several locales the first that has a value counts."""
        locales = scope.locales if scope.is_localizable(path) else ("",)
        parts = []
        for index, locale in enumerate(locales):
            empty = [
                f"NOT ({self._exists(scope, path, kind, other, None, doc)})" for other in locales[:index]
            ]
            parts.append(" AND ".join([*empty, self._exists(scope, path, kind, locale, wanted, doc)]))
        return parts[0] if len(parts) == 1 else "(" + " OR ".join(f"({one})" for one in parts) + ")"

    def _exists(self, scope: Scope, path: str, kind: str, locale: str, wanted: str | None, doc: str) -> str:
        table = _TABLES[TYPES[kind].family]
        condition = f" AND {wanted}" if wanted else ""
        slot = self.slot(scope, path, locale)
        return f"EXISTS (SELECT 1 FROM {table} v WHERE v.doc = {doc}.id AND v.slot = {slot}{condition})"

    def slot(self, scope: Scope, path: str, locale: str) -> str:
        return (
            f"(SELECT s.id FROM content_slots s WHERE s.folder = {self.bind(scope.folder)} "
            f"AND s.component = {self.bind(scope.component)} AND s.path = {self.bind(path)} AND s.locale = {self.bind(locale)})"
        )

    def _comparison(self, leaf: Leaf) -> str:
        column = "v.folded" if leaf.folds else "v.value"
        head = ""
        if leaf.folds and leaf.base == "eq" and TYPES[leaf.type].family == "string":
            head = f"v.folded_head = {self.bind(leaf.operand[:HEAD])} AND "
        return head + self._compared(column, leaf.base, leaf.operand)

    def _compared(self, column: str, base: str, wanted: Any) -> str:
        if base in _COMPARISONS:
            return f"{column} {_COMPARISONS[base]} {self.bind(wanted)}"
        if base == "in":
            finite = [one for one in wanted if not isinstance(one, float) or math.isfinite(one)]
            return f"{column} IN {self.bind(finite)}"
        if base == "between":
            return f"{column} BETWEEN {self.bind(wanted[0])} AND {self.bind(wanted[1])}"
        return self._part(column, base, wanted)

    def _part(self, column: str, base: str, wanted: str) -> str:
        """contains, startswith, endswith."""
        if base == "contains":
            found = "instr" if self.dialect == "sqlite" else "strpos"
            return f"{found}({column}, {self.bind(wanted)}) > 0"
        if not wanted:
            return "1 = 1"
        if base == "startswith":
            start = self.bind(wanted)
            return f"{column} >= {start} AND substr({column}, 1, {len(wanted)}) = {start}"
        end = (
            f"substr({column}, -{len(wanted)})"
            if self.dialect == "sqlite"
            else f"right({column}, {len(wanted)})"
        )
        return f"{end} = {self.bind(wanted)}"

    def _system(self, leaf: Leaf, doc: str) -> str:
        column = f"{doc}.{leaf.path.removeprefix('_sys.')}"
        if leaf.base == "isnull":
            return "1 = 0" if leaf.operand else "1 = 1"
        if leaf.path == "_sys.key":
            return self._compared(column, leaf.base, leaf.operand)
        if leaf.base in ("in", "between"):
            if leaf.base == "between":
                low, high = leaf.operand
                return " AND ".join([self._moment(column, "gte", low), self._moment(column, "lte", high)])
            return (
                "(" + (" OR ".join(self._moment(column, "eq", one) for one in leaf.operand) or "1 = 0") + ")"
            )
        return self._moment(column, leaf.base, leaf.operand)

    def _moment(self, column: str, base: str, microseconds: float) -> str:
        """Our own times are whole milliseconds, operands may be finer."""
        exact = microseconds / 1000
        if base == "eq" and not exact.is_integer():
            return "1 = 0"
        whole = math.ceil(exact) if base in ("gte", "lt") else math.floor(exact)
        return f"{column} {_COMPARISONS[base]} {self.bind(whole)}"

    # -- joins ------------------------------------------------------------------------------------------------

    def joined(self, source: Scope, join: Join, doc: str) -> str:
        """There is a document that the join leads to, and whatever it requires."""
        inner = f"{doc}j"
        wanted = [
            f"{inner}.folder = {self.bind(join.scope.folder)}",
            self.meeting(source, join, doc, inner),
            *self.all_of(join.scope, join.where, inner),
            *(self.joined(join.scope, below, inner) for below in join.joins if below.required),
        ]
        return f"EXISTS (SELECT 1 FROM content_documents {inner} WHERE {' AND '.join(wanted)})"

    def meeting(self, source: Scope, join: Join, doc: str, inner: str) -> str:
        """The two fields hold the same value; of several values any."""
        if join.source_field == KEY and join.target_field == KEY:
            return f"{inner}.key = {doc}.key"
        if join.target_field == KEY:
            held = self._held(source, join.source_field, doc, "v")
            return f"{inner}.key IN (SELECT v.value FROM content_strings v WHERE {held})"
        held = self._held(join.scope, join.target_field, inner, "w")
        if join.source_field == KEY:
            return f"EXISTS (SELECT 1 FROM content_strings w WHERE {held} AND w.value = {doc}.key)"
        other = self._held(source, join.source_field, doc, "v")
        return (
            "EXISTS (SELECT 1 FROM content_strings v JOIN content_strings w ON w.value = v.value "
            f"WHERE {other} AND {held})"
        )

    def _held(self, scope: Scope, path: str, doc: str, alias: str) -> str:
        locale = scope.locales[0] if scope.is_localizable(path) else ""
        return f"{alias}.doc = {doc}.id AND {alias}.slot = {self.slot(scope, path, locale)}"

    # -- order ------------------------------------------------------------------------------------------------

    def sorted_by(self, scope: Scope, sort: tuple[Sort, ...], doc: str) -> tuple[list[str], list[str]]:
        """Joins, and an expression for each sort entry."""
        joins: list[str] = []
        expressions: list[str] = []
        for one in sort:
            if one.path in SYSTEM:
                expressions.append(f"{doc}.{one.path.removeprefix('_sys.')}")
                continue
            locales = scope.locales if scope.is_localizable(one.path) else ("",)
            values = []
            for locale in locales:
                alias = f"o{len(joins)}"
                table = _TABLES[TYPES[one.type].family]
                slot = self.slot(scope, one.path, locale)
                joins.append(
                    f"LEFT JOIN {table} {alias} ON {alias}.doc = {doc}.id AND {alias}.slot = {slot} AND {alias}.ord = 0"
                )
                values.append(f"{alias}.value")
            expressions.append(values[0] if len(values) == 1 else f"coalesce({', '.join(values)})")
        return joins, expressions

    def beyond(self, anchor: Anchor, sort: tuple[Sort, ...], expressions: list[str], doc: str) -> str:
        """Everything after the anchor (before it, when walking backwards). No value counts as greater than any."""
        rows: list[str] = []
        equal: list[str] = []
        for one, expression, value in zip(sort, expressions, anchor.values, strict=True):
            upwards = one.descending is anchor.backwards
            nullable = one.path not in SYSTEM
            if value is None:
                further = "1 = 0" if upwards else f"{expression} IS NOT NULL"
                same = f"{expression} IS NULL"
            else:
                bound = self.bind(value)
                further = f"{expression} {'>' if upwards else '<'} {bound}"
                if upwards and nullable:
                    further = f"({further} OR {expression} IS NULL)"
                same = f"{expression} = {bound}"
            rows.append(" AND ".join([*equal, further]))
            equal.append(same)
        direction = "<" if anchor.backwards else ">"
        rows.append(" AND ".join([*equal, f"{doc}.key {direction} {self.bind(anchor.key)}"]))
        return "(" + " OR ".join(f"({row})" for row in rows) + ")"


def _combined(group: Group, parts: list[str]) -> str:
    if group.kind == "all":
        return "(" + " AND ".join(parts) + ")" if parts else "1 = 1"
    anything = "(" + " OR ".join(parts) + ")" if parts else "1 = 0"
    return f"NOT {anything}" if group.kind == "none" else anything


def _order(sort: tuple[Sort, ...], expressions: list[str], *, backwards: bool, doc: str) -> str:
    entries = []
    for one, expression in zip(sort, expressions, strict=True):
        descending = one.descending is not backwards
        nulls = "" if one.path in SYSTEM else (" NULLS FIRST" if descending else " NULLS LAST")
        entries.append(f"{expression}{' DESC' if descending else ''}{nulls}")
    entries.append(f"{doc}.key{' DESC' if backwards else ''}")
    return ", ".join(entries)


def conditions(statement: Statement, scope: Scope, where: tuple[Node, ...], doc: str = "d") -> list[str]:
    found = [f"{doc}.folder = {statement.bind(scope.folder)}"]
    if scope.component:
        found.append(f"{doc}.component = {statement.bind(scope.component)}")
    if scope.parent is not None:
        found.append(f"{doc}.owner = {statement.bind(scope.parent)}")
    return found + statement.all_of(scope, where, doc)


def compiled(
    plan: Plan, dialect: Dialect, limit: int, among: tuple[int, ...] | None = None
) -> tuple[str, dict[str, Any]]:
    """The statement for one page of at most `limit` documents, in the direction of the anchor."""
    statement = Statement(dialect)
    backwards = plan.anchor is not None and plan.anchor.backwards
    joins, expressions = statement.sorted_by(plan.scope, plan.sort, "d")
    wanted = conditions(statement, plan.scope, plan.where)
    wanted += [statement.joined(plan.scope, one, "d") for one in plan.joins if one.required]
    if among is not None:
        wanted.append(f"d.id IN {statement.bind(list(among))}")
    if plan.anchor is not None:
        wanted.append(statement.beyond(plan.anchor, plan.sort, expressions, "d"))
    sql = (
        f"SELECT {', '.join([_COLUMNS, *expressions])} FROM content_documents d {' '.join(joins)} "
        f"WHERE {' AND '.join(wanted)} ORDER BY {_order(plan.sort, expressions, backwards=backwards, doc='d')} "
        f"LIMIT {statement.bind(limit)}"
    )
    if plan.offset:
        sql += f" OFFSET {statement.bind(plan.offset)}"
    return sql, statement.params


async def documents(db: Database, plan: Plan, limit: int, among: tuple[int, ...] | None = None) -> list[Hit]:
    """In the direction of the anchor. What cannot take long runs at once, the rest off the loop."""
    sql, params = compiled(plan, db.dialect, limit, among)
    cheap = (
        among is None
        and not plan.where
        and not plan.joins
        and plan.offset <= CHEAP_OFFSET
        and all(one.path in SYSTEM for one in plan.sort)
    )
    read: Callable[..., Any] = db.all if cheap else db.scan
    found: list[Hit] = await read(sql, params, hit)
    return found


async def document(reader: Reader, folder: str, key: str, parent: str | None = None) -> Hit | None:
    """One published document; with `parent` only when it belongs to that resource."""
    sql = f"SELECT {_COLUMNS} FROM content_documents d WHERE d.folder = :folder AND d.key = :key"
    params = {"folder": folder, "key": key}
    if parent is not None:
        sql += " AND d.owner = :parent"
        params["parent"] = parent
    return await reader.one(sql, params, hit)


async def documents_by_key(reader: Reader, folders: list[str], keys: list[str]) -> list[Hit]:
    sql = f"SELECT {_COLUMNS} FROM content_documents d WHERE d.folder IN :folders AND d.key IN :keys"
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
        "SELECT d.id, j.id, j.key, j.version, j.item FROM content_documents d JOIN content_documents j ON 1 = 1 "
        f"WHERE {' AND '.join(wanted)} ORDER BY d.id, j.key LIMIT {statement.bind(most)}"
    )
    found: list[tuple[int, Hit]] = await db.scan(sql, statement.params, _pair)
    return found


def _pair(source: int, id_: int, key: str, version: str, item: bytes) -> tuple[int, Hit]:
    return source, hit(id_, key, version, item)
