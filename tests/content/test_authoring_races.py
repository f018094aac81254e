"""Two authors at once, over real connections on both databases: whoever is told that it worked finds it done."""

from __future__ import annotations

import asyncio

import httpx

from tests.content.world import World, a_field, name
from tests.harness.server import Server

ROUNDS = 12


def code(answer: httpx.Response) -> str | None:
    return None if answer.is_success else str(answer.json()["error_code"])


async def test_a_draft_that_is_published_meanwhile(server: Server) -> None:
    """What is shown is what the revision holds; a change that was accepted is in both."""
    world = await World.make(server)
    folder = await world.collection("notes", [a_field("n", "integer")])
    prefix = name("race")
    await world.api(prefix, [folder])
    for _ in range(ROUNDS):
        key = await world.draft(folder, {"n": 0})
        at = f"/folders/{folder}/resources/{key}/revisions"
        [revision] = (await world.make_one(f"{at}/", method="GET"))["results"]
        one = f"{at}/{revision['key']}"
        changed, removed, published = await asyncio.gather(
            world.manage("PUT", f"{one}/", {"data": {"n": 1}}),
            world.manage("DELETE", f"{one}/"),
            world.manage("POST", f"{one}/publish/"),
        )
        assert code(changed) in (None, "revision_not_editable", "revision_not_found"), changed.text
        assert code(removed) in (None, "published_revision_cannot_be_deleted"), removed.text
        shown = await world.get(f"/{prefix}/notes/{key}")
        if removed.is_success:
            assert (code(published), shown.status_code) == ("revision_not_found", 404)
            continue
        assert published.is_success, published.text
        stored = await world.make_one(f"{one}/data/", method="GET")
        assert shown.json()["data"] == stored == {"n": int(changed.is_success)}


async def test_a_schema_that_is_published_meanwhile(server: Server) -> None:
    """A draft is published once, and no field comes to it or goes from it afterwards."""
    world = await World.make(server)
    folder = await world.collection("notes", [a_field("first")])
    prefix = name("race")
    await world.api(prefix, [folder])
    versions = f"/folders/{folder}/model/versions"
    for number in range(ROUNDS):
        version = (await world.make_one(f"{versions}/", {"name": "v"}))["key"]
        tree = f"{versions}/{version}/schema/tree/"
        await world.make_one(tree, a_field("first"))
        await world.make_one(tree, a_field("second"))
        added, removed, gone, *published = await asyncio.gather(
            world.manage("POST", tree, a_field("third")),
            world.manage("DELETE", f"{tree}field/", params={"path": "second"}),
            world.manage("DELETE", f"{versions}/{version}/") if number % 2 else asyncio.sleep(0, httpx.Response(409)),
            *(world.manage("POST", f"{versions}/{version}/publish/") for _ in range(3)),
        )  # fmt: skip
        codes = [code(answer) for answer in published]
        if gone.is_success:
            assert None not in codes
            continue
        assert sorted(map(str, codes)) == ["None", "version_already_published", "version_already_published"]
        for answer in (added, removed):
            assert code(answer) in (None, "version_already_published"), answer.text
        expected = {"first"} | ({"third"} if added.is_success else set())
        expected |= set() if removed.is_success else {"second"}
        fields = (await world.make_one(tree, method="GET"))["results"]
        assert {one["key"] for one in fields} == expected
        shown = (await world.get(f"/{prefix}/notes/_schema")).json()["json_schema"]["properties"]
        assert set(shown) == expected


async def test_an_environment_that_is_protected_meanwhile(server: Server) -> None:
    for _ in range(ROUNDS):
        world = await World.make(server)
        at = f"{world.project}/environments/{world.env}"
        protection = {"protection_level": "locked"}
        protected, deleted = await asyncio.gather(
            world.http.patch(f"{at}/protection/", json=protection, headers=world.token),
            world.http.delete(f"{at}/", headers=world.token),
        )
        assert code(deleted) in (None, "protected_environment_cannot_be_deleted"), deleted.text
        assert code(protected) == (None if code(deleted) else "environment_not_found")
