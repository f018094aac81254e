"""The codes that management and delivery's writes need beyond the published reference, through the real door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.content.world import Blog, a_field, blog, name
from tests.harness.server import Server

from flux.content.envelope import ContentEnvelope

Scenario = Callable[[Blog], Awaitable[httpx.Response]]
SCENARIOS: list[tuple[str, int, Scenario]] = []


def reaches(code: str, status: int) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS.append((code, status, scenario))
        return scenario

    return register


def manages(code: str, status: int, method: str, path: str, body: Any = None) -> None:
    """A scenario that is one management request. `{articles}` and its kin in the path are folder keys."""

    async def scenario(made: Blog) -> httpx.Response:
        return await made.world.manage(method, path.format(**made.world.folders, **made.resources), body)

    SCENARIOS.append((code, status, scenario))


manages("locale_not_found", 404, "GET", "/locales/xx/")
manages("folder_not_found", 404, "GET", "/folders/tree/folder/?key=nope")
manages("folder_not_found", 404, "POST", "/collections/nope/model/versions/", {"name": "v"})
manages("version_not_found", 404, "GET", "/collections/{articles}/model/versions/nope/")
manages(
    "field_not_found",
    404,
    "GET",
    "/collections/{articles}/model/versions/latest/schema/tree/field/?path=nope",
)
manages("revision_not_found", 404, "GET", "/folders/{articles}/resources/{A1}/revisions/nope/")
manages("api_not_found", 404, "GET", "/api/nope/")
manages("role_not_found", 404, "GET", "/permissions/flux-api/roles/nope/")
manages("api_key_not_found", 404, "GET", "/roles/management-api/api-keys/nope/")
manages("method_not_allowed", 405, "PATCH", "/locales/")
manages("folder_alias_exists", 409, "POST", "/folders/tree/", {"name": "Articles", "alias": "articles"})
manages("default_locale_cannot_be_deleted", 422, "DELETE", "/locales/en/")
manages("api_prefix_exists", 422, "POST", "/api/", {"name": "Blog", "prefix": "blog"})
manages("folder_already_connected_to_api", 422, "POST", "/api/blog/folders/", {"folder": "articles"})
manages("data_validation_error", 422, "POST", "/folders/{articles}/resources/", {"data": {"price": "much"}})
manages("folder_has_no_model", 422, "GET", "/folders/{pages}/model/versions/")
manages("resource_owner_required", 422, "POST", "/folders/{comments}/resources/", {"data": {"body": "x"}})


async def _refused(
    made: Blog, path: str, content: bytes = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    return await made.world.manage("POST", path, headers=headers or {}, content=content)


@reaches("json_parse_error", 400)
async def body_that_is_not_json(made: Blog) -> httpx.Response:
    return await _refused(made, "/locales/", b'{"name": ', {"Content-Type": "application/json"})


@reaches("bad_request", 400)
async def target_too_long(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/locales/?" + "x" * 20_000)


@reaches("simulation_refused", 400)
async def simulating_what_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/locales/", headers={"X-Flux-Simulate": "no_such_code"})


@reaches("organization_not_found", 404)
async def organization_of_nobody(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/organizations/nope/", headers=made.world.token)


@reaches("project_not_found", 404)
async def project_of_nobody(made: Blog) -> httpx.Response:
    return await made.world.http.get(
        made.world.project.rpartition("/")[0] + "/nope/", headers=made.world.token
    )


@reaches("plan_not_found", 404)
async def plan_of_nobody(made: Blog) -> httpx.Response:
    organization = made.world.project.partition("/projects/")[0]
    return await made.world.http.post(f"{organization}/plan/gold/", headers=made.world.token)


@reaches("environment_not_found", 404)
async def environment_that_is_not_there(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/v1/zzzzzzzz/locales/", headers=made.keys["KM"].simple)


async def _environment(made: Blog) -> tuple[str, str]:
    """A fresh environment: its management path and its own."""
    world = made.world
    answer = await world.http.post(f"{world.project}/environments/", json={"name": "x"}, headers=world.token)
    return f"/content/v1/{answer.json()['key']}", f"{world.project}/environments/{answer.json()['key']}"


@reaches("environment_disabled", 403)
async def environment_switched_off(made: Blog) -> httpx.Response:
    at, itself = await _environment(made)
    await made.world.http.post(f"{itself}/toggle/", json={"is_enabled": False}, headers=made.world.token)
    return await made.world.http.get(f"{at}/locales/", headers=made.world.token)


async def _protected(made: Blog, level: str) -> tuple[str, str]:
    at, itself = await _environment(made)
    body = {"protection_level": level}
    answer = await made.world.http.patch(f"{itself}/protection/", json=body, headers=made.world.token)
    assert answer.json()["protection_level"] == level
    return at, itself


@reaches("environment_protected", 403)
async def write_to_a_locked_environment(made: Blog) -> httpx.Response:
    at, _ = await _protected(made, "locked")
    return await made.world.http.post(
        f"{at}/locales/", json={"name": "x", "code": "xx"}, headers=made.world.token
    )


@reaches("protected_environment_cannot_be_deleted", 422)
async def deleting_a_protected_environment(made: Blog) -> httpx.Response:
    _, itself = await _protected(made, "org_owner")
    return await made.world.http.delete(f"{itself}/", headers=made.world.token)


# -- schemas --------------------------------------------------------------------------------------------------


async def _draft(made: Blog) -> str:
    """The path of a draft in a new collection."""
    folder = await made.world.make_one("/folders/tree/", {"name": "x", "alias": name("x")})
    version = await made.world.make_one(f"/folders/{folder['key']}/model/versions/", {"name": "v"})
    return f"/folders/{folder['key']}/model/versions/{version['key']}"


@reaches("empty_schema", 422)
async def publishing_nothing(made: Blog) -> httpx.Response:
    return await made.world.manage("POST", f"{await _draft(made)}/publish/")


@reaches("field_exists", 409)
async def field_twice(made: Blog) -> httpx.Response:
    at = f"{await _draft(made)}/schema/tree/"
    await made.world.make_one(at, a_field("title"))
    return await made.world.manage("POST", at, a_field("title"))


@reaches("version_already_published", 422)
async def field_of_a_published_version(made: Blog) -> httpx.Response:
    folder = made.world.folders["articles"]
    at = f"/collections/{folder}/model/versions/latest/schema/tree/"
    return await made.world.manage("POST", at, a_field("late"))


@reaches("published_version_cannot_be_deleted", 422)
async def deleting_the_published_version(made: Blog) -> httpx.Response:
    return await made.world.manage(
        "DELETE", f"/collections/{made.world.folders['articles']}/model/versions/latest/"
    )


@reaches("no_published_schema", 422)
async def writing_without_a_schema(made: Blog) -> httpx.Response:
    folder = await made.world.make_one("/folders/tree/", {"name": "x", "alias": name("x")})
    return await made.world.manage("POST", f"/folders/{folder['key']}/resources/", {"data": {"a": 1}})


@reaches("component_in_use", 409)
async def deleting_a_component_in_use(made: Blog) -> httpx.Response:
    return await made.world.manage("DELETE", f"/components/{made.hero}/")


# -- content --------------------------------------------------------------------------------------------------


@reaches("external_id_conflict", 409)
async def external_id_twice(made: Blog) -> httpx.Response:
    folder = made.world.folders["companies"]
    external = name("id")
    await made.world.draft(folder, {"name": "One"}, external_id=external)
    return await made.world.manage(
        "POST", f"/folders/{folder}/resources/", {"data": {"name": "Two"}, "external_id": external}
    )


async def _revisions(made: Blog) -> str:
    return f"/folders/{made.world.folders['articles']}/resources/{made.resources['A1']}/revisions"


@reaches("revision_not_editable", 422)
async def changing_a_published_revision(made: Blog) -> httpx.Response:
    at = await _revisions(made)
    key = (await made.world.make_one(f"{at}/", method="GET"))["results"][-1]["key"]
    return await made.world.manage("PUT", f"{at}/{key}/", {"data": {"title": "New"}})


@reaches("published_revision_cannot_be_deleted", 422)
async def deleting_a_published_revision(made: Blog) -> httpx.Response:
    at = await _revisions(made)
    key = (await made.world.make_one(f"{at}/", method="GET"))["results"][-1]["key"]
    return await made.world.manage("DELETE", f"{at}/{key}/")


# -- writes through delivery ----------------------------------------------------------------------------------


@reaches("access_denied", 403)
async def write_without_a_grant(made: Blog) -> httpx.Response:
    return await made.world.request("POST", "/blog/articles/", made.keys["KR"], json={"data": {"title": "x"}})


@reaches("collection_not_writable", 403)
async def write_where_only_reading_is_connected(made: Blog) -> httpx.Response:
    return await made.world.request("POST", "/blog/articles/", made.keys["KU"], json={"data": {"title": "x"}})


@reaches("data_validation_error", 422)
async def written_data_that_does_not_fit(made: Blog) -> httpx.Response:
    prefix = name("inbox")
    await made.world.api(prefix, [made.world.folders["companies"]], ["get_one", "create", "update"])
    key = made.keys["KU"]
    written = await made.world.request(
        "POST", f"/{prefix}/companies/", key, json={"data": {"name": "New"}, "key": prefix}
    )
    assert written.status_code == 201 and written.json()["published"] is True
    resource = written.json()["resource_key"]
    assert (await made.world.get(f"/{prefix}/companies/{resource}")).json()["data"] == {"name": "New"}
    replaced = await made.world.request(
        "PUT", f"/{prefix}/companies/{resource}/", key, json={"data": {"name": "Newer"}}
    )
    assert replaced.status_code == 200
    again = await made.world.request("POST", f"/{prefix}/companies/", key, json={"data": {}, "key": prefix})
    assert again.status_code == 409 and again.json()["error_code"] == "external_id_conflict"
    answer = await made.world.request("POST", f"/{prefix}/companies/", key, json={"data": {"name": 5}})
    assert answer.json()["detail"]["errors"][0]["json_path"] == "$.name"
    return answer


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


@pytest.mark.parametrize(
    ("code", "status", "scenario"),
    SCENARIOS,
    ids=[f"{code}-{index}" for index, (code, _, _) in enumerate(SCENARIOS)],
)
async def test_reached(made: Blog, code: str, status: int, scenario: Scenario) -> None:
    answer = await scenario(made)
    assert answer.status_code == status, answer.text
    assert ContentEnvelope().fits(status, answer.content) is None
    assert answer.json()["error_code"] == code
