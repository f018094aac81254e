"""Queries as data, and the two ways they are sent: search bodies and query parameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Field:
    """`path` is dotted; `kind` the field's type."""

    path: str
    kind: str
    multiple: bool = False
    localizable: bool = False
    searchable: bool = True
    nullable: bool = False
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pointer:
    """Stands for the key of a folder's document by number, which differs from server to server."""

    folder: str
    number: int


@dataclass(frozen=True)
class Moment:
    """Stands for when a document was made or changed, some milliseconds away."""

    folder: str
    number: int
    member: str
    shift: int


@dataclass(frozen=True)
class Leaf:
    path: str
    operator: str
    operand: Any


@dataclass(frozen=True)
class Group:
    """Each item is a list of nodes that are all wanted."""

    kind: str
    items: list[list[Node]]


Node = Leaf | Group


@dataclass(frozen=True)
class Join:
    alias: str
    folder: str
    source: str
    source_field: str
    target_field: str
    inner: bool


@dataclass(frozen=True)
class Query:
    """`spelling` chooses among the shorthands of the grammar; `get` asks by query parameters."""

    folder: str
    where: dict[str, list[Node]] = field(default_factory=dict)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    limit: int = 100
    offset: int = 0
    search_locale: str | None = None
    return_locales: list[str] = field(default_factory=list)
    fallback: bool = False
    raw: bool = False
    get: bool = False
    spelling: int = 0

    def resolved(self, resolve: Any) -> Query:
        """With the pointers and moments of one server in the place of their names."""
        where = {alias: [_resolved(one, resolve) for one in nodes] for alias, nodes in self.where.items()}
        return replace(self, where=where)

    def parameters(self) -> dict[str, str]:
        """What stands in the URL of either form."""
        found: dict[str, str] = {"limit": str(self.limit)}
        if self.offset:
            found["offset"] = str(self.offset)
        if self.search_locale:
            found["search_locale"] = self.search_locale
        if self.return_locales:
            found["return_locales"] = ",".join(self.return_locales)
        if self.fallback:
            found["fallback_locales"] = "true"
        if self.raw:
            found["raw"] = "true"
        if self.get:
            for leaf in self.where.get("$", []):
                assert isinstance(leaf, Leaf)
                found[f"where__{leaf.path}__{leaf.operator}"] = _text(leaf.operand)
            if self.sort:
                found["sort"] = ",".join(self._sort())
        return found

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.where:
            found["where"] = self._where()
        if self.sort:
            found["sort"] = self._sort() if self.spelling % 2 else ",".join(self._sort())
        if self.joins:
            found["join"] = {
                "as": {one.alias: one.folder for one in self.joins},
                "relations": [_relation(one) for one in self.joins],
            }
        return found

    def _sort(self) -> list[str]:
        return [f"{'-' if down else ''}{path}" for path, down in self.sort]

    def _where(self) -> dict[str, Any]:
        """Canonically by source; where only `$` is asked, sometimes in a shorter form."""
        nodes = self.where.get("$", [])
        if set(self.where) == {"$"} and self.spelling == 1:
            return {"all_of": [_item([one], self.spelling) for one in nodes]}
        if set(self.where) == {"$"} and self.spelling == 2 and _are_distinct(nodes):
            return _item(nodes, self.spelling)
        found: dict[str, Any] = {}
        for alias, each in self.where.items():
            together = self.spelling == 3 and _are_distinct(each)
            found[alias] = (
                _item(each, self.spelling)
                if together
                else {"all_of": [_item([one], self.spelling) for one in each]}
            )
        return found


def can_be_parameters(query: Query) -> bool:
    """Flat conditions on `$`, each once, whose operands a text can spell."""
    nodes = query.where.get("$", [])
    return (
        set(query.where) <= {"$"}
        and not query.joins
        and all(isinstance(one, Leaf) for one in nodes)
        and _are_distinct(nodes)
        and all(_is_spellable(one.operand) for one in nodes if isinstance(one, Leaf))
    )


def _is_spellable(operand: Any) -> bool:
    return not isinstance(operand, list) or (
        bool(operand) and not any(isinstance(one, str) and "\\" in one for one in operand)
    )


def _text(operand: Any) -> str:
    if isinstance(operand, list):
        return ",".join(_text(one).replace(",", "\\,") for one in operand)
    if isinstance(operand, bool):
        return "true" if operand else "false"
    return str(operand)


def _are_distinct(nodes: list[Node]) -> bool:
    names = [f"{one.path}__{one.operator}" if isinstance(one, Leaf) else one.kind for one in nodes]
    return len(set(names)) == len(names)


def _item(nodes: list[Node], spelling: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in nodes:
        if isinstance(one, Leaf):
            plain = one.operator == "eq" and spelling % 2
            found[one.path if plain else f"{one.path}__{one.operator}"] = one.operand
        else:
            found[one.kind] = [_item(item, spelling) for item in one.items]
    return found


def _relation(join: Join) -> dict[str, Any]:
    found = {"source": join.source, "target": join.alias, "source_field": join.source_field}
    if join.target_field != "_sys.key":
        found["target_field"] = join.target_field
    if join.inner:
        found["join_type"] = "inner"
    return found


def _resolved(node: Node, resolve: Any) -> Node:
    if isinstance(node, Leaf):
        operand = node.operand
        operand = [resolve(one) for one in operand] if isinstance(operand, list) else resolve(operand)
        return Leaf(node.path, node.operator, operand)
    return Group(node.kind, [[_resolved(one, resolve) for one in item] for item in node.items])
