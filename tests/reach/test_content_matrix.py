"""Every condition of the content reference's error matrix, on both databases: status, envelope, exact message, detail,
and that nothing else changed, neither in the database nor for the next caller."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.content.fingerprint import fingerprint
from tests.content.world import Blog, World, a_field, blog
from tests.harness.server import Server, serve
from tests.reach.content_matrix import CODES, LETTERS, MATRIX, Condition


def _judge(answer: httpx.Response, row: int, detail: object = None) -> None:
    code, status, message = CODES[row]
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.json() == {"message": message, "error_code": code, "detail": detail}
    assert list(answer.json()) == ["message", "error_code", "detail"]


def test_every_published_condition_is_a_scenario() -> None:
    for row, letters in LETTERS.items():
        assert {one.letter[0] for one in MATRIX if one.row == row} == set(letters), row
    assert set(LETTERS) | {7, 17} == set(CODES) == set(range(1, 19))
    assert len({one.name for one in MATRIX}) == len(MATRIX)


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


@pytest.mark.parametrize("condition", MATRIX, ids=[one.name for one in MATRIX])
async def test_condition(made: Blog, condition: Condition) -> None:
    given = await condition.given(made)
    before = await fingerprint(made.world.server)
    try:
        answer = await condition.ask(made, given)
        again = None if condition.row == 18 else await condition.ask(made, given)
    finally:
        await made.world.server.sandbox.clear()
    _judge(answer, condition.row, condition.detail)
    if again is not None:
        assert again.content == answer.content
    else:
        assert answer.headers["x-request-id"] in made.world.server.log()
    assert await fingerprint(made.world.server) == before
    served = await made.get("/blog/articles")
    assert served.status_code == 200 and len(served.json()["results"]) == 3


async def test_a_change_would_be_noticed(made: Blog) -> None:
    before = await fingerprint(made.world.server)
    await made.world.draft(made.world.folders["vault"], {"secret": "x"})
    after = await fingerprint(made.world.server)
    assert {table for table in after if after[table] != before[table]} >= {"content_resources"}


@pytest.mark.parametrize("clause", ["where__nope__eq=1", "where__note__eq=1", "sort=-nope", "populate=nope"])
async def test_ignored_unknown_fields_answer_as_if_absent(made: Blog, clause: str) -> None:
    everything = (await made.get("/blog/articles")).json()["results"]
    answer = await made.get(f"/blog/articles?{clause}&ignore_unknown_fields=true")
    assert answer.status_code == 200 and answer.json()["results"] == everything


@pytest.mark.parametrize(
    "body",
    [{"where": {"$": {"all_of": [{"nope__eq": 1}]}}}, {"find_text": {"query": "A1", "fields": ["nope"]}}],
    ids=["where", "find_text"],
)
async def test_ignored_unknown_fields_of_a_body(made: Blog, body: dict[str, object]) -> None:
    answer = await made.search({**body, "ignore_unknown_fields": True})
    assert answer.status_code == 200


async def test_what_is_within_the_limits_is_served(made: Blog) -> None:
    """Beside the refusals: pages without a schema's fields, three joined folders, a right signature's neighbour."""
    assert (await made.get("/blog/pages")).status_code == 200
    three = {f"x{index}": "authors" for index in range(3)}
    relations = [{"source": "$", "target": one, "source_field": "author"} for one in three]
    assert (await made.search({"join": {"as": three, "relations": relations}})).status_code == 200


# -- rows 7 and 17 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def tight(
    server_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, World]]:
    settings = {"content.rate_limit": "3/60s", "content.request_timeout": 0.2}
    directory = tmp_path_factory.mktemp(f"tight-{server_database}")
    async with serve(directory, database=server_database, settings=settings) as server:
        world = await World.make(server)
        folder = await world.collection("articles", [a_field("title")])
        await world.api("blog", [folder])
        await world.publish(folder, {"title": "A1"})
        yield server, world


@pytest.mark.parametrize("port", ["handler", "store"])
async def test_row_7_request_timeout(tight: tuple[Server, World], port: str) -> None:
    """The answer comes at the limit, the work is cancelled, and the connection goes on being used."""
    server, world = tight
    key = await world.key()
    before = await fingerprint(server)
    await server.sandbox.fault(port, "delay", seconds=1)
    began = time.monotonic()
    answer = await world.get("/blog/articles", key)
    took = time.monotonic() - began
    await server.sandbox.clear()
    _judge(answer, 7)
    assert 0.15 < took < 0.95, took
    assert await fingerprint(server) == before
    assert (await world.get("/blog/articles", key)).status_code == 200


async def test_row_17_rate_limit_exceeded(tight: tuple[Server, World]) -> None:
    server, world = tight
    one, other = await world.key(), await world.key()
    before = await fingerprint(server)
    answers = [await world.get("/blog/articles", one) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    _judge(answers[-1], 17)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await world.get("/blog/articles", other)).status_code == 200
    assert await fingerprint(server) == before
    await server.sandbox.clock(61)
    assert (await world.get("/blog/articles", one)).status_code == 200
