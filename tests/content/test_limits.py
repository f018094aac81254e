"""A query that takes too long is really ended: the request is answered at its limit, and what served it is free again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.content.world import World, a_field
from tests.harness.server import Server, serve

SECONDS = 2.0
DOCUMENTS = 40
LENGTH = 400_000


@pytest.fixture(scope="module")
async def slow(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    settings = {
        "content.request_timeout": SECONDS,
        "store.reader_threads": 2,
        "store.pool_size": 2,
        "content.max_filter_conditions": 200,
    }
    place = tmp_path_factory.mktemp("slow")
    async with serve(place, database=server_database, settings=settings) as running:
        yield running


async def test_a_query_beyond_the_limit_is_cancelled(slow: Server) -> None:
    world = await World.make(slow)
    fields = [a_field("body", "text", searchable=True), a_field("number", "integer", searchable=True)]
    folder = await world.collection("long", fields)
    await world.api("slow", [folder])
    for number in range(DOCUMENTS):
        await world.publish(folder, {"body": "a" * LENGTH, "number": number})
    # Every text is read to its end for every condition: tens of seconds, if nobody stops it.
    # Three such queries on two threads or connections; they differ, since equal ones would be made once.

    async def ask(name: str) -> tuple[int, float]:
        needles = [{"body__contains": f"{'a' * 40}{name}{number}"} for number in range(190)]
        began = time.monotonic()
        answer = await world.search("/slow/long", {"where": {"$": {"none_of": needles}}}, timeout=60)
        assert answer.json() == {
            "message": "Request timeout",
            "error_code": "request_timeout",
            "detail": None,
        }
        return answer.status_code, time.monotonic() - began

    answers = await asyncio.gather(*(ask(name) for name in "bcd"))
    assert {status for status, _ in answers} == {408}
    assert all(SECONDS - 0.1 <= took < SECONDS + 10 for _, took in answers)
    # This one needs a thread, or a connection, of the same few.
    short = {"where": {"$": {"any_of": [{"number__eq": 3}, {"body__startswith": "b"}]}}, "fields": ["number"]}
    answer = await world.search("/slow/long", short, timeout=60)
    assert answer.status_code == 200, answer.text
    assert [one["data"] for one in answer.json()["results"]] == [{"number": 3}]
