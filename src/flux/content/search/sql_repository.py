"""The parts of a plan as SQL over the projection: conditions, joins, order, the place of an anchor."""

from __future__ import annotations

import math
from typing import Any

from flux.content.projection.tags import LOOK, shift
from flux.content.search.blanks import Blank, part
from flux.content.search.exactness import tagged_locale
from flux.content.search.plan import KEY, SYSTEM, Anchor, Group, Join, Leaf, Node, Plan, Scope, Sort
from flux.content.search.slot_repository import Slots
from flux.content.shape.types import TYPES
from flux.kernel.store import Dialect

TABLES = {"number": "content_numbers", "string": "content_strings", "text": "content_texts"}
_COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
COLUMNS = "d.id, d.key, d.version, d.plain, d.item"


_NO_SLOT = -1


class Statement:
    """SQL being written, with its parameters. `slots` are those of `folder` where they are known; `lacks` says that one was
    asked for that was not there yet."""

    def __init__(self, dialect: Dialect, folder: str = "", slots: Slots | None = None) -> None:
        self.dialect = dialect
        self.params: dict[str, Any] = {}
        self.lacks = False
        self._folder = folder
        self._slots = slots

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
        wanted = None if leaf.base == "isnull" else self._comparison(leaf, leading=False)
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
        table = TABLES[TYPES[kind].family]
        condition = f" AND {wanted}" if wanted else ""
        slot = self.slot(scope, path, locale)
        return f"EXISTS (SELECT 1 FROM {table} v WHERE v.doc = {doc}.id AND v.slot = {slot}{condition})"

    def matching(self, scope: Scope, leaf: Leaf) -> str:
        """The ids of the documents that meet a condition, in its one locale."""
        table = TABLES[TYPES[leaf.type].family]
        locale = scope.locales[0] if scope.is_localizable(leaf.path) else ""
        slot = self.slot(scope, leaf.path, locale)
        return f"SELECT v.doc FROM {table} v WHERE v.slot = {slot} AND {self._comparison(leaf, leading=True)}"

    def slot(self, scope: Scope, path: str, locale: str) -> str:
        if self._slots is not None and scope.folder == self._folder:
            return self.bind(self._known_slot(scope, path, locale))
        return (
            f"(SELECT s.id FROM content_slots s WHERE s.folder = {self.bind(scope.folder)} "
            f"AND s.component = {self.bind(scope.component)} AND s.path = {self.bind(path)} AND s.locale = {self.bind(locale)})"
        )

    def _known_slot(self, scope: Scope, path: str, locale: str) -> int:
        assert self._slots is not None
        known = self._slots.numbers.get((scope.component, path, locale))
        if known is None:
            self.lacks = True
        return _NO_SLOT if known is None else known

    def told(self, scope: Scope, node: Node, tags: str, at: int) -> tuple[str, str] | None:
        """Whether a document may meet a condition, and whether it surely does (where the codes for the condition `at` that
        place say so), by the tags of its values; None where these say nothing about it."""
        locale = tagged_locale(scope, node)
        if self._slots is None or locale is None or not isinstance(node, Leaf):
            return None
        texts = TYPES[node.type].family == "string" and not node.folds
        wanted = part(node.operand, "folding" if texts else "mask")
        by = self.bind(shift(self._known_slot(scope, node.path, locale)))
        return self._bit(wanted, tags, by), self._bit(Blank("sure", at), tags, by)

    def _bit(self, mask: Any, tags: str, by: str) -> str:
        """Whether the code in a lane is among a mask's."""
        bound = self.bind(mask)
        if self.dialect == "sqlite":
            return f"({bound} << (({tags} >> {by}) & {LOOK})) < 0"
        lane = f"CAST(({tags} >> CAST({by} AS INTEGER)) & {LOOK} AS INTEGER)"
        return f"(CAST({bound} AS BIGINT) << {lane}) < 0"

    def comparison(self, leaf: Leaf, values: str) -> str:
        """Of the value in a row of the index."""
        return self._compared(f"{values}.value", leaf.base, leaf.operand)

    def _comparison(self, leaf: Leaf, *, leading: bool) -> str:
        """`leading`: the index on values finds the documents. Otherwise the document is known and its values are
        looked at; the plus keeps SQLite from going through the whole range of the index for each document."""
        plus = "" if leading or self.dialect == "postgres" else "+"
        column = f"{plus}v.folded" if leaf.folds else f"{plus}v.value"
        head = ""
        if leading and leaf.folds and leaf.base == "eq" and TYPES[leaf.type].family == "string":
            head = f"v.folded_head = {self.bind(part(leaf.operand, 'head'))} AND "
        return head + self._compared(column, leaf.base, leaf.operand)

    def _compared(self, column: str, base: str, wanted: Any) -> str:
        if base in _COMPARISONS:
            return f"{column} {_COMPARISONS[base]} {self.bind(wanted)}"
        if base == "in":
            return f"{column} IN {self.bind(part(wanted, 'finite'))}"
        if base == "between":
            return f"{column} BETWEEN {self.bind(part(wanted, 'low'))} AND {self.bind(part(wanted, 'high'))}"
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
            after = _following(wanted)
            before = f" AND {column} < {self.bind(after)}" if after else ""
            return f"{column} >= {start}{before} AND substr({column}, 1, {len(wanted)}) = {start}"
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
            if one.way:
                expressions.append(self._beyond_joins(scope, one, doc))
                continue
            if one.path in SYSTEM:
                expressions.append(f"{doc}.{one.path.removeprefix('_sys.')}")
                continue
            locales = scope.locales if scope.is_localizable(one.path) else ("",)
            values = []
            for locale in locales:
                alias = f"o{len(joins)}"
                table = TABLES[TYPES[one.type].family]
                slot = self.slot(scope, one.path, locale)
                joins.append(
                    f"LEFT JOIN {table} {alias} ON {alias}.doc = {doc}.id AND {alias}.slot = {slot} AND {alias}.ord = 0"
                )
                values.append(f"{alias}.value")
            expressions.append(values[0] if len(values) == 1 else f"coalesce({', '.join(values)})")
        return joins, expressions

    def _beyond_joins(self, scope: Scope, one: Sort, doc: str) -> str:
        """The value of the first document, by key, that a chain of joins leads to."""
        tables, wanted, keys = [], [], []
        above = doc
        for join in one.way:
            inner = f"{above}s"
            tables.append(f"content_documents {inner}")
            keys.append(f"{inner}.key")
            wanted += [
                f"{inner}.folder = {self.bind(join.scope.folder)}",
                self.meeting(scope, join, above, inner),
                *self.all_of(join.scope, join.where, inner),
                *(self.joined(join.scope, below, inner) for below in join.joins if below.required),
            ]
            scope, above = join.scope, inner
        joins, [value] = self.sorted_by(scope, (Sort(one.path, one.type, one.descending),), above)
        return (
            f"(SELECT {value} FROM {' CROSS JOIN '.join(tables)} {' '.join(joins)} WHERE {' AND '.join(wanted)} "
            f"ORDER BY {', '.join(keys)} LIMIT 1)"
        )

    def beyond(self, anchor: Anchor, sort: tuple[Sort, ...], expressions: list[str], doc: str) -> str:
        """Everything after the anchor (before it, when walking backwards). No value counts as greater than any. Of its values
        only which are missing is written down."""
        rows: list[str] = []
        equal: list[str] = []
        bound_first = ""
        for at, (one, expression, value) in enumerate(zip(sort, expressions, anchor.values, strict=True)):
            upwards = one.descending is anchor.backwards
            nullable = not one.is_column
            if value is None:
                further = "1 = 0" if upwards else f"{expression} IS NOT NULL"
                same = f"{expression} IS NULL"
            else:
                bound = self.bind(Blank("anchor", at))
                further = f"{expression} {'>' if upwards else '<'} {bound}"
                if not rows and not nullable:
                    # Says nothing new, and lets an index start at the anchor.
                    bound_first = f"{expression} {'>=' if upwards else '<='} {bound}"
                if upwards and nullable:
                    further = f"({further} OR {expression} IS NULL)"
                same = f"{expression} = {bound}"
            rows.append(" AND ".join([*equal, further]))
            equal.append(same)
        direction = "<" if anchor.backwards else ">"
        rows.append(" AND ".join([*equal, f"{doc}.key {direction} {self.bind(Blank('key'))}"]))
        anywhere = "(" + " OR ".join(f"({row})" for row in rows) + ")"
        return f"{bound_first} AND {anywhere}" if bound_first else anywhere


