"""Text, phrase, vector, boosted and hybrid search through the door, on both databases."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

TEXTS = {
    "cats": {
        "title": "A book about cats",
        "body": "The cat sat on the mat. Crème brûlée for cats.",
        "kind": "pet",
    },
    "dogs": {"title": "Dogs", "body": "Dogs chase the cat around the garden, and the mat.", "kind": "pet"},
    "cars": {
        "title": "Engines",
        "body": "Transmission, gearbox and motor: how cars work.",
        "kind": "machine",
    },
    "blank": {"title": "Nothing", "kind": "other"},
}


@pytest.fixture(scope="module")
async def library(server: Server) -> tuple[World, str]:
    world = await World.make(server)
    await world.make_one("/locales/", {"name": "German", "code": "de"})
    prefix = name("lib")
    folder = await world.collection(
        "books",
        [
            a_field("title", searchable=True, vectorizable=True),
            a_field("body", "text", searchable=True, vectorizable=True),
            a_field("kind", searchable=True),
            a_field("note", localizable=True, searchable=True),
            a_field("number", "integer", searchable=True),
            a_field("place", "vector", meta={"dimensions": 256}),
        ],
    )
    await world.api(prefix, [folder])
    for index, (key, data) in enumerate(TEXTS.items()):
        place = [0.0] * 256
        place[index] = 2.0
        note = {"en": f"note of {key}", "de": "Notiz"} if key == "cats" else {"en": "nothing"}
        sent = {**data, "place": place, "number": index, "note": note}
        resource = await world.publish(folder, sent, external_id=key)
        shown = await world.make_one(f"/folders/{folder}/resources/{resource}/", method="GET")
        assert shown["vectors_size"] >= 1024
    return world, f"/{prefix}/books"


async def found(library: tuple[World, str], body: dict[str, Any], **params: Any) -> list[str]:
    answer = await asked(library, body, **params)
    assert answer.status_code == 200, answer.text
    return titles(answer)


async def asked(library: tuple[World, str], body: dict[str, Any], **params: Any) -> httpx.Response:
    world, path = library
    return await world.search(path, body, params=params)


def titles(answer: httpx.Response) -> list[str]:
    by_title = {data["title"]: key for key, data in TEXTS.items()}
    return [by_title[one["data"]["title"]] for one in answer.json()["results"]]


def text(query: str, **options: Any) -> dict[str, Any]:
    return {"find_text": {"query": query, **options}}


async def test_text(library: tuple[World, str]) -> None:
    assert sorted(await found(library, text("cat"))) == ["cats", "dogs"]
    assert await found(library, text("the CAT, garden")) == ["dogs"]
    assert await found(library, text("creme brulee")) == ["cats"]
    assert await found(library, text("transmision")) == ["cars"]
    assert await found(library, text("transmision", threshold=1.0)) == []
    assert await found(library, text("gaerden", threshold=0.7)) == ["dogs"]
    assert await found(library, text("dogs", fields=["title"])) == ["dogs"]
    assert await found(library, text("cat", fields=["title"], threshold=1)) == []
    assert await found(library, text("unheard of")) == []
    assert await found(library, text("!!!")) == []
    assert await found(library, text("note", fields=["note"])) == ["cats"]
    assert await found(library, text("Notiz", fields=["note"])) == []
    assert await found(library, text("Notiz", fields=["note"]), search_locale="de") == ["cats"]


async def test_text_with_filters_and_order(library: tuple[World, str]) -> None:
    assert await found(library, {**text("cat"), "where": {"title__eq": "Dogs"}}) == ["dogs"]
    assert await found(library, {**text("cat"), "sort": ["title"]}) == ["cats", "dogs"]
    assert await found(library, {**text("cat"), "sort": ["-title"]}) == ["dogs", "cats"]


async def test_text_by_parameters(library: tuple[World, str]) -> None:
    world, path = library
    answer = await world.get(
        path, params={"find_text__query": "cat", "find_text__fields": "body", "sort": "title"}
    )
    assert titles(answer) == ["cats", "dogs"]
    answer = await world.get(path, params={"find_phrase__query": "sat on the mat"})
    assert titles(answer) == ["cats"]


async def test_phrases(library: tuple[World, str]) -> None:
    assert sorted(await found(library, {"find_phrase": {"query": "the mat"}})) == ["cats", "dogs"]
    assert await found(library, {"find_phrase": {"query": "mat the"}}) == []
    assert await found(library, {"find_phrase": {"query": "the the"}}) == []


async def test_pages_of_a_ranking(library: tuple[World, str]) -> None:
    first = await asked(library, {**text("the"), "limit": 1})
    token = httpx.URL(first.json()["next"]).params["next"]
    second = await asked(library, text("the"), next=token, limit=1)
    back = httpx.URL(second.json()["previous"]).params["previous"]
    again = await asked(library, text("the"), previous=back, limit=1)
    assert titles(first) + titles(second) == await found(library, text("the"))
    assert titles(again) == titles(first) and again.json()["previous"] is None
    assert second.json()["next"] is None
    assert (await asked(library, text("cat"), next=token)).status_code == 422


def vector(index: int, **options: Any) -> dict[str, Any]:
    numbers = [0.01] * 256
    numbers[index] = 1.0
    return {
        "search_mode": "vector",
        "vector_field_search": {"field": "place", "query_vector": numbers, **options},
    }


async def test_vectors(library: tuple[World, str]) -> None:
    answer = await asked(
        library, {"search_mode": "vector", "vector_search": {"query": "gearbox motor engine"}}
    )
    assert titles(answer)[0] == "cars"
    assert answer.json()["metadata"] == {
        "search_mode": "vector",
        "vector_search_enabled": True,
        "tokens_used": 3,
    }
    assert (await found(library, vector(1)))[0] == "dogs"
    assert await found(library, vector(1, similarity_threshold=0.9)) == ["dogs"]
    assert await found(library, vector(1, threshold=0.9)) == ["dogs"]
    assert len(await found(library, vector(1, top_k=2))) == 2
    assert await found(library, {**vector(1, top_k=2), "where": {"kind__eq": "machine"}}) == ["cars"]
    only = {"search_mode": "vector", "vector_search": {"query": "cats", "fields": ["title"], "top_k": 1}}
    assert await found(library, only) == ["cats"]


async def test_boosted(library: tuple[World, str]) -> None:
    """Text decides who is found, nearness who comes first."""
    plain = await found(library, text("mat"))
    assert sorted(plain) == ["cats", "dogs"]
    for index, key in ((0, "cats"), (1, "dogs")):
        body = {**vector(index, similarity_threshold=0.9), **text("mat"), "search_mode": "vector_boosted"}
        body["vector_boost_config"] = {"boost_factor": 100}
        assert await found(library, body) == [key, *(one for one in plain if one != key)]


async def test_hybrid(library: tuple[World, str]) -> None:
    body = {"search_mode": "hybrid", "vector_search": {"query": "gearbox motor", "top_k": 1}, **text("cat")}
    assert sorted(await found(library, body)) == ["cars", "cats", "dogs"]
    body["hybrid_config"] = {"vector_weight": 1.0, "text_weight": 0.0, "rerank_results": False}
    assert (await found(library, body))[0] == "cars"
    body["hybrid_config"] = {"vector_weight": 0.0, "text_weight": 1.0}
    assert (await found(library, body))[-1] == "cars"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"search_mode": "vector", "vector_search": {"query": "ab"}}, "vector_search.query"),
        ({"search_mode": "vector", "vector_search": {"query": "abc", "top_k": 0}}, "vector_search.top_k"),
        (
            {"search_mode": "vector", "vector_search": {"query": "abc", "fields": ["kind"]}},
            "vector_search.fields.0",
        ),
        (vector(0, similarity_threshold=2), "vector_field_search.similarity_threshold"),
        ({"find_text": {"query": "a", "fields": ["number"]}}, "find_text.fields.0"),
        ({"find_text": {"fields": []}}, "find_text.query"),
        ({"find_text": "a"}, "find_text"),
        (
            {
                "search_mode": "hybrid",
                "vector_search": {"query": "abc"},
                **text("a"),
                "hybrid_config": {"vector_weight": 0.9, "text_weight": 0.9},
            },
            "hybrid_config",
        ),
        (
            {
                **vector(0),
                **text("a"),
                "search_mode": "vector_boosted",
                "vector_boost_config": {"boost_factor": 0},
            },
            "vector_boost_config.boost_factor",
        ),
    ],
)
async def test_what_does_not_fit_is_named(
    library: tuple[World, str], body: dict[str, Any], field: str
) -> None:
    answer = await asked(library, body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["detail"]] == [field]


async def test_a_new_text_is_found_at_once_and_a_deleted_one_no_more(library: tuple[World, str]) -> None:
    world, _path = library
    folder = world.folders["books"]
    key = await world.publish(folder, {"title": "Dogs", "body": "zyzzyva"})
    assert await found(library, text("zyzzyvas", threshold=0.8)) == ["dogs"]
    assert (await world.manage("DELETE", f"/folders/{folder}/resources/{key}/")).status_code == 204
    assert await found(library, text("zyzzyva")) == []


async def test_upstream_error_when_the_embeddings_fail(library: tuple[World, str]) -> None:
    world, _path = library
    for mode in ("error", "unavailable", "garbage", "timeout"):
        await world.server.sandbox.fault("embeddings", mode, seconds=0.01)
        answer = await asked(library, {"search_mode": "vector", "vector_search": {"query": "gearbox"}})
        assert (answer.status_code, answer.json()["error_code"]) == (502, "upstream_error")
    await world.server.sandbox.fault("embeddings", "error")
    body = {"data": {"title": "Unheard of", "body": "entirely new"}, "publish": True}
    refused = await world.manage("POST", f"/folders/{world.folders['books']}/resources/", body)
    assert (refused.status_code, refused.json()["error_code"]) == (502, "upstream_error")
    await world.server.sandbox.clear()
    assert await found(library, text("entirely new")) == []
