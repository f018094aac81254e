"""What a query should answer, worked out the slow and obvious way: one document at a time, in Python.

Nothing here shares code with the server. `Oracle` is told the stored documents of one server's folders and answers
queries as docs of the contract say: filters, locales with fallback, joins, order. Queries are those of
tests/content/queries.py, with their operands resolved to this server's keys and moments.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.content.queries import Field, Join, Leaf, Node, Query

CODES = ("en", "fr", "fr_CA")
DEFAULT = "en"
CHAINS = {"en": ["en"], "fr": ["fr", "en"], "fr_CA": ["fr_CA", "fr", "en"]}


@dataclass
class Document:
    """`number` is the same on every server, `key` and the moments (microseconds) are the server's own."""

    number: int
    key: str
    created_at: int
    updated_at: int
    data: dict[str, Any]


Folder = dict[str, Document]
"""By key."""


def micros(text: str) -> int:
    if len(text) == 10:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * 86_400_000_000
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def time_micros(text: str) -> int:
    hours, minutes, seconds = text.removesuffix("Z").split(":")
    whole, _, fraction = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def comparable(kind: str, value: Any) -> Any:
    """A value as it is compared: instants, days and times as numbers."""
    if kind in ("date", "datetime"):
        return micros(value)
    if kind == "time":
        return time_micros(value)
    return float(value) if kind in ("integer", "number", "boolean") else value


