"""Private fields are for management only: delivery shows, finds, sorts and describes nothing of them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

FLAGS = {"private": True, "searchable": True}
SECRET = "zzhiddenzz"


@pytest.fixture(scope="module")
async def shop(server: Server) -> tuple[World, str, str]:
    """The world, where its goods are, and the one of them."""
    world = await World.make(server)
    prefix = name("shop")
    folder = await world.collection(
        "goods",
        [
            a_field("title", searchable=True, vectorizable=True),
            a_field("margin", vectorizable=True, **FLAGS),
            a_field("rank", "integer", **FLAGS),
            a_field("seller", "object"),
            a_field("name", searchable=True, parent="seller"),
            a_field("phone", parent="seller", **FLAGS),
            a_field("books", "object", private=True),
            a_field("note", searchable=True, parent="books"),
        ],
    )
    await world.api(prefix, [folder])
    data = {
        "title": "Chair",
        "margin": SECRET,
        "rank": 4711,
        "seller": {"name": "Ann", "phone": SECRET},
        "books": {"note": SECRET},
    }
    good = await world.publish(folder, data)
    shown = await world.make_one(f"/folders/{folder}/resources/{good}/data/", method="GET")
    assert shown == data
    return world, f"/{prefix}/goods", good


async def test_private_values_are_not_shown(shop: tuple[World, str, str]) -> None:
    world, goods, good = shop
    shown = {"title": "Chair", "seller": {"name": "Ann"}}
    one = await world.get(f"{goods}/{good}")
    assert one.json()["data"] == shown
    assert [found["data"] for found in (await world.get(goods)).json()["results"]] == [shown]
    assert [found["data"] for found in (await world.search(goods, {})).json()["results"]] == [shown]
    asked = await world.get(goods, params={"return_fields": "title,margin,seller.phone,books"})
    assert SECRET not in asked.text


@pytest.mark.parametrize("path", ["margin", "rank", "seller.phone", "books.note"])
async def test_nothing_is_found_or_sorted_by_them(shop: tuple[World, str, str], path: str) -> None:
    """As by a field that is not there."""
    world, goods, _ = shop

    async def told(field: str) -> list[tuple[int, str]]:
        ways: list[httpx.Response] = [
            await world.search(goods, {"where": {"$": {"all_of": [{f"{field}__eq": SECRET}]}}}),
            await world.search(goods, {"where": {f"{field}__eq": SECRET}}),
            await world.get(goods, params={f"where__{field}__eq": SECRET}),
            await world.search(goods, {"sort": [field]}),
            await world.get(goods, params={"sort": f"-{field}"}),
            await world.search(goods, {"find_text": {"query": SECRET, "fields": [field]}}),
            await world.search(
                goods,
                {"search_mode": "vector", "vector_search": {"query": SECRET, "fields": [field]}},
            ),
        ]
        return [(answer.status_code, answer.text.replace(field, "?")) for answer in ways]

    assert await told(path) == await told("nowhere")


async def test_no_search_reaches_them(shop: tuple[World, str, str]) -> None:
    world, goods, _ = shop
    bodies: list[dict[str, Any]] = [
        {"search_mode": "text", "find_text": {"query": SECRET}},
        {"search_mode": "vector", "vector_search": {"query": SECRET, "similarity_threshold": 0.5}},
    ]
    for body in bodies:
        answer = await world.search(goods, body)
        assert (answer.status_code, answer.json().get("results")) == (200, []), answer.text


async def test_they_are_not_described(shop: tuple[World, str, str]) -> None:
    world, goods, _ = shop
    prefix = goods.split("/")[1]
    for path in (f"{goods}/_schema", f"/{prefix}/_openapi"):
        answer = await world.get(path)
        assert answer.status_code == 200 and '"title"' in answer.text, answer.text
        for key in ("margin", "phone", "books"):
            assert f'"{key}"' not in answer.text, (path, key)


async def test_a_field_made_private_later_is_hidden_too(server: Server) -> None:
    """Of what was published before, and of what is published again as it was written."""
    world = await World.make(server)
    prefix = name("later")
    folder = await world.collection("goods", [a_field("old"), a_field("margin", searchable=True)])
    await world.api(prefix, [folder])
    data = {"old": "Chair", "margin": SECRET}
    goods = [await world.publish(folder, data) for _ in range(2)]
    at = f"/folders/{folder}/resources/{goods[1]}"
    [revision] = (await world.make_one(f"{at}/revisions/", method="GET"))["results"]
    assert SECRET in (await world.get(f"/{prefix}/goods")).text
    await world.make_one(f"{at}/revisions/{revision['key']}/unpublish/")
    await world.schema(f"/folders/{folder}", [a_field("title"), a_field("margin", **FLAGS)])
    await world.make_one(f"{at}/revisions/{revision['key']}/publish/")

    async def shown() -> list[Any]:
        return [one["data"] for one in (await world.get(f"/{prefix}/goods")).json()["results"]]

    async with asyncio.timeout(20):
        while await shown() != [{"old": "Chair"}] * 2:
            await asyncio.sleep(0.05)
    for good in goods:
        assert (await world.get(f"/{prefix}/goods/{good}")).json()["data"] == {"old": "Chair"}
    assert await world.make_one(f"/folders/{folder}/resources/{goods[0]}/data/", method="GET") == data
