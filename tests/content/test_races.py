"""Races over real connections, on both databases: one resource of many writers, and reading what is being published."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

WRITERS = 50
ROUNDS = 40
S = {"searchable": True}


@pytest.fixture
async def counters(server: Server) -> tuple[World, str, str]:
    """A world with a folder of counters, and the path it is delivered at."""
    world = await World.make(server)
    prefix = name("race")
    fields = [
        a_field("n", "integer", **S),
        a_field("twice", "integer", **S),
        a_field("word", **S),
        a_field("pad", "text"),
    ]
    folder = await world.collection("counters", fields)
    await world.api(prefix, [folder])
    return world, folder, f"/{prefix}/counters"


@pytest.mark.parametrize("publish", [False, True])
async def test_upserts_of_one_external_id(counters: tuple[World, str, str], publish: bool) -> None:
    world, folder, path = counters
    place = f"/folders/{folder}/resources/"

    async def upsert(number: int) -> int:
        body = {"data": {"n": number, "twice": 2 * number}, "publish": publish}
        answer = await world.manage("PUT", place, body, params={"external_id": "one"})
        assert answer.is_success, answer.text
        return answer.status_code

    statuses = await asyncio.gather(*(upsert(number) for number in range(WRITERS)))
    assert sorted(statuses) == [200] * (WRITERS - 1) + [201]
    listed = await world.make_one(place, method="GET")
    assert listed["count"] == 1
    resource = listed["results"][0]
    at = f"{place}{resource['key']}"
    revisions = await world.make_one(f"{at}/revisions/", method="GET", params={"limit": 100})
    assert revisions["count"] == WRITERS
    numbers = [one["number"] for one in revisions["results"]]
    assert numbers == list(range(WRITERS, 0, -1))
    shown = (await world.get(path)).json()["results"]
    published = [one for one in revisions["results"] if one["status"] == "published"]
    if not publish:
        assert (shown, published) == ([], [])
        return
    assert [one["key"] for one in published] == [resource["current_revision"]]
    data = await world.make_one(f"{at}/data/", method="GET")
    assert [one["data"] for one in shown] == [data]
    # The index says what the document says: nobody's values stayed behind.
    for number in range(WRITERS):
        found = (await world.get(path, params={"where__n": str(number)})).json()["results"]
        assert len(found) == (number == data["n"])


def _check(document: dict[str, Any], floor: int) -> None:
    data = document["data"]
    number = data["n"]
    assert data == {"n": number, "twice": 2 * number, "word": f"w{number}", "pad": str(number) * 500}, "torn"
    assert number >= floor, f"{number} after {floor} was published"


async def test_publishing_during_reads(counters: tuple[World, str, str]) -> None:
    """Whoever asks after a publish was answered gets it, by every way of asking, whole."""
    world, folder, path = counters
    at = f"/folders/{folder}/resources"
    acknowledged, writing = 0, True

    def body(number: int) -> dict[str, Any]:
        data = {"n": number, "twice": 2 * number, "word": f"w{number}", "pad": str(number) * 500}
        return {"data": data, "publish": True}

    key = (await world.make_one(f"{at}/", body(0)))["key"]

    async def write() -> None:
        nonlocal acknowledged, writing
        try:
            for number in range(1, ROUNDS + 1):
                if number % 2:
                    await world.make_one(f"{at}/{key}/", body(number), "PUT")
                else:
                    revision = await world.make_one(f"{at}/{key}/revisions/", {"data": body(number)["data"]})
                    await world.make_one(f"{at}/{key}/revisions/{revision['key']}/publish/")
                acknowledged = number
        finally:
            writing = False

    async def read(ask: Any) -> int:
        count = 0
        while writing:
            floor = acknowledged
            answer = await ask(floor)
            assert answer.status_code == 200, answer.text
            for document in answer.json().get("results", [answer.json()]):
                _check(document, floor)
                count += 1
        return count

    readers = [
        lambda floor: world.get(f"{path}/{key}"),
        lambda floor: world.get(path),
        lambda floor: world.get(path, params={"sort": "-n"}),
        lambda floor: world.get(path, params={"where__n__gte": str(floor), "sort": "word"}),
        lambda floor: world.search(path, {"where": {"twice__gte": 2 * floor}}),
    ]
    counts = await asyncio.gather(write(), *(read(ask) for ask in readers))
    assert acknowledged == ROUNDS
    assert all(count for count in counts[1:]), counts
    _check((await world.get(f"{path}/{key}")).json(), ROUNDS)


async def test_a_document_that_moves_within_an_order_is_not_lost(counters: tuple[World, str, str]) -> None:
    """A value comes and goes: the document is found among those with one or those without, never in neither."""
    world, folder, path = counters
    at = f"/folders/{folder}/resources"
    keys = [(await world.make_one(f"{at}/", {"data": {"n": n}, "publish": True}))["key"] for n in range(3)]
    writing = True

    async def write() -> None:
        nonlocal writing
        try:
            for number in range(ROUNDS):
                data = {"word": "x"} if number % 2 else {"n": 7, "word": "x"}
                await world.make_one(f"{at}/{keys[1]}/", {"data": data, "publish": True}, "PUT")
        finally:
            writing = False

    async def read(params: dict[str, str]) -> None:
        while writing:
            found = (await world.get(path, params=params)).json()["results"]
            assert sorted(one["_sys"]["key"] for one in found) == sorted(keys), params

    orders = ({"sort": "n"}, {"sort": "-n"}, {"sort": "n", "where__twice__isnull": "true"})
    await asyncio.gather(write(), *(read(params) for params in orders))
