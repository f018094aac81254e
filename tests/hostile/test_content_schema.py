"""schemathesis over the content document; see attacks.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.content.world import World, a_field, blog
from tests.harness.server import Server
from tests.hostile.attacks import no_input_makes_the_server_fail

TWINS = ("/collections/{folder}/", "/collections/tree", "/{env}/roles/", "/api/{api}/collections")


async def places(server: Server) -> dict[str, str]:
    """The blog of the error matrix: an environment, a folder with content, an API, a component, a webhook. What may be switched off,
    emptied or published is beside it: an environment, a folder and a component of their own."""
    made = await blog(server)
    world, content = made.world, server.operator["content"]
    other = await World.make(server)
    hook = await world.make_one("/webhooks/", {"name": "W", "url": "https://hooks.example/"})
    found = {
        "org": content["organization"],
        "project": content["project"],
        "environment": other.env,
        "env": world.env,
        "folder": world.folders["articles"],
        "resource": made.resources["A1"],
        "revision": "latest",
        "version": "latest",
        "api": made.apis["blog"],
        "component": made.hero,
        "webhook": hook["key"],
        "code": "fr",
    }
    folder, component = (
        await world.collection("spare", [a_field("title")]),
        await world.component("spare", [a_field("title")]),
    )
    for part, owner in (("folders", folder), ("collections", folder), ("components", component)):
        at = "components" if part == "components" else "folders"
        found[f"{part} owner"] = owner
        found[f"{part}/{{owner}}/model/versions version"] = (
            await world.make_one(f"/{at}/{owner}/model/versions/", {"name": "draft"})
        )["key"]
    for side in ("management", "flux"):
        role = (await world.make_one(f"/permissions/{side}-api/roles/", {"name": "role"}))["key"]
        found[f"{side}-api role"] = role
        found[f"{side}-api key"] = (await world.key(role, side)).key
    return found


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    await no_input_makes_the_server_fail(tmp_path, "content", known, places, TWINS)
