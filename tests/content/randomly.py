"""Random schemas, documents and queries, all from one seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.content.oracle import CODES, comparable
from tests.content.queries import Field, Group, Join, Leaf, Moment, Node, Pointer, Query, can_be_parameters

WORDS = (
    "", "a", "A", "b", "ab", "Ab", "aB", "abc", "ABC", "ß", "ss", "SS", "Straße", "STRASSE", "é", "e\u0301", "%", "_",
    "a_b", "a%", "\\", "'", '"', ",", "a,b", "İ", "i", "ı", "ﬁ", "fi", " a", "a ", "\n", "zz", "\ufffd", "𐀀", "😀", "Σ", "ς",
)  # fmt: skip
LONG = (*WORDS, "a long text, with Straße in it", "A LONG TEXT, WITH strasse in it", "x" * 300)
INTEGERS = (0, 1, -1, 2, 3, 10, -10, 9_007_199_254_740_991, -9_007_199_254_740_991)
NUMBERS = (0, 1, -1.5, 0.1, 0.30000000000000004, 2.5, -0.0, 1e300, -1e-300, 3)
DATES = ("0001-01-01", "1969-12-31", "2024-02-29", "2024-03-01", "2024-12-31", "9999-12-31")
TIMES = ("00:00:00Z", "00:00:00.000001Z", "09:59:59.999Z", "10:00:00Z", "23:59:59.999999Z")
MOMENTS = (
    "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.001Z", "2024-01-01T01:00:00+02:00", "2023-12-31T23:00:00Z",
    "1969-12-31T23:59:59.999999Z", "2024-06-01T12:00:00-05:00", "0001-01-02T00:00:00Z",
)  # fmt: skip
POOLS: dict[str, tuple[Any, ...]] = {
    "string": WORDS, "text": LONG, "integer": INTEGERS, "number": NUMBERS, "boolean": (True, False), "date": DATES,
    "time": TIMES, "datetime": MOMENTS,
}  # fmt: skip
TEXTUAL = ("string", "text")
ORDERED = ("string", "text", "integer", "number", "date", "time", "datetime")

PEOPLE = {
    one.path: one
    for one in (
        Field("number", "integer", searchable=False),
        Field("name", "string"),
        Field("age", "integer"),
        Field("nick", "string", localizable=True),
        Field("boss", "reference", meta={"folder": "people"}),
    )
}
NOTES = {
    one.path: one
    for one in (
        Field("number", "integer", searchable=False),
        Field("about", "reference", meta={"folder": "things"}),
        Field("seen", "relation", meta={"folder": "people"}),
        Field("line", "string"),
        Field("stars", "number"),
    )
}
Schema = dict[str, Field]


class Chance:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def once_in(self, number: int) -> bool:
        return self.random.randrange(number) == 0

    # -- schemas ----------------------------------------------------------------------------------------------

    def things(self) -> Schema:
        """The schema of the folder that is searched: some fields of every kind, flags at random."""
        fields = [
            Field("number", "integer", searchable=False),
            Field("owner", "reference", meta={"folder": "people"}),
            Field("friends", "relation", meta={"folder": "people"}),
        ]
        kinds = [*POOLS, *self.random.choices(list(POOLS), k=4)]
        fields += [self._field(f"f{index}", kind) for index, kind in enumerate(kinds)]
        box = Field(
            "box",
            "object",
            multiple=self.once_in(2),
            localizable=self.once_in(3),
            searchable=False,
            nullable=True,
        )
        below = [
            self._field(f"box.g{index}", kind)
            for index, kind in enumerate(self.random.sample(list(POOLS), 3))
        ]
        if box.localizable:
            # Whose translation counts when both are stored by locale is nobody's question here.
            below = [replace(one, localizable=False) for one in below]
        return {one.path: one for one in [*fields, box, *below]}

    def _field(self, path: str, kind: str) -> Field:
        return Field(
            path,
            kind,
            multiple=self.once_in(4),
            localizable=self.once_in(4),
            searchable=not self.once_in(8),
            nullable=self.once_in(2),
        )

    # -- documents --------------------------------------------------------------------------------------------

    def document(self, schema: Schema, number: int) -> dict[str, Any]:
        """Data with pointers in the place of keys."""
        return {"number": number, **self._members(schema, "", skip="number")}

    def _members(self, schema: Schema, above: str, skip: str = "") -> dict[str, Any]:
        found = {}
        for path, field in schema.items():
            parent, _, key = path.rpartition(".")
            if parent == above and key != skip and not self.once_in(5):
                found[key] = self._stored(schema, field)
                if field.localizable and not found[key]:
                    # Without translations it would be read as a bare value.
                    del found[key]
        return found

    def _stored(self, schema: Schema, field: Field) -> Any:
        if not field.localizable:
            return self._value(schema, field)
        codes = [code for code in CODES if not self.once_in(3)]
        found = {code: self._value(schema, field) for code in codes}
        return {
            code: value
            for code, value in found.items()
            if value is not None or code != "en" or field.nullable
        }

    def _value(self, schema: Schema, field: Field) -> Any:
        if field.nullable and self.once_in(6):
            return None
        if field.multiple:
            return [self._single(schema, field) for _ in range(self.random.randrange(4))]
        return self._single(schema, field)

    def _single(self, schema: Schema, field: Field) -> Any:
        if field.kind == "object":
            return self._members(schema, field.path)
        if field.kind == "relation":
            return [self._pointer(field) for _ in range(self.random.randrange(4))]
        return self._pointer(field) if field.kind == "reference" else self.random.choice(POOLS[field.kind])

    def _pointer(self, field: Field) -> Any:
        return "nobody" if self.once_in(8) else Pointer(field.meta["folder"], self.random.randrange(12))

    # -- queries ----------------------------------------------------------------------------------------------

    def query(self, things: Schema) -> Query:
        joins = self._joins() if self.once_in(3) else []
        schemas = {"$": things, **{one.alias: PEOPLE if one.folder == "people" else NOTES for one in joins}}
        where = {}
        for alias, schema in schemas.items():
            chance = 4 if alias == "$" else 2
            if self.random.randrange(4) < chance:
                nodes = [self._node(alias, schema, 0) for _ in range(self.random.choice((0, 1, 1, 2, 3)))]
                where.update({alias: nodes} if nodes or alias == "$" else {})
        query = Query(
            "things",
            where=where if where.get("$") or len(where) > 1 else {},
            sort=self._sort(schemas),
            joins=joins,
            limit=self.random.choice((1, 2, 3, 5, 7, 10, 40, 100)),
            offset=self.random.choice((0, 0, 0, 1, 5)),
            search_locale=self.random.choice((None, None, *CODES)),
            return_locales=self.random.sample(CODES, self.random.choice((0, 0, 1, 2))),
            fallback=self.once_in(3),
            raw=self.once_in(6),
            spelling=self.random.randrange(4),
        )
        return replace(query, get=can_be_parameters(query) and self.once_in(2))

    def _node(self, alias: str, schema: Schema, depth: int) -> Node:
        if depth < 3 and self.once_in(4):
            kind = self.random.choice(("all_of", "any_of", "any_of", "none_of"))
            items = [
                [self._node(alias, schema, depth + 1) for _ in range(self.random.choice((1, 1, 2)))]
                for _ in range(self.random.choice((0, 1, 2, 2, 3)))
            ]
            return Group(kind, [_without_repeats(item) for item in items])
        return self._leaf(alias, schema)

    def _leaf(self, alias: str, schema: Schema) -> Leaf:
        if self.once_in(8):
            return self._system(alias)
        field = self.random.choice([one for one in schema.values() if one.searchable])
        many = any(
            schema[path].multiple or schema[path].kind == "relation"
            for path in (field.path, field.path.partition(".")[0])
        )
        operator = self.random.choice(_operators(field.kind, many=many))
        return Leaf(field.path, operator, self._operand(operator, field.kind, lambda: self._wanted(field)))

    def _wanted(self, field: Field) -> Any:
        if field.kind in ("reference", "relation"):
            return self._pointer(field)
        value = self.random.choice(POOLS[field.kind])
        if field.kind == "datetime" and self.once_in(4):
            return self.random.choice(DATES)
        if field.kind == "integer" and self.once_in(6):
            return value + 0.5 if abs(value) < 100 else value
        return value

    def _system(self, alias: str) -> Leaf:
        member = self.random.choice(("key", "created_at", "updated_at"))
        folder = "things" if alias == "$" else "people"
        operators = _operators("datetime", many=False)
        if member == "key":
            operators = ["eq", "ne", "in", "nin", "isnull"]
        operator = self.random.choice(operators)

        def one() -> Any:
            number = self.random.randrange(12)
            if member == "key":
                return Pointer(folder, number)
            return Moment(folder, number, member, self.random.choice((0, 0, 1, -1, 5)))

        if operator == "between":
            number = self.random.randrange(12)
            return Leaf(
                f"_sys.{member}", operator, [Moment(folder, number, member, shift) for shift in (-2, 5)]
            )
        return Leaf(f"_sys.{member}", operator, self._operand(operator, "datetime", one))

    def _operand(self, operator: str, kind: str, one: Callable[[], Any]) -> Any:
        if operator in ("isnull", "is_null", "exists"):
            return self.once_in(2)
        if operator in ("in", "iin", "nin", "not_in"):
            return [one() for _ in range(self.random.choice((0, 1, 2, 3)))]
        if operator == "between":
            return sorted((one(), one()), key=lambda value: comparable(kind, value))
        return one()

    def _sort(self, schemas: dict[str, Schema]) -> list[tuple[str, bool]]:
        names = ["_sys.created_at", "_sys.updated_at", "_sys.key"]
        for alias, schema in schemas.items():
            prefix = "" if alias == "$" else f"{alias}."
            names += [
                prefix + one.path
                for one in schema.values()
                if one.searchable
                and not one.multiple
                and one.kind != "relation"
                and not schema.get(one.path.partition(".")[0], one).multiple
            ]
        found = self.random.sample(names, self.random.choice((0, 1, 1, 2, 3)))
        return [(name, self.once_in(2)) for name in found]

    def _joins(self) -> list[Join]:
        """One to three aliases: forward by references, backward from notes, and on from there."""
        ways = [
            Join("p", "people", "$", self.random.choice(("owner", "friends")), "_sys.key", self.once_in(3)),
            Join("n", "notes", "$", "_sys.key", "about", self.once_in(3)),
        ]
        found = self.random.sample(ways, self.random.choice((1, 1, 2)))
        last = found[-1]
        if self.once_in(2):
            field = "boss" if last.alias == "p" else "seen"
            found.append(Join("q", "people", last.alias, field, "_sys.key", self.once_in(4)))
        return found


def _without_repeats(nodes: list[Node]) -> list[Node]:
    """The members of one object cannot repeat a name."""
    names: dict[str, Node] = {}
    for one in nodes:
        names.setdefault(f"{one.path}__{one.operator}" if isinstance(one, Leaf) else one.kind, one)
        if isinstance(one, Leaf) and one.operator == "eq":
            names.setdefault(one.path, one)
    return list({id(one): one for one in names.values()}.values())


def _operators(kind: str, *, many: bool) -> list[str]:
    found = ["eq", "ne", "neq", "in", "nin", "not_in", "isnull", "is_null", "exists"]
    if kind in ORDERED:
        found += ["gt", "gte", "lt", "lte", "between"]
    if kind in TEXTUAL:
        found += [
            "ieq", "ine", "iin", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith",
        ]  # fmt: skip
    elif many:
        found.append("contains")
    return found
