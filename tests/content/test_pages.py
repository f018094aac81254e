"""Order and pages of delivery: every document once, in the same order forwards and backwards, whatever is sorted by."""

from __future__ import annotations

import functools
from typing import Any

import httpx
import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

S = {"searchable": True}
FIELDS = [
    a_field("word", nullable=True, **S),
    a_field("body", "text", **S),
    a_field("count", "integer", **S),
    a_field("flag", "boolean", **S),
    a_field("when", "datetime", **S),
    a_field("title", localizable=True, **S),
    a_field("tags", multiple=True, **S),
]
DOCUMENTS: list[dict[str, Any]] = [
    {
        "word": "b",
        "count": 2,
        "flag": True,
        "when": "2024-01-01T00:00:00Z",
        "body": "x",
        "title": {"en": "B", "fr": "A"},
    },
    {
        "word": "a",
        "count": 2,
        "flag": False,
        "when": "2023-01-01T00:00:00+05:00",
        "title": {"en": "A", "fr": "C"},
    },
    {"word": None, "count": 1, "flag": True},
    {"count": 3, "body": "y", "title": {"en": "C"}},
    {"word": "Z", "count": 2, "title": {"fr": "B"}},
    {"word": "é", "body": "a" * 3000, "flag": False},
    {"word": "𐐀", "count": -1},
    {},
]
SORTS = ["word", "-word", "count", "-count", "flag,-word", "-count,word,-flag", "when", "-when", "body", "-body", "_sys.key",
         "-_sys.key", "created_at", "-updated_at,count", "-_sys.created_at", "title", "-title"]  # fmt: skip


@pytest.fixture(scope="module")
async def shelf(server: Server) -> tuple[World, str, list[dict[str, Any]]]:
    world = await World.make(server)
    await world.make_one("/locales/", {"name": "French", "code": "fr"})
    prefix = name("shelf")
    folder = await world.collection("things", FIELDS)
    await world.api(prefix, [folder])
    for document in DOCUMENTS:
        await world.publish(folder, document)
    path = f"/{prefix}/things"
    return world, path, (await world.get(path, params={"raw": "true"})).json()["results"]


def _value(item: dict[str, Any], path: str) -> Any:
    if path.startswith("_sys.") or path in ("created_at", "updated_at"):
        return item["_sys"][path.removeprefix("_sys.")]
    value = item["data"].get(path)
    if path == "title" and value is not None:
        value = value.get("en")
    return (
        {"2023-01-01T00:00:00+05:00": "2022-12-31T19:00:00Z"}.get(value, value) if path == "when" else value
    )


def _in_order(items: list[dict[str, Any]], sort: str) -> list[str]:
    """Nothing is greater than any value; code points decide between texts; the key breaks ties."""

    def compare(one: dict[str, Any], other: dict[str, Any]) -> int:
        for entry in sort.split(","):
            path, sign = entry.removeprefix("-"), -1 if entry.startswith("-") else 1
            left, right = _value(one, path), _value(other, path)
            if left == right:
                continue
            if left is None or right is None:
                return sign * (1 if left is None else -1)
            return sign * (1 if left > right else -1)
        return 1 if one["_sys"]["key"] > other["_sys"]["key"] else -1

    return [one["_sys"]["key"] for one in sorted(items, key=functools.cmp_to_key(compare))]


def _keys(page: dict[str, Any]) -> list[str]:
    return [one["_sys"]["key"] for one in page["results"]]


@pytest.mark.parametrize("sort", SORTS)
async def test_forwards_and_backwards(shelf: tuple[World, str, list[dict[str, Any]]], sort: str) -> None:
    world, path, items = shelf
    wanted = _in_order(items, sort)
    assert _keys((await world.get(path, params={"sort": sort})).json()) == wanted
    for limit in (1, 3):
        pages, page = [], (await world.get(path, params={"sort": sort, "limit": limit})).json()
        assert page["previous"] is None
        while True:
            pages.append(page)
            if page["next"] is None:
                break
            page = (await world.http.get(page["next"])).json()
        assert [key for one in pages for key in _keys(one)] == wanted
        back = [pages[-1]]
        while back[0]["previous"] is not None:
            back.insert(0, (await world.http.get(back[0]["previous"])).json())
        assert [key for one in back for key in _keys(one)] == wanted
        assert all(one["next"] is not None for one in back[:-1])