def _combined(group: Group, parts: list[str]) -> str:
    if group.kind == "all":
        return "(" + " AND ".join(parts) + ")" if parts else "1 = 1"
    anything = "(" + " OR ".join(parts) + ")" if parts else "1 = 0"
    return f"NOT {anything}" if group.kind == "none" else anything


def order(sort: tuple[Sort, ...], expressions: list[str], *, backwards: bool, doc: str) -> str:
    entries = []
    for one, expression in zip(sort, expressions, strict=True):
        descending = one.descending is not backwards
        nulls = "" if one.is_column else (" NULLS FIRST" if descending else " NULLS LAST")
        entries.append(f"{expression}{' DESC' if descending else ''}{nulls}")
    entries.append(f"{doc}.key{' DESC' if backwards else ''}")
    return ", ".join(entries)


def conditions(
    statement: Statement, scope: Scope, where: tuple[Node, ...], doc: str = "d", *, driven: bool = False
) -> list[str]:
    """`driven`: something else finds the documents, so that the folder's index must not be chosen."""
    plus = "+" if driven and statement.dialect == "sqlite" else ""
    found = [f"{plus}{doc}.folder = {statement.bind(scope.folder)}"]
    if scope.component:
        found.append(f"{doc}.component = {statement.bind(scope.component)}")
    if scope.parent is not None:
        found.append(f"{plus}{doc}.owner = {statement.bind(scope.parent)}")
    return found + statement.all_of(scope, where, doc)


def wanted(statement: Statement, plan: Plan, driver: Leaf | None = None) -> list[str]:
    """All that a plan asks of a document `d`. The `driver`, one of its conditions, is what finds it."""
    others = tuple(one for one in plan.where if one is not driver)
    found = conditions(statement, plan.scope, others, driven=driver is not None)
    if driver is not None:
        found.append(f"d.id IN ({statement.matching(plan.scope, driver)})")
    return found + [statement.joined(plan.scope, one, "d") for one in plan.joins if one.required]


def _following(prefix: str) -> str | None:
    """The least text that is greater than every text with the prefix, when there is one."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code == 0xD800:
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[: end - 1] + chr(code)
    return None
