"""What a search is made of, once everything sent has been understood. Data only."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from flux.content.search.blanks import Blank, Texts
from flux.content.shape.fields import Field, Shape

T = TypeVar("T")

SYSTEM = {
    "_sys.key": Field("key", "_sys.key", "reference"),
    "_sys.created_at": Field("created_at", "_sys.created_at", "datetime"),
    "_sys.updated_at": Field("updated_at", "_sys.updated_at", "datetime"),
}


class Scope(Struct, frozen=True):
    """Where a search looks: a folder, with the schema that gives its fields. `component` is '' for collections.
    `parent` narrows a strict child down to one parent resource. `locales` are those whose values count, in order.
    `lacks_component`: a composite folder whose component was not named, so that only `_sys` fields are known."""

    folder: str
    component: str
    shape: Shape | None
    locales: tuple[str, ...]
    parent: str | Blank | None = None
    lacks_component: bool = False

    def field(self, path: str) -> Field | None:
        """A field that may be searched; None for every other path."""
        if path in SYSTEM:
            return SYSTEM[path]
        return self.shape.searchable.get(path) if self.shape is not None else None

    def is_many(self, path: str) -> bool:
        return self.shape is not None and path in self.shape.by_path and self.shape.is_many(path)

    def is_localizable(self, path: str) -> bool:
        return self.shape is not None and path in self.shape.by_path and self.shape.is_localizable(path)


class Leaf(Struct, frozen=True, tag_field="node", tag="leaf"):
    """`path` compared by `base`; `operand` is what the index holds, or a blank."""

    path: str
    type: str
    base: str
    operand: Any
    negated: bool = False
    folds: bool = False


class Group(Struct, frozen=True, tag_field="node", tag="group"):
    """`all` of none is true, `any` of none is false, `none` is not `any`."""

    kind: Literal["all", "any", "none"]
    nodes: tuple[Node, ...]


Node = Leaf | Group


class Join(Struct, frozen=True):
    """Documents of another folder that meet a document where two fields hold the same value. `required`: without any
    the document is not found. `joins` hang on these."""

    alias: str
    scope: Scope
    source_field: str
    target_field: str
    required: bool
    where: tuple[Node, ...]
    joins: tuple[Join, ...]


class Sort(Struct, frozen=True):
    """`path` is a data path or `_sys.…`: of the document, or of the first one, by key, that the joins of `way` lead to,
    the last of which is called `alias`."""

    path: str
    type: str
    descending: bool
    alias: str = ""
    way: tuple[Join, ...] = ()

    @property
    def is_column(self) -> bool:
        """The document's own time or key: never without a value, and indexed with it."""
        return self.path in SYSTEM and not self.alias


class Anchor(Struct, frozen=True):
    """Where a page begins: after (or, `backwards`, before) the document `key`, whose sort values these are."""

    backwards: bool
    values: tuple[Any, ...]
    key: str


class Plan(Struct, frozen=True):
    """`sort` never names the final tie-breaker, the key, which is always there, ascending.

    A plan made from a shape that was seen before has blanks; `operands` and `parent` are what fills them, and `texts` are
    the shape's statements. Any other plan has none of them. `kept` is what was made for exactly these values and this page, where
    the plan itself is kept."""

    scope: Scope
    where: tuple[Node, ...]
    sort: tuple[Sort, ...]
    limit: int
    offset: int
    anchor: Anchor | None
    joins: tuple[Join, ...] = ()
    operands: tuple[Any, ...] = ()
    parent: str | None = None
    texts: Texts | None = None
    kept: dict[Hashable, Any] | None = None


def known_of(plan: Plan, name: str, find: Callable[[Plan], T]) -> T:
    """What `find` finds out about a plan from its scope, conditions, sort and joins alone: once for its shape."""
    texts = plan.texts
    if texts is None:
        return find(plan)
    facts = texts.facts
    if name not in facts:
        facts[name] = find(plan)
    found: T = facts[name]
    return found


def realised(plan: Plan) -> Plan:
    """The same plan without blanks."""
    if plan.texts is None:
        return plan

    def node(one: Node) -> Node:
        if isinstance(one, Group):
            return Group(one.kind, tuple(node(each) for each in one.nodes))
        if isinstance(one.operand, Blank):
            return msgspec.structs.replace(one, operand=plan.operands[one.operand.at])
        return one

    def join(one: Join) -> Join:
        return msgspec.structs.replace(
            one, where=tuple(map(node, one.where)), joins=tuple(map(join, one.joins))
        )

    return msgspec.structs.replace(
        plan,
        scope=msgspec.structs.replace(plan.scope, parent=plan.parent),
        where=tuple(map(node, plan.where)),
        sort=tuple(msgspec.structs.replace(one, way=tuple(map(join, one.way))) for one in plan.sort),
        joins=tuple(map(join, plan.joins)),
        operands=(),
        parent=None,
        texts=None,
        kept=None,
    )


KEY = "_sys.key"
DEFAULT_SORT = (Sort("_sys.created_at", "datetime", True),)