def fold(text: str) -> str:
    """Without case: the compatibility form of the folded compatibility form."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Oracle:
    def __init__(self, fields: dict[str, dict[str, Field]], folders: dict[str, Folder]) -> None:
        self._fields = fields
        self.folders = folders

    def answer(self, query: Query) -> list[Document]:
        """Every document that is found, in order, without paging."""
        locales = self._locales(query)
        found = [one for one in self.folders[query.folder].values() if self._is_found(query, one, locales)]
        found.sort(key=lambda one: one.key)
        for path, descending in reversed(query.sort or [("_sys.created_at", True)]):
            # Stable, from the last entry to the first; reversed twice, so that ties stay in the order of their keys.
            if descending:
                found.reverse()
            found.sort(key=lambda one, path=path: self._rank(query, one, path, locales))  # type: ignore[misc]
            if descending:
                found.reverse()
        return found

    def joined(self, query: Query, document: Document) -> dict[str, list[str]]:
        """The keys that each alias leads to."""
        found: dict[str, list[str]] = {one.alias: [] for one in query.joins}
        self._hang(query, "$", query.folder, [document], found)
        return found

    # -- order ------------------------------------------------------------------------------------------------

    def _rank(self, query: Query, document: Document, path: str, locales: list[str]) -> tuple[bool, Any]:
        if path.startswith("_sys."):
            return False, getattr(document, path.removeprefix("_sys."))
        alias, _, rest = path.partition(".")
        join = next((one for one in query.joins if one.alias == alias), None)
        folder, holder = query.folder, document
        if join is not None:
            keys = self.joined(query, document)[alias]
            if not keys:
                return True, 0
            folder, path, holder = join.folder, rest, self.folders[join.folder][keys[0]]
        kind = self._fields[folder][path].kind
        values = self._values(folder, holder, path, locales)
        return (False, comparable(kind, values[0])) if values else (True, 0)

    # -- values -----------------------------------------------------------------------------------------------

    @staticmethod
    def _locales(query: Query) -> list[str]:
        code = query.search_locale or DEFAULT
        return CHAINS[code] if query.fallback else [code]

    def _values(self, folder: str, document: Document, path: str, locales: list[str]) -> list[Any]:
        """Of a path, in the first of the locales that has any."""
        for locale in locales:
            found = self._reached(folder, [document.data], path.split("."), "", locale)
            if found:
                return found
        return []

    def _reached(
        self, folder: str, holders: list[Any], rest: list[str], above: str, locale: str
    ) -> list[Any]:
        path = f"{above}.{rest[0]}" if above else rest[0]
        field = self._fields[folder][path]
        values = [one.get(rest[0]) for one in holders if isinstance(one, dict)]
        if field.localizable:
            values = [
                (value if isinstance(value, dict) and set(value) <= set(CODES) else {DEFAULT: value}).get(
                    locale
                )
                for value in values
                if value is not None
            ]
        flat: list[Any] = []
        for value in values:
            flat += value if isinstance(value, list) else [value]
        flat = [one for one in flat if one is not None]
        return flat if len(rest) == 1 else self._reached(folder, flat, rest[1:], path, locale)

    # -- conditions -------------------------------------------------------------------------------------------

    def _is_found(self, query: Query, document: Document, locales: list[str]) -> bool:
        nodes = query.where.get("$", [])
        if not all(self._holds(query.folder, one, document, locales) for one in nodes):
            return False
        return all(
            self._led(query, join, query.folder, document)
            for join in query.joins
            if join.source == "$" and self._is_required(query, join)
        )

    def _holds(self, folder: str, node: Node, document: Document, locales: list[str]) -> bool:
        if isinstance(node, Leaf):
            return self._leaf(folder, node, document, locales)
        held = [all(self._holds(folder, one, document, locales) for one in item) for item in node.items]
        if node.kind == "all_of":
            return all(held)
        return any(held) if node.kind == "any_of" else not any(held)

    def _leaf(self, folder: str, leaf: Leaf, document: Document, locales: list[str]) -> bool:
        path, operator, wanted = leaf.path, leaf.operator, leaf.operand
        if path == "_sys.key":
            kind, many, values = "reference", False, [document.key]
        elif path.startswith("_sys."):
            stamp = getattr(document, path.removeprefix("_sys."))
            return _compare("number", operator, [stamp], _stamped(wanted), many=False)
        else:
            field = self._fields[folder][path]
            kind, many = field.kind, self.is_many(folder, path)
            values = self._values(folder, document, path, locales)
        plain = [comparable(kind, one) for one in values]
        if operator not in ("isnull", "exists", "is_null"):
            wanted = (
                [comparable(kind, one) for one in wanted]
                if isinstance(wanted, list)
                else comparable(kind, wanted)
            )
        return _compare(kind, operator, plain, wanted, many=many)

    def is_many(self, folder: str, path: str) -> bool:
        parts = path.split(".")
        above = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        chain = [self._fields[folder][one] for one in above]
        return any(one.multiple or one.kind == "relation" for one in chain)

    # -- joins ------------------------------------------------------------------------------------------------

    def _is_required(self, query: Query, join: Join) -> bool:
        below = [one for one in query.joins if one.source == join.alias]
        return (
            join.inner
            or bool(query.where.get(join.alias))
            or any(self._is_required(query, one) for one in below)
        )

    def _led(self, query: Query, join: Join, folder: str, document: Document) -> list[Document]:
        """What a join leads to from a document, by key."""
        locales = self._locales(query)
        mine = self._met(folder, document, join.source_field, locales)
        found = []
        for key in sorted(self.folders[join.folder]):
            other = self.folders[join.folder][key]
            if not mine & self._met(join.folder, other, join.target_field, locales):
                continue
            nodes = query.where.get(join.alias, [])
            if not all(self._holds(join.folder, one, other, locales) for one in nodes):
                continue
            below = [one for one in query.joins if one.source == join.alias and self._is_required(query, one)]
            if all(self._led(query, one, join.folder, other) for one in below):
                found.append(other)
        return found

    def _met(self, folder: str, document: Document, path: str, locales: list[str]) -> set[str]:
        return (
            {document.key} if path == "_sys.key" else set(self._values(folder, document, path, locales[:1]))
        )

    def _hang(
        self, query: Query, source: str, folder: str, documents: list[Document], found: dict[str, list[str]]
    ) -> None:
        for join in query.joins:
            if join.source == source:
                led = [other for one in documents for other in self._led(query, join, folder, one)]
                found[join.alias] += [one.key for one in led]
                self._hang(query, join.alias, join.folder, led, found)

    # -- how a document is shown ------------------------------------------------------------------------------

    def shown(self, query: Query, document: Document) -> dict[str, Any]:
        if query.raw:
            return document.data
        return self._shown(query, query.folder, "", document.data)

    def _shown(self, query: Query, folder: str, above: str, data: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for key, value in data.items():
            path = f"{above}.{key}" if above else key
            field = self._fields[folder][path]
            if not field.localizable:
                found[key] = self._within(query, folder, path, value)
                continue
            values = {
                code: self._within(query, folder, path, _translation(value, code, query.fallback))
                for code in query.return_locales or CODES
            }
            found[key] = values[query.return_locales[0]] if len(query.return_locales) == 1 else values
        return found

    def _within(self, query: Query, folder: str, path: str, value: Any) -> Any:
        if self._fields[folder][path].kind != "object":
            return value
        if isinstance(value, list):
            return [self._within(query, folder, path, one) for one in value]
        return self._shown(query, folder, path, value) if isinstance(value, dict) else value


def _translation(value: dict[str, Any], code: str, fallback: bool) -> Any:
    for other in CHAINS[code] if fallback else [code]:
        if value.get(other) is not None:
            return value[other]
    return None


def _stamped(wanted: Any) -> Any:
    if isinstance(wanted, bool):
        return wanted
    return [micros(one) for one in wanted] if isinstance(wanted, list) else micros(wanted)


_NEGATED = {"ne": "eq", "neq": "eq", "ine": "ieq", "nin": "in", "not_in": "in", "exists": "isnull"}
_ALIASES = {"is_null": "isnull"}


def _compare(kind: str, operator: str, values: list[Any], wanted: Any, *, many: bool) -> bool:
    if operator in _NEGATED:
        return not _compare(kind, _NEGATED[operator], values, wanted, many=many)
    operator = _ALIASES.get(operator, operator)
    if operator == "isnull":
        return (not values) is wanted
    if operator == "contains" and many:
        operator = "eq"
    if operator in ("ieq", "iin", "icontains", "istartswith", "iendswith"):
        values = [fold(one) for one in values]
        wanted = [fold(one) for one in wanted] if isinstance(wanted, list) else fold(wanted)
        operator = operator[1:]
    return any(_one(operator, value, wanted) for value in values)


def _one(operator: str, value: Any, wanted: Any) -> bool:
    match operator:
        case "eq":
            return bool(value == wanted)
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
        case "lte":
            return bool(value <= wanted)
        case "in":
            return value in wanted
        case "between":
            return bool(wanted[0] <= value <= wanted[1])
        case "contains":
            return wanted in value
        case "startswith":
            return bool(value.startswith(wanted))
        case "endswith":
            return bool(value.endswith(wanted))
    raise AssertionError(operator)
