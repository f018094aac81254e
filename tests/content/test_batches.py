"""Many resources in one request: written as they are to be, all or none; read back in the order of their keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server


@pytest.fixture(scope="module")
async def world(server: Server) -> World:
    return await World.make(server)


async def _folder(world: World) -> str:
    fields = [a_field("title", required=True, searchable=True), a_field("body", "text", vectorizable=True)]
    return await world.collection(name("many"), fields)


async def _write(world: World, folder: str, *items: dict[str, Any]) -> list[str]:
    answer = await world.make_one(f"/folders/{folder}/resources/batch/", {"items": list(items)})
    return [one["result"] for one in answer["items"]]


async def _read(world: World, folder: str, limit: int = 2) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        at = f"/folders/{folder}/resources/export/?limit={limit}&after={after}"
        page = await world.make_one(at, method="GET")
        found, after = found + page["items"], page["next"]
    return found


async def test_created_changed_and_left_alone(world: World) -> None:
    folder = await _folder(world)
    items = [
        {
            "key": f"Abcdefghijk{index}",
            "external_id": f"e{index}",
            "created_at": f"2024-01-0{index + 1}T00:00:00Z",
            "published": {"title": f"T{index}", "body": f"Some words {index}"},
        }
        for index in range(5)
    ]
    assert await _write(world, folder, *items) == ["created"] * 5
    assert await _write(world, folder, *items) == ["unchanged"] * 5
    changed = {**items[0], "published": {"title": "New"}, "draft": {"title": "Newer"}, "name": "Named"}
    assert await _write(world, folder, changed, items[1]) == ["changed", "unchanged"]
    assert await _write(world, folder, changed) == ["unchanged"]
    shown = await _read(world, folder)
    assert [one["key"] for one in shown] == [one["key"] for one in items]
    assert shown[0]["published"] == {"title": "New"} and shown[0]["draft"] == {"title": "Newer"}
    assert shown[1]["published"] == items[1]["published"] and shown[1]["draft"] is None
    assert shown[4]["created_at"].startswith("2024-01-05T00:00:00")
    prefix = name("api")
    await world.api(prefix, [folder])
    alias = next(alias for alias, key in world.folders.items() if key == folder)
    listed = (await world.get(f"/{prefix}/{alias}")).json()["results"]
    assert [one["data"]["title"] for one in listed] == ["T4", "T3", "T2", "T1", "New"]
    body = {"search_mode": "vector", "vector_search": {"query": "some words 3", "top_k": 1}}
    near = (await world.search(f"/{prefix}/{alias}", body)).json()["results"]
    assert [one["data"]["title"] for one in near] == ["T3"]


async def test_all_or_none(world: World) -> None:
    folder = await _folder(world)
    items = [
        {"published": {"title": "A"}},
        {"published": {"title": 5}},
        {"draft": {"colour": "red", "title": "x"}},
        {},
    ]
    refused = await world.manage("POST", f"/folders/{folder}/resources/batch/", {"items": items})
    assert (refused.status_code, refused.json()["error_code"]) == (422, "data_validation_error")
    places = [one["json_path"] for one in refused.json()["detail"]["errors"]]
    assert places == ["$.items[1].data.title", "$.items[2].data.colour", "$.items[3].data"]
    assert await _read(world, folder) == []


async def test_what_does_not_fit(world: World) -> None:
    folder, other = await _folder(world), await _folder(world)
    await _write(world, other, {"key": "Zbcdefghijkl", "published": {"title": "A"}})
    item = {"published": {"title": "A"}}
    at = f"/folders/{folder}/resources/batch/"
    for body, code in (
        ({"items": []}, "validation_error"),
        ({"items": [item] * 201}, "validation_error"),
        ({"items": [{**item, "key": "short"}]}, "validation_error"),
        ({"items": [{**item, "created_at": "yesterday"}]}, "validation_error"),
        ({"items": [{**item, "colour": 1}]}, "validation_error"),
        ({"items": [{**item, "key": "Zbcdefghijkl"}]}, "external_id_conflict"),
        ({}, "validation_error"),
    ):
        refused = await world.manage("POST", at, body)
        assert refused.json()["error_code"] == code, (body, refused.text)
    assert await _read(world, folder) == []
    missing = await world.manage("POST", "/folders/nope/resources/batch/", {"items": [item]})
    assert missing.json()["error_code"] == "folder_not_found"


async def test_batches_at_once_meet_at_the_external_id(world: World) -> None:
    folder = await _folder(world)
    items = [{"external_id": f"x{index}", "published": {"title": f"T{index}"}} for index in range(20)]
    at = f"/folders/{folder}/resources/batch/"
    answers = await asyncio.gather(*(world.manage("POST", at, {"items": items}) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert any(answer.status_code == 200 for answer in answers)
    assert len(await _read(world, folder, 100)) == 20


async def _commented(world: World) -> tuple[str, str, str, str]:
    """Keys of two articles and of a comment on the first, and where comments are delivered, below an article."""
    alias, prefix = name("parents"), name("api")
    parents = await world.collection(alias, [a_field("title")])
    comments = await world.collection("comments", [a_field("body")], parent=parents, strict_reference=True)
    first, second = [await world.publish(parents, {"title": title}) for title in ("first", "second")]
    comment = await world.publish(comments, {"body": "moves"}, resource_owner=first)
    await world.api(prefix, [parents, comments])
    world.folders[prefix] = comments
    return first, second, comment, f"/{prefix}/{alias}/{{}}/comments"


@pytest.mark.parametrize("how", ["alone", "in a batch"])
async def test_what_moves_to_another_owner_is_delivered_there(world: World, how: str) -> None:
    first, second, comment, at = await _commented(world)
    folder = world.folders[at.split("/")[1]]

    async def move(owner: str) -> Any:
        if how == "alone":
            path = f"/folders/{folder}/resources/{comment}/"
            return await world.manage("PUT", path, {"resource_owner": owner})
        item = {"key": comment, "resource_owner": owner, "published": {"body": "moves"}}
        return await world.manage("POST", f"/folders/{folder}/resources/batch/", {"items": [item]})

    for owner, other in ((first, second), (second, first), (first, second)):
        assert (await move(owner)).status_code == 200
        shown = [len((await world.get(at.format(one))).json()["results"]) for one in (owner, other)]
        assert shown == [1, 0]
    nowhere = await move("nobody")
    assert (nowhere.status_code, nowhere.json()["error_code"]) == (422, "resource_owner_required")


async def test_the_same_resource_twice_in_one_batch(world: World) -> None:
    folder = await _folder(world)
    one = {"external_id": "same", "published": {"title": "first"}}
    items = [one, {**one, "published": {"title": "second"}}, {**one, "draft": {"title": "third"}}, one]
    assert await _write(world, folder, *items) == ["created", "changed", "changed", "unchanged"]
    [shown] = await _read(world, folder)
    assert (shown["published"], shown["draft"]) == ({"title": "first"}, {"title": "third"})
    other = {"key": "Qbcdefghijk2", "external_id": "other", "draft": {"title": "x"}}
    assert await _write(world, folder, {**one, "key": "Qbcdefghijk1"}, other) == ["unchanged", "created"]


async def test_one_external_id_from_everywhere_at_once(world: World) -> None:
    """Batches and upserts of one resource: it is made once, and every answer is one that is declared."""
    folder = await _folder(world)
    at = f"/folders/{folder}/resources/"

    async def write(number: int) -> Any:
        data = {"title": f"T{number}"}
        if number % 2:
            item = {"external_id": "one", "published": data}
            return await world.manage("POST", f"{at}batch/", {"items": [item]})
        return await world.manage("PUT", f"{at}?external_id=one&publish=true", {"data": data})

    answers = await asyncio.gather(*(write(number) for number in range(50)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}, [one.text for one in answers]
    assert sum(answer.status_code in (200, 201) for answer in answers) > 25
    [shown] = await _read(world, folder)
    path = f"{at}{shown['key']}/revisions/?limit=100"
    revisions = (await world.make_one(path, method="GET"))["results"]
    assert [one["number"] for one in revisions] == list(range(len(revisions), 0, -1))
    assert [one["status"] for one in revisions].count("published") == 1


async def test_items_that_stand_for_one_resource_follow_each_other(world: World) -> None:
    folder = await _folder(world)
    one, other = {"external_id": "one"}, {"external_id": "other", "published": {"title": "O"}}
    first, second = {**one, "published": {"title": "A"}}, {**one, "published": {"title": "B"}}
    assert await _write(world, folder, first, other, second, second) == [
        "created",
        "created",
        "changed",
        "unchanged",
    ]
    assert sorted(item["published"]["title"] for item in await _read(world, folder)) == ["B", "O"]


async def test_a_draft_behind_what_is_shown(world: World) -> None:
    """Numbered on, told apart from what is shown even where it says the same, and the newest of several travels."""
    folder = await _folder(world)
    item = {"external_id": "one", "name": "Named", "published": {"title": "A"}, "draft": {"title": "B"}}
    assert await _write(world, folder, item) == ["created"]
    [made] = await _read(world, folder)
    at = f"/folders/{folder}/resources/{made['key']}/revisions/"
    for title in ("C", "D"):
        await world.make_one(at, {"data": {"title": title}})
    numbers = [one["number"] for one in (await world.make_one(at, method="GET"))["results"]]
    assert numbers == [4, 3, 2, 1]
    [shown] = await _read(world, folder)
    assert (shown["published"], shown["draft"], shown["name"]) == ({"title": "A"}, {"title": "D"}, "Named")
    plain = {"external_id": "two", "published": {"title": "A"}}
    assert await _write(world, folder, plain, {"external_id": "two", "draft": {"title": "A"}}) == [
        "created",
        "changed",
    ]
    unnamed = {"external_id": "one", "name": None, "draft": {"title": "D"}}
    assert await _write(world, folder, unnamed) == ["unchanged"]
    assert {one["external_id"]: one["name"] for one in await _read(world, folder)} == {
        "one": "Named",
        "two": None,
    }


async def test_an_export_has_pages_of_bounded_size(world: World) -> None:
    folder = await _folder(world)
    for start in (0, 150):
        await _write(world, folder, *({"draft": {"title": f"T{start + n}"}} for n in range(150)))
    page = await world.make_one(f"/folders/{folder}/resources/export/?limit=100000", method="GET")
    assert (len(page["items"]), page["next"]) == (200, page["items"][-1]["key"])
    assert len(await _read(world, folder, 100_000)) == 300
