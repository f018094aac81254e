"""Lists, and what belongs to what: pages, filters by time, resources and revisions of others, strict children, plans."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from flux.content.plans import Plans
from flux.kernel.faults import FaultError
from flux.kernel.store import Database, Transaction
from tests.content.world import World, a_field, name
from tests.harness.server import Server


@pytest.fixture(scope="module")
async def world(server: Server) -> World:
    return await World.make(server)


def code(answer: httpx.Response) -> str | None:
    return None if answer.is_success else str(answer.json()["error_code"])


async def folder_of(world: World, count: int, **attributes: Any) -> tuple[str, list[str]]:
    """A folder and its resources, oldest first."""
    folder = await world.collection(name("f"), [a_field("n", "integer")], **attributes)
    return folder, [await world.publish(folder, {"n": number}) for number in range(count)]


def place(url: str | None) -> tuple[int, int] | None:
    """Limit and offset."""
    query = dict(parse_qsl(urlsplit(url).query)) if url else None
    return (int(query["limit"]), int(query["offset"])) if query else None


@pytest.mark.parametrize(
    ("asked", "shown", "following", "preceding"),
    [
        ("limit=3", 3, (3, 3), None),
        ("limit=3&offset=3", 3, (3, 6), (3, 0)),
        ("limit=3&offset=6", 1, None, (3, 3)),
        ("limit=2&offset=5", 2, None, (2, 3)),
        ("limit=3&offset=1", 3, (3, 4), (3, 0)),
        ("limit=1000&offset=2", 5, None, (100, 0)),
        ("limit=3&offset=70", 0, None, (3, 67)),
        ("", 7, None, None),
    ],
)
async def test_a_list_goes_on_and_back(
    world: World, asked: str, shown: int, following: Any, preceding: Any
) -> None:
    folder = world.folders.get("paged") or (await _seven(world))
    page = await world.make_one(f"/folders/{folder}/resources/?{asked}", method="GET")
    assert (page["count"], len(page["results"])) == (7, shown)
    assert (place(page["next"]), place(page["previous"])) == (following, preceding)


async def _seven(world: World) -> str:
    world.folders["paged"], _ = await folder_of(world, 7)
    return world.folders["paged"]


async def test_the_neighbours_of_a_page_are_asked_alike(world: World) -> None:
    folder = world.folders.get("paged") or (await _seven(world))
    page = await world.make_one(f"/folders/{folder}/resources/?status=published&limit=5", method="GET")
    rest = (await world.http.get(page["next"], headers=world.token)).json()
    keys = [one["key"] for one in (*page["results"], *rest["results"])]
    assert len(set(keys)) == 7
    assert dict(parse_qsl(urlsplit(page["next"]).query))["status"] == "published"


async def test_lists_by_time(world: World) -> None:
    folder, _ = await folder_of(world, 3)
    at = f"/folders/{folder}/resources/"
    every = (await world.make_one(at, method="GET"))["results"]
    times = sorted(one["created_at"] for one in every)
    middle = times[1]
    for operator, holds in (
        ("", lambda one: one == middle),
        ("__exact", lambda one: one == middle),
        ("__gt", lambda one: one > middle),
        ("__gte", lambda one: one >= middle),
        ("__lt", lambda one: one < middle),
        ("__lte", lambda one: one <= middle),
    ):
        found = await world.make_one(at, method="GET", params={f"created_at{operator}": middle})
        assert sorted(one["created_at"] for one in found["results"]) == list(filter(holds, times)), operator
    both = {"created_at__gt": times[0], "created_at__lt": times[2]}
    found = await world.make_one(at, method="GET", params=both)
    assert [one["created_at"] for one in found["results"]] == [
        one for one in times if times[0] < one < times[2]
    ]
    assert code(await world.manage("GET", at, params={"created_at__gt": "soon"})) == "validation_error"


async def test_what_lies_elsewhere_is_not_found_here(world: World) -> None:
    (here, [mine]), (there, [other]) = await folder_of(world, 1), await folder_of(world, 1)
    theirs = (await world.make_one(f"/folders/{there}/resources/{other}/revisions/", method="GET"))["results"]
    revision = theirs[0]["key"]
    at = f"/folders/{here}/resources"
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "data/"), ("GET", "revisions/")):
        answer = await world.manage(method, f"{at}/{other}/{path}", {} if method == "PUT" else None)
        assert code(answer) == "resource_not_found", (method, path)
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "publish/"),
        ("POST", "unpublish/"),
    ):
        answer = await world.manage(method, f"{at}/{mine}/revisions/{revision}/{path}", {"data": {}})
        assert code(answer) == "revision_not_found", (method, path)
    assert (await world.make_one(f"/folders/{there}/resources/{other}/data/", method="GET")) == {"n": 0}
    found = await world.make_one(f"{at}/batch/", {"items": [{"external_id": "x", "published": {"n": 5}}]})
    assert found["items"][0]["key"] not in (mine, other)


async def test_publishing_one_leaves_the_others_shown(world: World) -> None:
    folder, keys = await folder_of(world, 3)
    at = f"/folders/{folder}/resources"
    await world.make_one(f"{at}/{keys[0]}/", {"data": {"n": 7}, "publish": True}, "PUT")
    for key in keys:
        revisions = (await world.make_one(f"{at}/{key}/revisions/", method="GET"))["results"]
        assert [one["status"] for one in revisions].count("published") == 1


async def test_what_is_taken_away_is_not_delivered(world: World) -> None:
    folder, [gone, hidden, kept] = await folder_of(world, 3)
    prefix, alias = name("api"), next(one for one, key in world.folders.items() if key == folder)
    await world.api(prefix, [folder])

    async def delivered() -> set[str]:
        alone = {
            key for key in (gone, hidden, kept) if (await world.get(f"/{prefix}/{alias}/{key}")).is_success
        }
        listed = {one["_sys"]["key"] for one in (await world.get(f"/{prefix}/{alias}")).json()["results"]}
        assert alone == listed
        return listed

    at = f"/folders/{folder}/resources"
    assert await delivered() == {gone, hidden, kept}
    await world.make_one(f"{at}/{gone}/", method="DELETE")
    assert await delivered() == {hidden, kept}
    for key, left in ((kept, {hidden, kept}), (hidden, {kept})):
        [shown] = (await world.make_one(f"{at}/{key}/revisions/", method="GET"))["results"]
        draft = (await world.make_one(f"{at}/{key}/revisions/", {"data": {"n": 9}}))["key"]
        revision = draft if key == kept else shown["key"]
        await world.make_one(f"{at}/{key}/revisions/{revision}/unpublish/")
        assert await delivered() == left
    for members in (
        {"name": "x" * 256},
        {"external_id": "x" * 256},
        {"name": ""},
        {"resource_owner": "x" * 101},
    ):
        assert code(await world.manage("PUT", f"{at}/{kept}/", members)) == "validation_error", members


async def test_old_revisions_go_and_the_one_shown_stays(world: World) -> None:
    folder, [key] = await folder_of(world, 1, auto_remove_revisions=5)
    at = f"/folders/{folder}/resources/{key}"
    for number in range(1, 8):
        await world.make_one(f"{at}/revisions/", {"data": {"n": number}})
    left = (await world.make_one(f"{at}/revisions/", method="GET"))["results"]
    drafts = [(number, "draft") for number in range(8, 3, -1)]
    assert [(one["number"], one["status"]) for one in left] == [*drafts, (1, "published")]


async def test_an_upsert_has_one_external_id(world: World) -> None:
    folder, _ = await folder_of(world, 0)
    at = f"/folders/{folder}/resources/"
    for sent, expected in (("two", "validation_error"), ("one", None)):
        body = {"data": {"n": 1}, "external_id": sent}
        assert code(await world.manage("PUT", at, body, params={"external_id": "one"})) == expected


async def test_a_strict_child_is_reached_through_its_own_parent(world: World) -> None:
    parents, [first, second] = await folder_of(world, 2)
    alias = next(one for one, key in world.folders.items() if key == parents)
    child = name("c")
    children = await world.collection(child, [a_field("n", "integer")], parent=parents, strict_reference=True)
    key = await world.publish(children, {"n": 1}, resource_owner=first)
    prefix = name("api")
    await world.api(prefix, [parents, children], ["get_many", "get_one", "create", "update"])
    writer = await world.key()
    own, others = (f"/{prefix}/{alias}/{parent}/{child}" for parent in (first, second))
    for at, found in ((own, True), (others, False)):
        read = await world.get(f"{at}/{key}", writer)
        written = await world.request("PUT", f"{at}/{key}", writer, json={"data": {"n": 2}})
        assert (read.is_success, written.is_success) == (found, found), (read.text, written.text)
        listed = (await world.get(at, writer)).json()["results"]
        assert [one["_sys"]["key"] for one in listed] == [key] * found
    assert (await world.get(f"{own}/{key}", writer)).json()["data"] == {"n": 2}
    moved = await world.manage("PUT", f"/folders/{children}/resources/{key}/", {"resource_owner": key})
    assert code(moved) == "resource_owner_required"


async def test_many_may_be_added_up_to_the_limit(database: Database) -> None:
    async def table(tx: Transaction) -> None:
        await tx.run("CREATE TABLE things (n INTEGER NOT NULL)", {})

    async def count(tx: Transaction) -> int:
        return int(await tx.value("SELECT count(*) FROM things", {}))

    async def add(plans: Plans, several: int) -> bool:
        async def work(tx: Transaction) -> None:
            await tx.run_many("INSERT INTO things (n) VALUES (:n)", [{"n": n} for n in range(several)])

        try:
            await plans.within("things", count, work)
        except FaultError as refused:
            assert refused.fault.code == "plan_limit_exceeded"
            return False
        return True

    await database.transact(table)
    plans = Plans(database, {"things": 3})
    assert [await add(plans, several) for several in (4, 2, 2, 1, 1, 0)] == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert await database.transact(count) == 3
    lowered = Plans(database, {"things": 2})
    assert [await add(lowered, several) for several in (0, 1)] == [True, False]
