"""Totals and facets beside a page of a search, only when asked for, against counting by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.content.world import World, a_field
from tests.harness.server import Server

COLOURS = ["red", "green", "Red", "blue", "red"]
MANY = [
    {
        "title": f"T{index} apple" if index % 2 else f"T{index} pear",
        "colour": COLOURS[index % 5] if index % 7 else None,
        "rating": index % 4,
        "weight": [0.5, 2.0, -1.25][index % 3],
        "new": index % 3 == 0,
        "tags": [["a"], ["a", "b"], [], ["b", "b"]][index % 4],
        "label": {"en": "one" if index % 2 else "two", "fr": "un"},
    }
    for index in range(60)
]


@pytest.fixture(scope="module")
async def world(server: Server) -> World:
    world = await World.make(server)
    await world.make_one("/locales/", {"name": "French", "code": "fr"})
    found = {"searchable": True}
    fields = [
        a_field("title", **found),
        a_field("colour", nullable=True, **found),
        a_field("rating", "integer", **found),
        a_field("weight", "number", **found),
        a_field("new", "boolean", **found),
        a_field("tags", multiple=True, **found),
        a_field("label", localizable=True, **found),
        a_field("note"),
        a_field("body", "text", **found),
        a_field("day", "date", **found),
    ]
    folder = await world.collection("things", fields)
    await world.api("shop", [folder])
    items = [{"published": one} for one in MANY]
    await world.make_one(f"/folders/{folder}/resources/batch/", {"items": items})
    return world


async def _search(world: World, **body: Any) -> Any:
    answer = await world.search("/shop/things", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _by_hand(path: str, among: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counted: Counter[Any] = Counter()
    for one in among:
        value = one[path]["en"] if path == "label" else one[path]
        counted.update(set(value) if isinstance(value, list) else () if value is None else (value,))
    rows = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    return [{"value": value, "count": count} for value, count in rows]


PATHS = ["colour", "rating", "weight", "new", "tags", "label"]


async def test_everything_is_counted_whatever_the_page(world: World) -> None:
    page = await _search(world, total=True, facets=PATHS, limit=5, offset=10)
    assert page["total"] == 60 and len(page["results"]) == 5
    for path in PATHS:
        assert page["facets"][path] == _by_hand(path, MANY), path
    again = await world.search(
        "/shop/things", {"total": True, "limit": 5}, params={"next": page["next"].split("next=")[1]}
    )
    assert again.json()["total"] == 60
    plain = await _search(world, limit=5)
    assert "total" not in plain and "facets" not in plain


async def test_only_what_is_found_is_counted(world: World) -> None:
    found = [one for one in MANY if one["rating"] >= 2 and one["new"]]
    where = {"$": {"all_of": [{"rating__gte": 2}, {"new__eq": True}]}}
    page = await _search(world, where=where, total=True, facets=["colour", "tags"], sort=["title"])
    assert page["total"] == len(found)
    assert page["facets"] == {"colour": _by_hand("colour", found), "tags": _by_hand("tags", found)}
    nothing = await _search(world, where={"rating__eq": 99}, total=True, facets=["colour"])
    assert (nothing["total"], nothing["facets"], nothing["results"]) == (0, {"colour": []}, [])


async def test_ranked_searches_are_counted_too(world: World) -> None:
    found = [one for one in MANY if "apple" in one["title"]]
    page = await _search(world, find_text={"query": "apple"}, total=True, facets=["rating"], limit=3)
    assert page["total"] == len(found) and page["facets"]["rating"] == _by_hand("rating", found)
    ordered = await _search(world, find_text={"query": "apple"}, total=True, sort=["-rating"], limit=1)
    assert ordered["total"] == len(found)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"total": "yes"}, "validation_error"),
        ({"total": None}, "validation_error"),
        ({"facets": "colour"}, "validation_error"),
        ({"facets": [5]}, "validation_error"),
        ({"facets": ["body"]}, "validation_error"),
        ({"facets": ["day"]}, "validation_error"),
        ({"facets": ["colour"] * 11}, "validation_error"),
        ({"facets": ["nope"]}, "unknown_field"),
        ({"facets": ["note"]}, "unknown_field"),
        ({"facets": ["_sys.key"]}, "unknown_field"),
    ],
)
async def test_what_cannot_be_counted(world: World, body: dict[str, Any], code: str) -> None:
    refused = await world.search("/shop/things", body)
    assert (refused.status_code, refused.json()["error_code"]) == (422, code)


async def test_a_change_is_counted_at_once(world: World) -> None:
    before = (await _search(world, total=True))["total"]
    key = await world.publish(world.folders["things"], {"title": "One more"})
    assert (await _search(world, total=True))["total"] == before + 1
    await world.make_one(f"/folders/{world.folders['things']}/resources/{key}/", method="DELETE")
    assert (await _search(world, total=True))["total"] == before
