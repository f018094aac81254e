"""schemathesis over the content document; see attacks.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.content.world import blog
from tests.harness.server import Server
from tests.hostile.attacks import no_input_makes_the_server_fail

TWINS = ("/collections/{folder}/", "/collections/tree", "/{env}/roles/", "/api/{api}/collections")


async def places(server: Server) -> dict[str, str]:
    """The blog of the error matrix: an environment, a folder with content, an API, a component, a webhook."""
    made = await blog(server)
    hook = await made.world.make_one("/webhooks/", {"name": "W", "url": "https://hooks.example/"})
    return {
        "env": made.world.env,
        "folder": made.world.folders["articles"],
        "resource": made.resources["A1"],
        "revision": "latest",
        "version": "latest",
        "api": made.apis["blog"],
        "component": made.hero,
        "webhook": hook["key"],
        "code": "fr",
    }


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    await no_input_makes_the_server_fail(tmp_path, "content", known, places, TWINS)
