"""Codes of the content reference, through the real door, beyond the conditions that its matrix publishes
(content_matrix.py).

A scenario makes the world so that the server answers its code over the socket. `@reaches(code, status)` registers it;
the test at the end asserts status, envelope and code. What needs a server of its own stands in
test_content_servers.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.content.signing import signed_headers
from tests.content.world import Blog, blog
from tests.harness.server import Server

from flux.content.envelope import ContentEnvelope

Scenario = Callable[[Blog], Awaitable[httpx.Response]]
SCENARIOS: list[tuple[str, int, Scenario]] = []


def reaches(code: str, status: int) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS.append((code, status, scenario))
        return scenario

    return register


def searches(code: str, status: int, label: str, body: Any) -> None:
    """A scenario that is one search."""

    async def scenario(made: Blog) -> httpx.Response:
        return await made.search(body)

    scenario.__name__ = label
    SCENARIOS.append((code, status, scenario))


def gets(code: str, status: int, label: str, path: str, key: str | None = "KR", **headers: str) -> None:
    """A scenario that is one GET. `{A1}` and its kin in the path are resource keys."""

    async def scenario(made: Blog) -> httpx.Response:
        return await made.get(path.format(**made.resources), key, headers=headers)

    scenario.__name__ = label
    SCENARIOS.append((code, status, scenario))


# -- authentication_failed ------------------------------------------------------------------------------------

gets("authentication_failed", 401, "bare_scheme", "/blog/articles", None, Authorization="Bearer")
gets(
    "authentication_failed", 401, "made_up_bearer", "/blog/articles", None, Authorization="Bearer fxk_nothing"
)


@reaches("authentication_failed", 401)
async def wrong_password(made: Blog) -> httpx.Response:
    body = {"email": "operator@flux.invalid", "password": "guess"}
    return await made.world.http.post("/content/account/auth/", json=body)


@reaches("authentication_failed", 401)
async def flux_key_on_management(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/locales/", headers=made.keys["KU"].simple)


# -- permission_denied ----------------------------------------------------------------------------------------


@reaches("permission_denied", 403)
async def key_on_organisation_routes(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/organizations/", headers=made.keys["KM"].simple)


@reaches("permission_denied", 403)
async def management_role_without_permission(made: Blog) -> httpx.Response:
    role = (await made.world.make_one("/permissions/management-api/roles/", {"name": "none"}))["key"]
    key = await made.world.key(role, "management")
    return await made.world.manage("GET", "/locales/", headers=key.simple)


# -- route_not_found ------------------------------------------------------------------------------------------

gets("route_not_found", 404, "prefix_alone", "/blog")


@reaches("route_not_found", 404)
async def environment_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/flux/zzzzzzzz/blog/articles")


@reaches("route_not_found", 404)
async def management_path_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/no/such/thing/")


# -- resource_not_found ---------------------------------------------------------------------------------------


@reaches("resource_not_found", 404)
async def managed_resource_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", f"/folders/{made.world.folders['authors']}/resources/nope/")


# -- components -----------------------------------------------------------------------------------------------

gets("missed_component", 422, "schema_without_component", "/blog/pages/_schema")


@reaches("component_not_found", 404)
async def managed_component_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/components/zzzzzzzz/")


@reaches("missed_component", 422)
async def page_without_component(made: Blog) -> httpx.Response:
    folder = made.world.folders["pages"]
    return await made.world.manage("POST", f"/folders/{folder}/resources/", {"data": {"headline": "x"}})


# -- request_timeout, max_response_size_exceeded, internal_server_error ---------------------------------------


@reaches("request_timeout", 408)
async def store_that_never_answers(made: Blog) -> httpx.Response:
    await made.world.server.sandbox.fault("store", "timeout", seconds=0.05)
    return await made.get("/blog/articles")


@reaches("internal_server_error", 500)
async def store_that_fails(made: Blog) -> httpx.Response:
    await made.world.server.sandbox.fault("store", "error")
    return await made.get("/blog/articles")


@reaches("internal_server_error", 500)
async def handler_that_fails(made: Blog) -> httpx.Response:
    await made.world.server.sandbox.fault("handler", "error")
    return await made.world.manage("GET", "/locales/")


# -- validation_error -----------------------------------------------------------------------------------------

searches("validation_error", 422, "operator_of_another_type", {"where": {"price__ieq": "x"}})
searches("validation_error", 422, "surplus_member", {"colour": "red"})


@reaches("validation_error", 422)
async def body_that_does_not_fit(made: Blog) -> httpx.Response:
    return await made.world.manage("POST", "/locales/", {"name": "", "code": "e-n"})


# -- invalid_request ------------------------------------------------------------------------------------------


@reaches("invalid_request", 422)
async def cursor_of_another_query(made: Blog) -> httpx.Response:
    page = (await made.get("/blog/articles?limit=1")).json()
    token = httpx.URL(page["next"]).params["next"]
    return await made.get(f"/blog/articles?limit=1&sort=title&next={token}")


# -- unknown_field --------------------------------------------------------------------------------------------

searches(
    "unknown_field",
    422,
    "join_by_nothing",
    {"join": {"as": {"x": "authors"}, "relations": [{"source": "$", "target": "x", "source_field": "nope"}]}},
)


# -- joins ----------------------------------------------------------------------------------------------------


def _join(folders: list[str], source_field: str = "author", source: str = "$") -> dict[str, Any]:
    aliases = {f"x{index}": folder for index, folder in enumerate(folders)}
    relations = [{"source": source, "target": alias, "source_field": source_field} for alias in aliases]
    return {"join": {"as": aliases, "relations": relations}}


searches("failed_join", 422, "alias_without_relation", {"join": {"as": {"x": "authors"}, "relations": []}})
searches("too_many_join_folders", 422, "counted_before_resolved", _join(["ghost"] * 4))


# -- locales --------------------------------------------------------------------------------------------------

gets("invalid_locale", 422, "locale_with_a_hyphen", "/blog/articles?search_locale=en-US")


# -- the tests ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


@pytest.mark.parametrize(
    ("code", "status", "scenario"), SCENARIOS, ids=[f"{code}-{one.__name__}" for code, _, one in SCENARIOS]
)
async def test_reached(made: Blog, code: str, status: int, scenario: Scenario) -> None:
    try:
        answer = await scenario(made)
    finally:
        await made.world.server.sandbox.clear()
    assert answer.status_code == status, answer.text
    assert ContentEnvelope().fits(status, answer.content) is None
    assert answer.json()["error_code"] == code
    assert answer.headers["content-type"] == "application/json"


async def test_a_right_signature_is_let_in(made: Blog) -> None:
    covered = made.world.delivered("/blog/articles")
    answer = await made.get("/blog/articles", None, headers=signed_headers(made.keys["KR"], covered))
    assert answer.status_code == 200
