"""How large what is sent may be, at the border: one byte more is refused, by the name the specification gives it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.content.world import World, a_field, name
from tests.harness.server import Server

MEBIBYTE = 1_048_576
AROUND = 65_536
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def world(server: Server) -> World:
    return await World.make(server)


def _padded(body: dict[str, Any], size: int) -> bytes:
    return json.dumps(body).encode().ljust(size)


async def test_a_delivery_body_is_a_mebibyte_at_most(world: World) -> None:
    folder = await world.collection(name("sized"), [a_field("title", searchable=True)])
    prefix = name("api")
    await world.api(prefix, [folder])
    path = f"/{prefix}/{_alias(world, folder)}/_search"
    for size, status in ((MEBIBYTE, 200), (MEBIBYTE + 1, 422)):
        answer = await world.request("POST", path, content=_padded({"limit": 1}, size), headers=JSON)
        assert answer.status_code == status, answer.text
    assert answer.json()["error_code"] == "invalid_request"


async def test_a_revision_is_a_mebibyte_at_most(world: World) -> None:
    folder = await world.collection(name("sized"), [a_field("body", "text")])
    at = f"/folders/{folder}/resources/"
    room = MEBIBYTE - len('{"body":""}')
    fits = await world.manage("POST", at, {"data": {"body": "x" * room}})
    assert fits.status_code == 201, fits.text
    large = await world.manage("POST", at, {"data": {"body": "x" * (room + 1)}})
    assert (large.status_code, large.json()["error_code"]) == (422, "data_validation_error")
    assert [one["type"] for one in large.json()["detail"]["errors"]] == ["too_large"]


async def test_a_management_body_has_room_around_a_revision(world: World) -> None:
    folder = await world.collection(name("sized"), [a_field("title")])
    at = f"{world.at}/folders/{folder}/resources/"
    for size, status in ((MEBIBYTE + AROUND, 201), (MEBIBYTE + AROUND + 1, 422)):
        body = _padded({"data": {"title": "x"}}, size)
        answer = await world.http.post(at, content=body, headers={**world.token, **JSON})
        assert answer.status_code == status, answer.text
    assert answer.json()["error_code"] == "validation_error"
    assert [one["type"] for one in answer.json()["detail"]] == ["too_large"]


def _alias(world: World, folder: str) -> str:
    return next(alias for alias, key in world.folders.items() if key == folder)
