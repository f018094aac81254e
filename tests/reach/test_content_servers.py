"""Codes that need a server with settings of its own: limits of rate, time, size and number; profiles; maintenance."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.content.world import Blog, World, a_field, blog
from tests.harness.server import Server, serve


@pytest.fixture(scope="module")
async def tight(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    settings = {
        "content.rate_limit": "3/60s",
        "content.request_timeout": 0.3,
        "content.max_response_bytes": 65536,
        "content.max_versions": 2,
        "content.plan_limits": {"locales": 2, "roles": 0},
    }
    async with serve(tmp_path_factory.mktemp("tight"), settings=settings) as server:
        yield server


@pytest.fixture(scope="module")
async def world(tight: Server) -> World:
    made = await World.make(tight)
    folder = await made.collection("articles", [a_field("body", "text")])
    await made.api("blog", [folder])
    return made


async def test_rate_limit_exceeded(world: World, tight: Server) -> None:
    one, other = await world.key(), await world.key()
    answers = [await world.get("/blog/articles", one) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.json() == {
        "message": "Rate limit exceeded",
        "error_code": "rate_limit_exceeded",
        "detail": None,
    }
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await world.get("/blog/articles", other)).status_code == 200
    await tight.sandbox.clock(61)
    assert (await world.get("/blog/articles", one)).status_code == 200


async def test_made_up_keys_do_not_buy_fresh_budgets(world: World, tight: Server) -> None:
    await tight.sandbox.clock(61)
    headers = [{"Authorization": f"Simple nobody{index}:x"} for index in range(4)]
    answers = [await world.get("/blog/articles", headers=one) for one in headers]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_request_timeout(world: World, tight: Server) -> None:
    """The call returns at the limit, and the connection goes on being used."""
    await tight.sandbox.clock(61)
    key = await world.key()
    await tight.sandbox.fault("handler", "delay", seconds=2)
    began = time.monotonic()
    answer = await world.get("/blog/articles", key)
    assert time.monotonic() - began < 1.0
    assert answer.status_code == 408
    assert answer.json() == {"message": "Request timeout", "error_code": "request_timeout", "detail": None}
    assert (await world.get("/blog/articles", key)).status_code == 200


async def test_max_response_size_exceeded(world: World, tight: Server) -> None:
    await tight.sandbox.clock(61)
    folder = await world.collection("large", [a_field("body", "text")])
    await world.api("big", [folder])
    for _ in range(3):
        await world.publish(folder, {"body": "x" * 40_000})
    keys = [await world.key() for _ in range(3)]
    assert (await world.get("/big/large", keys[0])).json()["error_code"] == "max_response_size_exceeded"
    assert (await world.get("/big/large?limit=1", keys[1])).status_code == 200
    cut = await world.get("/big/large?truncate_text=100", keys[2])
    assert cut.status_code == 200
    assert cut.json()["results"][0]["_sys"]["truncated"] == [
        {"field": "body", "locale": None, "original_length": 40_000}
    ]


async def test_plan_limit_exceeded(world: World) -> None:
    assert (await world.manage("POST", "/locales/", {"name": "French", "code": "fr"})).status_code == 201
    refused = await world.manage("POST", "/locales/", {"name": "German", "code": "de"})
    assert refused.status_code == 403
    assert refused.json() == {
        "message": "Plan limit exceeded",
        "error_code": "plan_limit_exceeded",
        "detail": {"entity": "locales", "current": 2, "limit": 2},
    }


async def test_too_many_versions(world: World) -> None:
    at = f"/folders/{world.folders['articles']}/model/versions/"
    answers = [await world.manage("POST", at, {"name": "v"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 422]
    assert answers[-1].json()["error_code"] == "too_many_versions"


async def test_service_unavailable(world: World, tight: Server) -> None:
    await tight.sandbox.maintenance(True, "content")
    try:
        refused = [await world.get("/blog/articles"), await world.manage("GET", "/locales/")]
    finally:
        await tight.sandbox.maintenance(False, "content")
    for answer in refused:
        assert answer.status_code == 503
        assert answer.json()["error_code"] == "service_unavailable"
    assert (await world.manage("GET", "/locales/")).status_code == 200


@pytest.fixture(scope="module")
async def current(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Blog]:
    settings = {"content.error_profile": "current", "content.management_rate_limit": "100/60s"}
    async with serve(tmp_path_factory.mktemp("current"), settings=settings) as server:
        yield await blog(server)


async def test_authentication_required_and_access_denied(current: Blog) -> None:
    """The names of the current documentation, when asked for."""
    unknown = await current.get("/blog/articles", None)
    assert (unknown.status_code, unknown.json()["error_code"]) == (401, "authentication_required")
    denied = await current.get("/blog/articles", "KN")
    assert (denied.status_code, denied.json()["error_code"]) == (403, "access_denied")


async def test_rate_limited(current: Blog) -> None:
    """Management has a code of its own."""
    for _ in range(150):
        answer = await current.world.manage("GET", "/locales/")
        if answer.status_code != 200:
            break
    assert (answer.status_code, answer.json()["error_code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1


async def test_simulation_needs_the_sandbox(tmp_path: Path) -> None:
    async with serve(tmp_path, sandbox=False) as server:
        answer = await server.http.get("/content/plans/", headers={"X-Flux-Simulate": "request_timeout"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "simulation_refused")
