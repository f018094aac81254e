"""Joins: which folders stand beside the one that is searched, and by which fields they meet."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from flux.content.delivery.served import ApiServed, Snapshot
from flux.content.faults import FAILED_JOIN, INVALID_REQUEST, TOO_MANY_JOIN_FOLDERS, UNKNOWN_FIELD
from flux.content.search.plan import KEY, Join, Node, Scope, Sort
from flux.content.search.problems import Problems
from flux.settings.content import ContentSettings

_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)
_TYPES = ("left", "inner")


class Relation(Struct, frozen=True):
    """A document of `source` meets those of `target` where the two fields hold the same value."""

    source: str
    target: str
    source_field: str
    target_field: str
    inner: bool


class Joins(Struct, frozen=True):
    """`relations` are ordered so that every source comes before its targets. `where` are conditions by alias."""

    scopes: dict[str, Scope]
    relations: tuple[Relation, ...]
    where: dict[str, tuple[Node, ...]] = {}

    def narrowed(self, where: dict[str, tuple[Node, ...]]) -> Joins:
        return Joins(self.scopes, self.relations, {alias: where.get(alias, ()) for alias in self.scopes})

    @property
    def folders(self) -> list[str]:
        return [one.folder for one in self.scopes.values()]

    def led(self, sort: tuple[Sort, ...]) -> tuple[Sort, ...]:
        """Entries that name an alias, with the way that leads to it."""
        return tuple(
            msgspec.structs.replace(one, way=self._way(one.alias)) if one.alias else one for one in sort
        )

    def _way(self, alias: str) -> tuple[Join, ...]:
        def search(joins: tuple[Join, ...], above: tuple[Join, ...]) -> tuple[Join, ...] | None:
            for one in joins:
                chain = (*above, one)
                found = chain if one.alias == alias else search(one.joins, chain)
                if found is not None:
                    return found
            return None

        return search(self.tree("$"), ()) or ()

    def tree(self, source: str) -> tuple[Join, ...]:
        """What hangs on `source`. Conditions on an alias make it required, and what it hangs on too."""
        found = []
        for one in self.relations:
            if one.source != source:
                continue
            where, below = self.where.get(one.target, ()), self.tree(one.target)
            required = one.inner or bool(where) or any(join.required for join in below)
            found.append(
                Join(
                    one.target,
                    self.scopes[one.target],
                    one.source_field,
                    one.target_field,
                    required,
                    where,
                    below,
                )
            )
        return tuple(found)


NO_JOINS = Joins({}, ())


def read_joins(
    value: Any,
    snapshot: Snapshot,
    api: ApiServed,
    scope: Scope,
    settings: ContentSettings,
    problems: Problems,
) -> Joins:
    """Raises `TOO_MANY_JOIN_FOLDERS` before anything is resolved, then `FAILED_JOIN`, then `UNKNOWN_FIELD`."""
    if value is None:
        return NO_JOINS
    if not isinstance(value, dict) or not isinstance(value.get("as", {}), dict):
        raise INVALID_REQUEST()
    aliases: dict[str, Any] = value.get("as", {})
    if len(aliases) > settings.max_join_folders:
        raise TOO_MANY_JOIN_FOLDERS()
    for name in value:
        if name not in ("as", "relations"):
            problems.surplus(f"join.{name}")
    scopes = {alias: _scope(alias, path, snapshot, api, scope) for alias, path in aliases.items()}
    sent = value.get("relations", [])
    if not isinstance(sent, list):
        raise INVALID_REQUEST()
    relations = _ordered([_relation(one, scopes) for one in sent], set(scopes))
    for one in relations:
        _check_field(one.source_field, scope if one.source == "$" else scopes[one.source], problems)
        _check_field(one.target_field, scopes[one.target], problems)
    return Joins(scopes, tuple(relations))


def _scope(alias: str, path: Any, snapshot: Snapshot, api: ApiServed, scope: Scope) -> Scope:
    if not _ALIAS.match(alias) or not isinstance(path, str):
        raise FAILED_JOIN()
    served = api.by_path.get(path.strip("/").replace(".", "/"))
    if served is None or "get_many" not in served.allowed:
        raise FAILED_JOIN()
    shape = served.schema.shape if served.schema else None
    return Scope(served.key, "", shape, scope.locales, None, served.folder.is_composite)


def _relation(value: Any, scopes: dict[str, Scope]) -> Relation:
    if not isinstance(value, dict):
        raise FAILED_JOIN()
    source, target = value.get("source"), value.get("target")
    if target not in scopes or not (source == "$" or source in scopes):
        raise FAILED_JOIN()
    fields = (value.get("source_field"), value.get("target_field", KEY))
    kind = value.get("join_type", "left")
    if not all(isinstance(one, str) for one in fields) or kind not in _TYPES:
        raise FAILED_JOIN()
    return Relation(str(source), str(target), str(fields[0]), str(fields[1]), kind == "inner")


def _ordered(relations: list[Relation], aliases: set[str]) -> list[Relation]:
    """Every alias is reached from `$` by exactly one chain of relations."""
    if sorted(one.target for one in relations) != sorted(aliases):
        raise FAILED_JOIN()
    reached = {"$"}
    ordered: list[Relation] = []
    waiting = list(relations)
    while waiting:
        ready = [one for one in waiting if one.source in reached]
        if not ready:
            raise FAILED_JOIN()
        ordered += ready
        reached |= {one.target for one in ready}
        waiting = [one for one in waiting if one not in ready]
    return ordered


def _check_field(path: str, scope: Scope, problems: Problems) -> None:
    """Joins follow keys, references, and searchable strings. Never ignorable: without its field a join means nothing."""
    if path == KEY:
        return
    problems.needs_schema(scope)
    field = scope.shape.indexed.get(path) if scope.shape is not None else None
    if field is None or field.type not in ("string", "reference", "relation"):
        raise UNKNOWN_FIELD()
