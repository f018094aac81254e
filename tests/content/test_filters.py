"""Every operator on every kind of field, against an evaluation in Python, through the door, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

S = {"searchable": True}
FIELDS = [
    a_field("word", **S),
    a_field("words", multiple=True, **S),
    a_field("body", "text", **S),
    a_field("count", "integer", **S),
    a_field("size", "number", **S),
    a_field("flag", "boolean", **S),
    a_field("day", "date", **S),
    a_field("hour", "time", **S),
    a_field("moment", "datetime", **S),
    a_field("friend", "reference"),
    a_field("links", "relation"),
    a_field("box", "object"),
    a_field("inner", "integer", parent="box", nullable=True, **S),
    a_field("rows", "object", multiple=True),
    a_field("cell", parent="rows", **S),
]
for _one in FIELDS:
    if _one["type"] in ("reference", "relation"):
        _one["searchable"] = True

DOCUMENTS: list[dict[str, Any]] = [
    {},
    {"word": "", "words": [], "body": "", "count": 0, "size": 0.0, "flag": False},
    {
        "word": "Alpha",
        "words": ["Alpha", "beta"],
        "body": "Long Alpha text, straße",
        "count": 1,
        "size": 1.5,
        "flag": True,
        "day": "2024-01-01",
        "hour": "10:00:00Z",
        "moment": "2024-01-01T00:00:00Z",
        "friend": "abc",
        "links": ["abc", "def"],
        "box": {"inner": 5},
        "rows": [{"cell": "x"}, {"cell": "y"}],
    },
    {
        "word": "alpha",
        "words": ["ALPHA"],
        "body": "STRASSE",
        "count": -3,
        "size": -2,
        "flag": False,
        "day": "2023-12-31",
        "hour": "09:59:59.999Z",
        "moment": "2024-01-01T00:00:00.001+00:00",
        "friend": "ABC",
        "links": ["ghi"],
        "box": {"inner": None},
        "rows": [{"cell": "X"}],
    },
    {
        "word": "Ωmega, 50%_\\",
        "words": ["a,b", "c"],
        "body": 'quo\'te "x"',
        "count": 9007199254740991,
        "size": 1e300,
        "flag": True,
        "day": "0001-01-01",
        "hour": "23:59:59.000001Z",
        "moment": "2024-01-01T01:00:00+02:00",
        "friend": "def",
        "links": [],
        "box": {},
        "rows": [],
    },
]


def _fold(text: str) -> str:
    return text.casefold()


def _values(document: dict[str, Any], path: str) -> list[Any]:
    found: list[Any] = [document]
    for step in path.split("."):
        found = [one[step] for one in found if isinstance(one, dict) and one.get(step) is not None]
        found = list(itertools.chain.from_iterable(one if isinstance(one, list) else [one] for one in found))
    return found


TEXT: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "ieq": lambda value, wanted: _fold(value) == _fold(wanted),
    "contains": lambda value, wanted: wanted in value,
    "icontains": lambda value, wanted: _fold(wanted) in _fold(value),
    "startswith": lambda value, wanted: value.startswith(wanted),
    "istartswith": lambda value, wanted: _fold(value).startswith(_fold(wanted)),
    "endswith": lambda value, wanted: value.endswith(wanted),
    "iendswith": lambda value, wanted: _fold(value).endswith(_fold(wanted)),
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "in": lambda value, wanted: value in wanted,
    "iin": lambda value, wanted: _fold(value) in [_fold(one) for one in wanted],
    "between": lambda value, wanted: wanted[0] <= value <= wanted[1],
}
ORDERED = ("eq", "gt", "gte", "lt", "lte")


def cases() -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    strings = ["Alpha", "alpha", "a", "", "STRASSE", "straße", "Ωmega, 50%_\\", "'", "zzz"]
    for path in ("word", "words", "body", "rows.cell"):
        for operator in TEXT:
            if operator in ("in", "iin"):
                found += [(path, operator, wanted) for wanted in ([], ["Alpha"], ["alpha", "X", "c"])]
            elif operator == "between":
                found += [(path, operator, wanted) for wanted in (["A", "b"], ["", "\U0010ffff"])]
            elif not (operator == "contains" and path in ("words", "rows.cell")):
                found += [(path, operator, wanted) for wanted in strings]
    for path, numbers in {
        "count": [0, 1, -3, 2**53 - 1],
        "size": [0, 1.5, -2, 1e300],
        "box.inner": [5, 4.5],
    }.items():
        found += [(path, operator, wanted) for operator in ORDERED for wanted in numbers]
        found += [(path, "in", numbers), (path, "in", []), (path, "between", [-2, 5])]
    found += [("flag", "eq", True), ("flag", "eq", False), ("flag", "in", [True]), ("flag", "ne", True)]
    for path in ("friend", "links"):
        found += [
            (path, "eq", "abc"),
            (path, "in", ["abc", "ghi"]),
            (path, "ne", "abc"),
            (path, "nin", ["abc"]),
        ]
    found += [("links", "contains", "def"), ("words", "contains", "c"), ("rows.cell", "contains", "X")]
    every = [one["key"] if "parent" not in one else f"{one['parent']}.{one['key']}" for one in FIELDS]
    for path in every:
        if path not in ("box", "rows"):
            found += [(path, "isnull", True), (path, "isnull", False), (path, "exists", True)]
    for path in ("word", "words", "body"):
        found += [(path, "ne", "Alpha"), (path, "ine", "ALPHA"), (path, "nin", ["Alpha", ""])]
    found += [(path, "ne", 1) for path in ("count", "size")]
    return found


def expected(document: dict[str, Any], path: str, operator: str, wanted: Any) -> bool:
    values = _values(document, path)
    if operator in ("isnull", "exists"):
        return (not values) is (wanted if operator == "isnull" else not wanted)
    if operator in ("ne", "ine", "nin"):
        positive = {"ne": "eq", "ine": "ieq", "nin": "in"}[operator]
        return not expected(document, path, positive, wanted)
    if operator == "contains" and path in ("links", "words", "rows.cell"):
        return wanted in values
    return any(TEXT[operator](value, wanted) for value in values)


@pytest.fixture(scope="module")
async def filled(server: Server) -> tuple[World, str]:
    world = await World.make(server)
    prefix = name("p")
    folder = await world.collection("things", FIELDS)
    await world.api(prefix, [folder])
    for index, document in enumerate(DOCUMENTS):
        await world.publish(folder, document, external_id=str(index))
    return world, f"/{prefix}/things"


async def _found(filled: tuple[World, str], where: Any) -> list[dict[str, Any]]:
    world, path = filled
    answer = await world.search(path, {"where": where})
    assert answer.status_code == 200, (where, answer.text)
    return [one["data"] for one in answer.json()["results"]]


async def test_every_operator(filled: tuple[World, str]) -> None:
    wrong = []
    for path, operator, wanted in cases():
        right = [one for one in DOCUMENTS if expected(one, path, operator, wanted)]
        leaf = {f"{path}__{operator}": wanted}
        # Alone a condition may lead the search, in a group it is only checked: two ways that must agree.
        for where in ({"all_of": [leaf]}, {"all_of": [{"any_of": [leaf]}]}):
            found = await _found(filled, {"$": where})
            if sorted(map(str, found)) != sorted(map(str, right)):
                wrong.append((where, len(found), len(right)))
    assert wrong == []


async def test_times_compare_as_instants(filled: tuple[World, str]) -> None:
    async def count(where: dict[str, Any]) -> int:
        return len(await _found(filled, where))

    assert await count({"moment__eq": "2024-01-01"}) == 1
    assert await count({"moment__eq": "2024-01-01T03:00:00+03:00"}) == 1
    assert await count({"moment__lt": "2024-01-01T00:00:00Z"}) == 1
    assert await count({"day__between": ["2023-01-01", "2024-01-01"]}) == 2
    assert await count({"hour__gte": "10:00:00Z"}) == 2
    assert await count({"_sys.created_at__gt": "2020-01-01"}) == len(DOCUMENTS)
    assert await count({"_sys.updated_at__lte": "2020-01-01T00:00:00Z"}) == 0


async def test_the_other_names_of_operators(filled: tuple[World, str]) -> None:
    for alias, proper, wanted in (
        ("neq", "ne", "Alpha"),
        ("not_in", "nin", ["Alpha", ""]),
        ("is_null", "isnull", True),
    ):
        found = await _found(filled, {f"word__{alias}": wanted})
        assert found == await _found(filled, {f"word__{proper}": wanted}) != []
        assert len(found) < len(DOCUMENTS)


async def test_numbers_beyond_every_double(filled: tuple[World, str]) -> None:
    having = [one for one in DOCUMENTS if "count" in one]
    for operator, wanted, most in (("gt", -(10**400), having), ("lt", 10**400, having), ("gt", 10**400, [])):
        assert len(await _found(filled, {f"count__{operator}": wanted})) == len(most)


async def test_a_range_may_be_one_value_but_not_backwards(filled: tuple[World, str]) -> None:
    world, path = filled
    assert len(await _found(filled, {"count__between": [1, 1]})) == 1
    answer = await world.search(path, {"where": {"count__between": [2, 1]}})
    assert (answer.status_code, answer.json()["detail"][0]["details"]) == (
        422,
        "The first value must not be greater than the second",
    )


async def test_elements_are_compared_without_case_where_they_are_text(filled: tuple[World, str]) -> None:
    world, path = filled
    assert len(await _found(filled, {"words__icontains": "ALP"})) == 2
    answer = await world.search(path, {"where": {"links__icontains": "ABC"}})
    assert (answer.status_code, answer.json()["detail"][0]["message"]) == (422, "Invalid operator")


async def test_groups(filled: tuple[World, str]) -> None:
    async def words(where: Any) -> list[str]:
        return sorted(one.get("word", "-") for one in await _found(filled, where))

    either = {"any_of": [{"count__eq": 1}, {"flag__eq": False}]}
    assert await words({"$": either}) == ["", "Alpha", "alpha"]
    assert await words(
        {"$": {"all_of": [either, {"none_of": [{"word__eq": "alpha"}, {"word__eq": ""}]}]}}
    ) == ["Alpha"]
    assert await words({"none_of": [{"word__isnull": False}]}) == ["-"]
    assert await words({"word": "Alpha"}) == ["Alpha"]
    assert await words({"word__eq": "Alpha", "flag__eq": False}) == []
    assert (
        await words({"$": {"all_of": []}}) == await words({}) == sorted(d.get("word", "-") for d in DOCUMENTS)
    )
    assert await words({"$": {"any_of": []}}) == []


async def test_parameters(filled: tuple[World, str]) -> None:
    world, path = filled

    async def words(**params: Any) -> list[str]:
        answer = await world.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return sorted(one["data"].get("word", "-") for one in answer.json()["results"])

    assert await words(where__count__in="1,-3") == ["Alpha", "alpha"]
    assert await words(where__words__in="a\\,b,zzz") == ["Ωmega, 50%_\\"]
    assert await words(**{"where__box.inner__gte": "4.5"}) == ["Alpha"]
    assert await words(where__flag="1", where__size__lt="2") == ["Alpha"]
    assert await words(where__word__isnull="true") == ["-"]
    assert await words(where__day__between="2024-01-01,2024-12-31") == ["Alpha"]
    assert await words(where="ignored") == sorted(one.get("word", "-") for one in DOCUMENTS)


async def test_what_a_join_requires_by_key_is_looked_for_in_the_order_of_a_field(server: Server) -> None:
    world = await World.make(server)
    things = await world.collection("things", [a_field("rank", "number", searchable=True)])
    notes = await world.collection("notes", [a_field("about", "reference", searchable=True)])
    await world.api("joined", [things, notes])
    keys = [await world.publish(things, {"rank": rank}) for rank in range(5)]
    for at in (1, 3):
        await world.publish(notes, {"about": keys[at]})
    relation = {
        "source": "$",
        "target": "n",
        "source_field": "_sys.key",
        "target_field": "about",
        "join_type": "inner",
    }
    body = {"join": {"as": {"n": "notes"}, "relations": [relation]}, "sort": ["rank"]}
    for limit in (1, 5):
        page = (await world.search("/joined/things", {**body, "limit": limit})).json()
        assert [one["data"]["rank"] for one in page["results"]] == [1, 3][:limit]
