"""Every code of the content reference, through the real door: the conditions of the matrix, each a scenario.

A scenario makes the world so that the server answers its code over the socket. `@reaches(code, status)` registers it;
the test at the end asserts status, envelope and code. What needs a server of its own stands in
test_content_servers.py.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from tests.content.world import Blog, Key, a_field, blog, name
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

gets("authentication_failed", 401, "no_credentials", "/blog/articles", None)
gets("authentication_failed", 401, "unknown_key", "/blog/articles", None, Authorization="Simple nobody:x")
gets("authentication_failed", 401, "unknown_scheme", "/blog/articles", None, Authorization="Basic abc")
gets("authentication_failed", 401, "bare_scheme", "/blog/articles", None, Authorization="Bearer")
gets(
    "authentication_failed", 401, "made_up_bearer", "/blog/articles", None, Authorization="Bearer fxk_nothing"
)
gets("authentication_failed", 401, "management_key_on_flux", "/blog/articles", "KM")
gets(
    "authentication_failed",
    401,
    "wrong_credentials_on_an_open_api",
    "/pub/articles",
    None,
    Authorization="Simple a:b",
)


@reaches("authentication_failed", 401)
async def wrong_secret(made: Blog) -> httpx.Response:
    header = f"Simple {made.keys['KR'].public}:wrong"
    return await made.get("/blog/articles", None, headers={"Authorization": header})


@reaches("authentication_failed", 401)
async def signature_too_old(made: Blog) -> httpx.Response:
    return await signed(made, "/blog/articles", at=datetime.now(UTC) - timedelta(minutes=20))


@reaches("authentication_failed", 401)
async def signature_over_another_path(made: Blog) -> httpx.Response:
    return await signed(made, "/blog/articles", path="/blog/authors")


@reaches("authentication_failed", 401)
async def signature_without_date(made: Blog) -> httpx.Response:
    return await signed(made, "/blog/articles", dated=False)


@reaches("authentication_failed", 401)
async def anonymous_write_on_an_open_api(made: Blog) -> httpx.Response:
    return await made.world.request("POST", "/pub/articles/", json={"data": {"title": "x"}})


@reaches("authentication_failed", 401)
async def wrong_password(made: Blog) -> httpx.Response:
    body = {"email": "operator@flux.invalid", "password": "guess"}
    return await made.world.http.post("/content/account/auth/", json=body)


@reaches("authentication_failed", 401)
async def flux_key_on_management(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/locales/", headers=made.keys["KU"].simple)


async def signed(
    made: Blog, target: str, path: str | None = None, at: datetime | None = None, dated: bool = True
) -> httpx.Response:
    """A GET with a Secure signature by KR, right unless told otherwise."""
    stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    covered = made.world.delivered(path or target)
    headers = {
        "Authorization": f"Secure {made.keys['KR'].public}:{signature(made.keys['KR'], covered, b'', stamp)}"
    }
    if dated:
        headers["Date"] = stamp
    return await made.get(target, None, headers=headers)


def signature(key: Key, path: str, body: bytes, stamp: str) -> str:
    private = load_der_private_key(base64.b64decode(key.secret), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    text = f"{path}|{hashlib.sha256(body).hexdigest()}|{stamp}"
    return base64.b64encode(private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))).decode()


# -- permission_denied ----------------------------------------------------------------------------------------

gets("permission_denied", 403, "role_without_objects", "/blog/articles", "KN")
gets("permission_denied", 403, "role_of_another_api", "/pub2/articles", "KR")


@reaches("permission_denied", 403)
async def permission_taken_away(made: Blog) -> httpx.Response:
    """What worked is refused at once."""
    world = made.world
    role = await world.role([made.apis["blog"]])
    key = await world.key(role)
    assert (await world.get("/blog/articles", key)).status_code == 200
    body = {"content_type": "flux-apis", "object_key": made.apis["blog"]}
    taken = await world.manage("DELETE", f"/permissions/flux-api/roles/{role}/permissions/objects/", body)
    assert taken.status_code == 204
    return await world.get("/blog/articles", key)


@reaches("permission_denied", 403)
async def key_on_organisation_routes(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/organizations/", headers=made.keys["KM"].simple)


@reaches("permission_denied", 403)
async def management_role_without_permission(made: Blog) -> httpx.Response:
    role = (await made.world.make_one("/permissions/management-api/roles/", {"name": "none"}))["key"]
    key = await made.world.key(role, "management")
    return await made.world.manage("GET", "/locales/", headers=key.simple)


# -- route_not_found ------------------------------------------------------------------------------------------

gets("route_not_found", 404, "unknown_prefix", "/nope/articles")
gets("route_not_found", 404, "folder_not_connected", "/blog/hidden")
gets("route_not_found", 404, "too_many_segments", "/blog/articles/{A1}/x/y")
gets("route_not_found", 404, "schema_below_an_item", "/blog/articles/{A1}/_schema")
gets("route_not_found", 404, "prefix_alone", "/blog")
gets("route_not_found", 404, "nothing_at_all", "/")


@reaches("route_not_found", 404)
async def router_switched_off(made: Blog) -> httpx.Response:
    prefix = name("quiet")
    await made.world.api(prefix, [], router_introspection_enabled=False)
    return await made.world.get(f"/{prefix}/_router")


@reaches("route_not_found", 404)
async def environment_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.http.get("/content/flux/zzzzzzzz/blog/articles")


@reaches("route_not_found", 404)
async def management_path_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/no/such/thing/")


# -- resource_not_found ---------------------------------------------------------------------------------------

gets("resource_not_found", 404, "unknown_key_of_a_resource", "/blog/articles/doesnotexist")
gets("resource_not_found", 404, "resource_of_another_folder", "/blog/authors/{A1}")
gets("resource_not_found", 404, "unknown_parent", "/blog/articles/nope/comments")


@reaches("resource_not_found", 404)
async def nothing_published(made: Blog) -> httpx.Response:
    key = await made.world.draft(made.world.folders["authors"], {"name": "Draft"})
    return await made.get(f"/blog/authors/{key}")


@reaches("resource_not_found", 404)
async def cursor_without_its_resource(made: Blog) -> httpx.Response:
    folder = made.world.folders["companies"]
    keys = [await made.world.publish(folder, {"name": f"C{index}"}) for index in range(3)]
    page = (await made.get("/blog/companies?limit=1")).json()
    assert page["results"][0]["_sys"]["key"] == keys[-1]
    assert (await made.world.manage("DELETE", f"/folders/{folder}/resources/{keys[-1]}/")).status_code == 204
    token = httpx.URL(page["next"]).params["next"]
    return await made.get(f"/blog/companies?limit=1&next={token}")


@reaches("resource_not_found", 404)
async def managed_resource_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", f"/folders/{made.world.folders['authors']}/resources/nope/")


# -- components -----------------------------------------------------------------------------------------------

gets("component_not_found", 404, "unknown_component", "/blog/pages?component=zzzzzzzz&where__headline__eq=x")
gets("missed_component", 422, "filter_without_component", "/blog/pages?where__headline__eq=x")
gets("missed_component", 422, "sort_without_component", "/blog/pages?sort=headline")
gets("missed_component", 422, "schema_without_component", "/blog/pages/_schema")


@reaches("component_not_found", 404)
async def unknown_component_in_a_search(made: Blog) -> httpx.Response:
    return await made.search({}, "/blog/pages", params={"component": "zzzzzzzz"})


@reaches("component_not_found", 404)
async def managed_component_that_is_not(made: Blog) -> httpx.Response:
    return await made.world.manage("GET", "/components/zzzzzzzz/")


@reaches("missed_component", 422)
async def text_search_without_component(made: Blog) -> httpx.Response:
    return await made.search({"find_text": {"query": "hello"}}, "/blog/pages")


@reaches("missed_component", 422)
async def page_without_component(made: Blog) -> httpx.Response:
    folder = made.world.folders["pages"]
    return await made.world.manage("POST", f"/folders/{folder}/resources/", {"data": {"headline": "x"}})


# -- action_not_allowed ---------------------------------------------------------------------------------------

gets("action_not_allowed", 405, "get_one_not_connected", "/pub/articles/{A1}", None)
gets("action_not_allowed", 405, "connected_with_nothing", "/blog/vault")
gets("action_not_allowed", 405, "get_of_search", "/blog/articles/_search")


@reaches("action_not_allowed", 405)
async def delete_on_delivery(made: Blog) -> httpx.Response:
    return await made.world.request("DELETE", f"/blog/articles/{made.resources['A1']}", made.keys["KR"])


@reaches("action_not_allowed", 405)
async def list_where_only_get_one_is_connected(made: Blog) -> httpx.Response:
    prefix = name("single")
    await made.world.api(prefix, [made.world.folders["authors"]], ["get_one"])
    searched = await made.world.search(f"/{prefix}/authors", {})
    assert searched.status_code == 405
    return await made.world.get(f"/{prefix}/authors")


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


@reaches("max_response_size_exceeded", 413)
async def answer_too_large(made: Blog) -> httpx.Response:
    """Within the limit one by one, cut, or a page at a time."""
    world = made.world
    prefix, folder = name("big"), await world.collection(name("big"), [a_field("body", "text")])
    await world.api(prefix, [folder])
    path = f"/{prefix}/{next(alias for alias, key in world.folders.items() if key == folder)}"
    for _ in range(3):
        await world.publish(folder, {"body": "x" * 400_000})
    assert (await world.get(path, params={"limit": 1})).status_code == 200
    assert (await world.get(path, params={"truncate_text": 100})).status_code == 200
    return await world.get(path)


# -- validation_error -----------------------------------------------------------------------------------------

searches("validation_error", 422, "number_as_text", {"where": {"$": {"all_of": [{"price__gte": "abc"}]}}})
searches("validation_error", 422, "unknown_operator", {"where": {"$": {"all_of": [{"title__zzz": 1}]}}})
searches("validation_error", 422, "operator_of_another_type", {"where": {"price__ieq": "x"}})
searches("validation_error", 422, "threshold_out_of_range", {"find_text": {"query": "a", "threshold": 3}})
searches("validation_error", 422, "surplus_member", {"colour": "red"})
searches(
    "validation_error",
    422,
    "vector_of_wrong_length",
    {"search_mode": "vector", "vector_field_search": {"field": "embedding", "query_vector": [0.1, 0.2]}},
)
gets("validation_error", 422, "between_one_value", "/blog/articles?where__price__between=5")
gets("validation_error", 422, "truncate_to_nothing", "/blog/articles?truncate_text=0")


@reaches("validation_error", 422)
async def the_published_example(made: Blog) -> httpx.Response:
    body = {"where": {"$": {"all_of": [{"status__eq": None}]}}, "find_text": {"query": ""}}
    answer = await made.search(body)
    assert answer.json()["detail"] == [
        {
            "field": "where.$.all_of.0.status__eq",
            "message": "Invalid type",
            "details": "This field is required",
        },
        {"field": "find_text.query", "message": "Invalid value", "details": "String too short"},
    ]
    return answer


@reaches("validation_error", 422)
async def body_that_does_not_fit(made: Blog) -> httpx.Response:
    return await made.world.manage("POST", "/locales/", {"name": "", "code": "e-n"})


# -- invalid_request ------------------------------------------------------------------------------------------

searches("invalid_request", 422, "body_not_an_object", [])
searches(
    "invalid_request", 422, "two_text_searches", {"find_text": {"query": "a"}, "find_phrase": {"query": "a"}}
)
searches("invalid_request", 422, "vector_mode_without_vector", {"search_mode": "vector"})
searches(
    "invalid_request",
    422,
    "vector_mode_with_text",
    {"search_mode": "vector", "vector_search": {"query": "abc"}, "find_text": {"query": "a"}},
)
searches(
    "invalid_request",
    422,
    "two_vector_searches",
    {
        "search_mode": "vector",
        "vector_search": {"query": "abc"},
        "vector_field_search": {"field": "embedding", "query_vector": [0.0] * 256},
    },
)
searches("invalid_request", 422, "unknown_mode", {"search_mode": "magic"})
gets("invalid_request", 422, "limit_of_nothing", "/blog/articles?limit=0")
gets("invalid_request", 422, "limit_of_letters", "/blog/articles?limit=abc")
gets("invalid_request", 422, "two_cursors", "/blog/articles?next=a&previous=b")
gets("invalid_request", 422, "boolean_of_doubt", "/blog/articles?raw=maybe")
gets("invalid_request", 422, "cursor_not_ours", "/blog/articles?next=zzzz")


@reaches("invalid_request", 422)
async def body_cut_off(made: Blog) -> httpx.Response:
    return await made.world.request("POST", "/blog/articles/_search", made.keys["KR"], content=b"{")


@reaches("invalid_request", 422)
async def cursor_of_another_query(made: Blog) -> httpx.Response:
    page = (await made.get("/blog/articles?limit=1")).json()
    token = httpx.URL(page["next"]).params["next"]
    return await made.get(f"/blog/articles?limit=1&sort=title&next={token}")


# -- unknown_field --------------------------------------------------------------------------------------------

for _label, _path in {
    "filter_parameter": "where__nope__eq=1",
    "not_searchable": "where__note__eq=1",
    "sort_by_nothing": "sort=-nope",
    "populate_nothing": "populate=nope",
}.items():
    gets("unknown_field", 422, _label, f"/blog/articles?{_path}")
searches("unknown_field", 422, "filter_member", {"where": {"$": {"all_of": [{"nope__eq": 1}]}}})
searches("unknown_field", 422, "text_search_in_nothing", {"find_text": {"query": "a", "fields": ["nope"]}})
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


searches("failed_join", 422, "folder_that_is_not", _join(["ghost"]))
searches("failed_join", 422, "folder_not_connected_here", _join(["hidden"]))
searches("failed_join", 422, "folder_connected_with_nothing", _join(["vault"]))
searches("failed_join", 422, "relation_from_nowhere", _join(["authors"], source="y"))
searches("failed_join", 422, "alias_without_relation", {"join": {"as": {"x": "authors"}, "relations": []}})
searches("too_many_join_folders", 422, "four_folders", _join(["authors"] * 4))
searches("too_many_join_folders", 422, "counted_before_resolved", _join(["ghost"] * 4))


# -- locales --------------------------------------------------------------------------------------------------

gets("unknown_locale", 422, "search_in_a_locale_that_is_not", "/blog/articles?search_locale=de")
gets("unknown_locale", 422, "return_a_locale_that_is_not", "/blog/articles?return_locales=en,de")
gets("unknown_locale", 422, "get_in_a_locale_that_is_not", "/blog/articles/{A1}?return_locales=de")
gets("invalid_locale", 422, "locale_of_digits", "/blog/articles?return_locales=12")
gets("invalid_locale", 422, "locale_with_a_hyphen", "/blog/articles?search_locale=en-US")
gets("invalid_locale", 422, "locale_with_nothing_between", "/blog/articles?return_locales=en,,fr")


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


async def test_ignored_unknown_fields_leave_the_rest(made: Blog) -> None:
    everything = (await made.get("/blog/articles")).json()["results"]
    for clause in ("where__nope__eq=1", "where__note__eq=1", "sort=-nope", "populate=nope"):
        answer = await made.get(f"/blog/articles?{clause}&ignore_unknown_fields=true")
        assert answer.status_code == 200 and answer.json()["results"] == everything


async def test_a_right_signature_is_let_in(made: Blog) -> None:
    assert (await signed(made, "/blog/articles")).status_code == 200
