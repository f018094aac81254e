"""The filter grammar: from what was sent to a tree of conditions, with every problem at its path.

Canonically `{"$": {"all_of": [{"status__eq": "x"}, {"any_of": […]}]}}`; the shorthands (no source, no group, no
operator) mean the same and keep their own paths in problems.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import lru_cache
from typing import Any

from msgspec import Struct

from flux.content.search.blanks import Blank
from flux.content.search.operators import OperandRefused, Operator, applies, from_text, operand, operator
from flux.content.search.plan import Group, Leaf, Node, Scope
from flux.content.search.problems import Problems
from flux.content.shape.fields import Field

GROUPS = {"all_of": "all", "any_of": "any", "none_of": "none"}
GET_PREFIX = "where__"
REFUSED: Any = object()


_FIXED = frozenset({"startswith", "istartswith", "endswith", "iendswith", "isnull", "is_null", "exists"})
"""Operators whose operand changes the statement, not only what is bound to it."""


_USUAL_NAME = 100
"""Longer names are not kept."""


class Sent(Struct, frozen=True):
    """The value of a condition, as the `place`-th of those that a request of this shape may change."""

    place: int
    value: Any


class Operand(Struct, frozen=True):
    """How a value that was sent becomes what the index holds. `textual`: it comes as a query parameter."""

    one: Operator
    field: Field
    textual: bool

    def read(self, value: Any) -> Any:
        """Raises `OperandRefused`."""
        if self.textual:
            value = from_text(self.one, self.field, value)
        return operand(self.one, self.field, value)


class Heard:
    """What was learnt of the values that came as `Sent`: how each is read, by place; `refused` says that one of them does not
    fit, so that another might."""

    def __init__(self) -> None:
        self.operands: dict[int, Operand] = {}
        self.refused = False


def is_open(name: str) -> bool:
    """Whether a condition of this name may have another value without being another query."""
    return _is_open(name) if len(name) <= _USUAL_NAME else _is_open.__wrapped__(name)


@lru_cache(maxsize=4096)
def _is_open(name: str) -> bool:
    path, marker, suffix = name.rpartition("__")
    return not name.startswith("_sys.") and not (marker and path and suffix in _FIXED)


def opened(value: Any, aliases: Container[str], put: Callable[[Any], Any]) -> Any:
    """A filter in which `put` stands in for every value that is open, in order."""
    if not isinstance(value, dict):
        return value
    return {
        key: _item(inner, put)
        if key == "$" or (key in aliases and isinstance(inner, dict))
        else _member(key, inner, put)
        for key, inner in value.items()
    }


def _item(value: Any, put: Callable[[Any], Any]) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _member(key, inner, put) for key, inner in value.items()}


def _member(key: str, value: Any, put: Callable[[Any], Any]) -> Any:
    if key in GROUPS:
        return [_item(one, put) for one in value] if isinstance(value, list) else value
    return put(value) if is_open(key) else value


class Where:
    """One run over the filters of a request. `scopes` are `$` and the join aliases."""

    def __init__(
        self, scopes: dict[str, Scope], problems: Problems, heard: Heard, *, deepest: int, most: int
    ) -> None:
        self._scopes = scopes
        self._problems = problems
        self._deepest = deepest
        self._most = most
        self._count = 0
        self._heard = heard

    # -- bodies -----------------------------------------------------------------------------------------------

    def body(self, value: Any, path: str = "where") -> dict[str, tuple[Node, ...]]:
        """Conditions by source."""
        if not isinstance(value, dict):
            self._problems.null(path) if value is None else self._problems.type(path, "object")
            return {}
        found: dict[str, tuple[Node, ...]] = {}
        plain: dict[str, Any] = {}
        for key, inner in value.items():
            if key == "$" or (key in self._scopes and isinstance(inner, dict)):
                found[key] = (*found.get(key, ()), *self._source(self._scopes[key], inner, f"{path}.{key}"))
            else:
                plain[key] = inner
        if plain:
            found["$"] = (*found.get("$", ()), *self._item(self._scopes["$"], plain, path, 1))
        return found

    def _source(self, scope: Scope, value: Any, path: str) -> tuple[Node, ...]:
        if not isinstance(value, dict):
            self._problems.null(path) if value is None else self._problems.type(path, "object")
            return ()
        return self._item(scope, value, path, 1)

    def _item(self, scope: Scope, value: dict[str, Any], path: str, depth: int) -> tuple[Node, ...]:
        """An item's members are all wanted: groups and conditions alike."""
        nodes: list[Node] = []
        for key, inner in value.items():
            at = f"{path}.{key}"
            if key in GROUPS:
                nodes += self._group(scope, key, inner, at, depth)
            else:
                leaf = self._leaf(scope, key, inner, at)
                nodes += [leaf] if leaf is not None else []
        return tuple(nodes)

    def _group(self, scope: Scope, kind: str, value: Any, path: str, depth: int) -> list[Node]:
        if depth > self._deepest:
            self._problems.value(path, f"Groups are nested more than {self._deepest} deep")
            return []
        if not isinstance(value, list):
            self._problems.null(path) if value is None else self._problems.type(path, "list")
            return []
        items: list[Node] = []
        for index, inner in enumerate(value):
            at = f"{path}.{index}"
            if not isinstance(inner, dict):
                self._problems.null(at) if inner is None else self._problems.type(at, "object")
                continue
            nodes = self._item(scope, inner, at, depth + 1)
            if nodes or not inner:
                items.append(nodes[0] if len(nodes) == 1 else Group("all", nodes))
        if value and not items:
            # Every clause was dropped, as its field is unknown and that is ignored: as if the group were absent.
            return []
        return [Group(GROUPS[kind], tuple(items))]  # type: ignore[arg-type]

    def _leaf(self, scope: Scope, key: str, value: Any, path: str) -> Leaf | None:
        name, marker, suffix = key.rpartition("__")
        if not marker:
            return self._condition(scope, key, operator("eq"), "eq", value, path)
        return self._condition(scope, name, operator(suffix), suffix, value, path)

    def _condition(
        self,
        scope: Scope,
        name: str,
        one: Operator | None,
        suffix: str,
        value: Any,
        path: str,
        *,
        textual: bool = False,
    ) -> Leaf | None:
        self._count += 1
        if self._count > self._most:
            if self._count == self._most + 1:
                self._problems.value(path, f"More than {self._most} conditions")
            return None
        field = scope.field(name)
        if field is None:
            self._problems.unknown_field(scope)
            return None
        if one is None or not applies(one, field, many=scope.is_many(name)):
            details = f"Operator '{suffix}' is not supported for type '{field.type}'"
            self._problems.add(path, "Invalid operator", details)
            return None
        wanted = self._operand(Operand(one, field, textual), value, path)
        if wanted is REFUSED:
            return None
        base = "eq" if one.base == "contains" and scope.is_many(name) and not one.folds else one.base
        return Leaf(name, field.type, base, wanted, one.negated, one.folds)

    def _operand(self, how: Operand, value: Any, path: str) -> Any:
        """The operand, or a blank in its place; `REFUSED` when it does not fit."""
        sent = value if isinstance(value, Sent) else None
        try:
            wanted = how.read(value if sent is None else sent.value)
        except OperandRefused as refused:
            self._heard.refused = self._heard.refused or sent is not None
            self._problems.add(path, refused.message, refused.details)
            return REFUSED
        if sent is None:
            return wanted
        self._heard.operands[sent.place] = how
        return Blank("operand", sent.place)

    # -- query parameters -------------------------------------------------------------------------------------

    def parameter(self, name: str, text: Any) -> tuple[Node, ...]:
        """`where__field__operator=value`: the operator is what stands after the last `__`, when it is one."""
        rest = name[len(GET_PREFIX) :]
        path, _, suffix = rest.rpartition("__")
        one = operator(suffix) if path else None
        if one is None:
            path, suffix, one = rest, "eq", operator("eq")
        leaf = self._condition(self._scopes["$"], path, one, suffix, text, name, textual=True)
        return (leaf,) if leaf is not None else ()
