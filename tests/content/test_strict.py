"""Documents of strict folders belong to one parent, and are delivered below it only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

CODE = "resource_not_found"


@dataclass
class Tree:
    """Two shelves with three books each, and each book with one page: keys by name."""

    world: World
    prefix: str
    keys: dict[str, str]

    def at(self, *steps: str) -> str:
        """`at("a", "a1")` is the book's path."""
        found = f"/{self.prefix}"
        for alias, step in zip(("shelves", "books", "pages"), steps, strict=False):
            found += f"/{alias}" + (f"/{self.keys.get(step, step)}" if step else "")
        return found

    async def titles(self, at: str, body: Any = None, **params: Any) -> list[str]:
        answer = await (
            self.world.get(at, params=params) if body is None else self.world.search(at, body, params=params)
        )
        assert answer.status_code == 200, answer.text
        return sorted(one["data"]["title"] for one in answer.json()["results"])


@pytest.fixture(scope="module")
async def tree(server: Server) -> Tree:
    world, prefix = await World.make(server), name("strict")
    fields = [
        a_field("title", searchable=True, vectorizable=True),
        a_field("rank", "integer", searchable=True),
    ]
    shelves = await world.collection("shelves", fields)
    books = await world.collection("books", fields, parent=shelves, strict_reference=True)
    pages = await world.collection("pages", fields, parent=books, strict_reference=True)
    await world.api(prefix, [shelves, books, pages])
    keys: dict[str, str] = {}
    for shelf in ("a", "b"):
        keys[shelf] = await world.publish(shelves, {"title": shelf, "rank": 0})
        for number in (1, 2, 3):
            book, page = f"{shelf}{number}", f"{shelf}{number}p"
            data = {"title": f"common {book}", "rank": number}
            keys[book] = await world.publish(books, data, resource_owner=keys[shelf])
            keys[page] = await world.publish(pages, {**data, "title": page}, resource_owner=keys[book])
    return Tree(world, prefix, keys)


async def test_a_list_shows_what_is_below_its_parent(tree: Tree) -> None:
    books = tree.at("a", "")
    own = ["common a1", "common a2", "common a3"]
    assert await tree.titles(books) == own
    assert await tree.titles(tree.at("b", "")) == ["common b1", "common b2", "common b3"]
    assert await tree.titles(tree.at("a", "a2", "")) == ["a2p"]
    bodies: list[tuple[dict[str, Any], list[str]]] = [
        ({}, own),
        ({"where": {"rank__gte": 2}}, own[1:]),
        ({"where": {"$": {"any_of": [{"rank__eq": 1}, {"title__eq": "common b2"}]}}}, own[:1]),
        ({"sort": ["-rank"]}, own),
        ({"sort": ["title"], "where": {"rank__lte": 2}}, own[:2]),
        ({"search_mode": "text", "find_text": {"query": "common"}}, own),
        ({"search_mode": "vector", "vector_search": {"query": "common b1"}}, own),
        (
            {
                "search_mode": "hybrid",
                "find_text": {"query": "common"},
                "vector_search": {"query": "common b1"},
            },
            own,
        ),
    ]
    for body, expected in bodies:
        assert await tree.titles(books, body) == expected, body


async def test_pages_stay_below_their_parent(tree: Tree) -> None:
    """A cursor of one parent is none of the other's."""
    for sort in ("rank", "-title", "_sys.created_at"):
        first = (await tree.world.get(tree.at("a", ""), params={"limit": 2, "sort": sort})).json()
        more = {"limit": 2, "sort": sort, "next": first["next"]}
        second = (await tree.world.get(tree.at("a", ""), params=more)).json()
        both = [one["data"]["title"] for one in (*first["results"], *second["results"])]
        assert sorted(both) == ["common a1", "common a2", "common a3"], sort
        other = await tree.world.get(tree.at("b", ""), params=more)
        assert other.status_code == 422, other.text


async def test_one_is_found_below_its_own_parent_only(tree: Tree) -> None:
    world = tree.world
    assert (await world.get(tree.at("a", "a1"))).json()["data"]["rank"] == 1
    assert (await world.get(tree.at("a", "a1", "a1p"))).json()["data"]["title"] == "a1p"
    for steps in (
        ("b", "a1"),
        ("nope", "a1"),
        ("nope", ""),
        ("b", "a1", ""),
        ("b", "a1", "a1p"),
        ("a", "a2", "a1p"),
        ("a", "b1", "b1p"),
    ):
        answer = await world.get(tree.at(*steps))
        assert (answer.status_code, answer.json()["error_code"]) == (404, CODE), steps
    assert (await world.search(tree.at("b", "a1", ""), {})).status_code == 404


async def test_totals_count_below_the_parent(tree: Tree) -> None:
    body = {"total": True, "facets": ["title"]}
    answer = (await tree.world.search(tree.at("b", ""), body)).json()
    assert answer["total"] == 3
    assert "common a1" not in str(answer["facets"])
