"""The adapter for services with the OpenAI embeddings API, against one on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.content.world import World, a_field
from tests.harness.server import free_port, serve

DIMENSIONS = 32
TOPICS = ("engine", "garden", "ocean")


class Service:
    """Embeds a text as the topics it speaks of. `spoil` says how the next answer goes wrong."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.spoil = ""

    async def answer(self, request: web.Request) -> web.Response:
        spoil, self.spoil = self.spoil, ""
        body = await request.json()
        self.asked.append(body)
        self.headers.append(request.headers.get("Authorization"))
        if spoil == "status":
            return web.json_response({"error": {"message": "no"}}, status=500)
        if spoil == "text":
            return web.Response(text="what?")
        size = DIMENSIONS - 1 if spoil == "size" else DIMENSIONS
        items = [
            {"object": "embedding", "index": index, "embedding": vector(text)[:size]}
            for index, text in enumerate(body["input"])
        ]
        # In any order: the index says which is whose.
        return web.json_response({"object": "list", "data": items[::-1], "model": body["model"]})


def vector(text: str) -> list[float]:
    found = [0.01] * DIMENSIONS
    for index, topic in enumerate(TOPICS):
        found[index] += 3.0 * text.lower().count(topic)
    return found


@pytest.fixture(scope="module")
async def peer() -> AsyncIterator[tuple[Service, str]]:
    service = Service()
    app = web.Application()
    app.router.add_post("/v1/embeddings", service.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield service, f"http://127.0.0.1:{port}/v1"
    await runner.cleanup()


@pytest.fixture(scope="module")
async def library(
    peer: tuple[Service, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, str]]:
    place: Path = tmp_path_factory.mktemp("embeddings")
    settings = {
        "content.embeddings.provider": "openai",
        "content.embeddings.url": peer[1],
        "content.embeddings.model": "topics-1",
        "content.embeddings.api_key": "a key",
        "content.embeddings.dimensions": DIMENSIONS,
    }
    async with serve(place, settings=settings) as server:
        world = await World.make(server)
        fields = [a_field("title"), a_field("body", "text", vectorizable=True)]
        folder = await world.collection("books", fields)
        await world.api("lib", [folder])
        yield world, folder


async def near(world: World, query: str) -> list[str]:
    body = {"search_mode": "vector", "vector_search": {"query": query, "similarity_threshold": 0.5}}
    answer = await world.search("/lib/books", body)
    assert answer.status_code == 200, answer.text
    return [one["data"]["title"] for one in answer.json()["results"]]


async def test_what_is_published_is_embedded_by_the_service(
    library: tuple[World, str], peer: tuple[Service, str]
) -> None:
    world, folder = library
    service = peer[0]
    for topic in TOPICS:
        await world.publish(folder, {"title": topic, "body": f"All about one {topic} and no other."})
    assert [one["input"] for one in service.asked] == [
        [f"All about one {topic} and no other."] for topic in TOPICS
    ]
    assert {one["model"] for one in service.asked} == {"topics-1"}
    assert set(service.headers) == {"Bearer a key"}
    assert await near(world, "the OCEAN at night") == ["ocean"]
    assert await near(world, "a garden by the ocean") in (["garden", "ocean"], ["ocean", "garden"])
    count = len(service.asked)
    await near(world, "the OCEAN at night")
    assert len(service.asked) == count, "a query that was embedded is remembered"


@pytest.mark.parametrize("spoil", ["status", "text", "size"])
async def test_a_service_that_fails_publishes_nothing(
    library: tuple[World, str], peer: tuple[Service, str], spoil: str
) -> None:
    world, folder = library
    before = (await world.make_one(f"/folders/{folder}/resources/", method="GET"))["count"]
    peer[0].spoil = spoil
    body = {"data": {"title": spoil, "body": f"Something new: {spoil}"}, "publish": True}
    refused = await world.manage("POST", f"/folders/{folder}/resources/", body)
    assert (refused.status_code, refused.json()["error_code"]) == (502, "upstream_error")
    peer[0].spoil = spoil
    search = {"search_mode": "vector", "vector_search": {"query": f"never asked before: {spoil}"}}
    refused = await world.search("/lib/books", search)
    assert (refused.status_code, refused.json()["error_code"]) == (502, "upstream_error")
    assert (await world.make_one(f"/folders/{folder}/resources/", method="GET"))["count"] == before