@pytest.mark.parametrize("sort", ["word", "-count", "title"])
async def test_filtered_pages_keep_the_order(
    shelf: tuple[World, str, list[dict[str, Any]]], sort: str
) -> None:
    """Led by the condition, and led by the order."""
    world, path, items = shelf
    wanted = _in_order([one for one in items if one["data"].get("count") == 2], sort)
    for where in ({"count__eq": 2}, {"any_of": [{"count__eq": 2}]}):
        keys, token = [], None
        while True:
            body = {"where": where, "sort": [sort], "limit": 1}
            page = (await world.search(path, body, params={"next": token} if token else {})).json()
            keys += _keys(page)
            if page["next"] is None:
                break
            token = httpx.URL(page["next"]).params["next"]
        assert keys == wanted


async def test_what_is_published_meanwhile_is_neither_skipped_nor_repeated(
    shelf: tuple[World, str, list[dict[str, Any]]],
) -> None:
    world, path, _ = shelf
    folder, prefix = (
        await world.collection(name("moving"), [a_field("count", "integer", **S)]),
        name("moving"),
    )
    await world.api(prefix, [folder])
    path = f"/{prefix}/{next(alias for alias, key in world.folders.items() if key == folder)}"
    keys = [await world.publish(folder, {"count": count}) for count in (1, 3, 5, 7)]
    first = (await world.get(path, params={"sort": "count", "limit": 2})).json()
    await world.publish(folder, {"count": 0})
    late = await world.publish(folder, {"count": 4})
    second = (await world.http.get(first["next"])).json()
    assert _keys(first) == keys[:2]
    assert _keys(second) == [late, keys[2]]


async def test_offsets_and_limits(shelf: tuple[World, str, list[dict[str, Any]]]) -> None:
    world, path, items = shelf
    wanted = _in_order(items, "word")
    page = (await world.get(path, params={"sort": "word", "limit": 2, "offset": 3})).json()
    assert _keys(page) == wanted[3:5] and page["limit"] == 2
    before = (await world.http.get(page["previous"])).json()
    assert _keys(before) == wanted[1:3]
    assert (await world.get(path, params={"limit": 1000})).json()["limit"] == 100
    body = {"sort": ["word"], "limit": 1, "offset": 1}
    answer = await world.search(path, body, params={"limit": 5})
    assert _keys(answer.json()) == wanted[1:2], "the body's numbers win"
    beyond = (await world.get(path, params={"offset": 100})).json()
    assert beyond["results"] == [] and beyond["next"] is None


async def test_search_locale_sorts_by_translation(shelf: tuple[World, str, list[dict[str, Any]]]) -> None:
    world, path, _ = shelf
    params = {"sort": "title", "search_locale": "fr", "return_locales": "fr", "where__title__isnull": "false"}
    answer = (await world.get(path, params=params)).json()
    assert [one["data"]["title"] for one in answer["results"]] == ["A", "B", "C"]
    params = {
        "sort": "title",
        "search_locale": "fr",
        "fallback_locales": "true",
        "return_locales": "fr",
        "limit": 4,
    }
    answer = (await world.get(path, params=params)).json()
    assert [one["data"]["title"] for one in answer["results"]] == ["A", "B", "C", "C"]


async def test_forged_cursors_are_refused(shelf: tuple[World, str, list[dict[str, Any]]]) -> None:
    world, path, _ = shelf
    page = (await world.get(path, params={"sort": "count", "limit": 1})).json()
    token = httpx.URL(page["next"]).params["next"]
    for forged in (token[:-2], token + "A", "x" * 5000, "é", "AAAA", token[::-1]):
        answer = await world.get(path, params={"sort": "count", "limit": 1, "next": forged})
        assert answer.status_code == 422 and answer.json()["error_code"] == "invalid_request", forged
    answer = await world.get(path, params={"sort": "count", "limit": 1, "previous": token})
    assert answer.status_code == 422
    assert (await world.get(path, params={"sort": "tags"})).status_code == 422
