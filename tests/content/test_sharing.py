"""Which origins may read an API from a browser, and the OpenAPI document that each API has of its own."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema
import pytest

from tests.content.world import Blog, a_field, blog, name
from tests.harness.server import Server

HERE, THERE = "https://app.example", "https://evil.example"


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


async def _api(made: Blog, origins: list[str], **attributes: Any) -> str:
    prefix = name("web")
    methods = ["get_many", "get_one", "create"]
    await made.world.api(prefix, [made.world.folders["authors"]], methods, cors_origins=origins, **attributes)
    return prefix


def _shared(answer: httpx.Response) -> str | None:
    return answer.headers.get("access-control-allow-origin")


async def test_only_named_origins_may_read(made: Blog) -> None:
    prefix = await _api(made, [HERE])
    mine = await made.world.get(f"/{prefix}/authors", headers={"Origin": HERE})
    assert _shared(mine) == HERE and "ETag" in mine.headers["access-control-expose-headers"]
    assert mine.headers["vary"] == "Authorization, Origin"
    assert (await made.world.get(f"/{prefix}/authors")).headers["vary"] == "Authorization, Origin"
    assert mine.status_code == 200
    for path in (f"/{prefix}/authors/{made.resources['author']}", f"/{prefix}/_router"):
        assert _shared(await made.world.get(path, headers={"Origin": HERE})) == HERE
    assert _shared(await made.world.get(f"/{prefix}/authors", headers={"Origin": THERE})) is None
    assert _shared(await made.world.get(f"/{prefix}/authors")) is None
    assert _shared(await made.world.get("/pub/articles", headers={"Origin": HERE})) is None
    assert _shared(await made.world.manage("GET", "/locales/", headers={"Origin": HERE})) is None


async def test_any_origin(made: Blog) -> None:
    prefix = await _api(made, ["*"], is_auth_required=True)
    answer = await made.world.get(f"/{prefix}/authors", made.keys["KU"], headers={"Origin": THERE})
    assert _shared(answer) == "*"
    refused = await made.world.get(f"/{prefix}/authors", headers={"Origin": THERE})
    assert refused.status_code == 401 and _shared(refused) == "*"


async def test_writes_are_not_shared(made: Blog) -> None:
    prefix = await _api(made, ["*"])
    written = await made.world.request(
        "POST",
        f"/{prefix}/authors/",
        made.keys["KU"],
        json={"data": {"name": "X"}},
        headers={"Origin": HERE},
    )
    assert written.status_code == 201 and _shared(written) is None
    found = await made.world.search(f"/{prefix}/authors", {}, headers={"Origin": HERE})
    assert found.status_code == 200 and _shared(found) == "*"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "authors", "GET, HEAD, OPTIONS"),
        ("POST", "authors/_search", "GET, HEAD, POST, OPTIONS"),
        ("POST", "_mcp", "GET, HEAD, POST, OPTIONS"),
        ("POST", "authors", None),
        ("PUT", "authors/x", None),
    ],
)
async def test_preflights(made: Blog, method: str, path: str, allowed: str | None) -> None:
    """Also the first thing that is ever asked of an API, and of one whose origins have just changed."""
    world, prefix = made.world, await _api(made, [HERE])
    headers = {
        "Origin": HERE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    asked = await world.request("OPTIONS", f"/{prefix}/{path}", headers=headers)
    assert asked.status_code == 204
    assert asked.headers.get("access-control-allow-methods") == allowed
    assert _shared(asked) == (HERE if allowed else None)
    if allowed:
        assert asked.headers["access-control-allow-headers"] == "authorization, content-type"
    await world.make_one(f"/api/{prefix}/", {"cors_origins": []}, "PUT")
    assert _shared(await world.request("OPTIONS", f"/{prefix}/{path}", headers=headers)) is None
    unknown = await world.request("OPTIONS", "/nope/authors", headers=headers)
    assert unknown.status_code == 204 and _shared(unknown) is None


# -- _openapi -------------------------------------------------------------------------------------------------


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


async def test_the_document_of_one_api(made: Blog) -> None:
    document = (await made.get("/blog/_openapi")).json()
    assert document["openapi"] == "3.1.0" and document["info"]["title"] == "blog"
    [server] = document["servers"]
    assert server["url"] == f"{made.world.server.origin}/content/flux/{made.world.env}"
    routes = (await made.get("/blog/_router")).json()["routes"]
    told = {(route["method"], route["path"]) for route in routes}
    shown = {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    assert shown == told
    assert ("GET", "/blog/articles/{articles_key}/comments") in shown
    assert not any("vault" in path for path in document["paths"])
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    for path in document["paths"].values():
        for one in path.values():
            assert "request_timeout" in one["responses"]["408"]["x-flux-codes"]


async def test_answers_fit_the_document(made: Blog) -> None:
    document = (await made.get("/blog/_openapi")).json()
    for path, params in (
        ("/blog/articles", ""),
        ("/blog/articles", "?populate=author&return_locales=en"),
        ("/blog/articles", "?fields=title&raw=true"),
        ("/blog/pages", ""),
        ("/blog/authors", "?limit=1"),
    ):
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        answer = (await made.get(path + params)).json()
        jsonschema.Draft202012Validator(_resolved(document, schema)).validate(answer)
    with pytest.raises(jsonschema.ValidationError):
        broken = {**answer, "results": [{"_sys": answer["results"][0]["_sys"], "data": {"name": 5}}]}
        jsonschema.Draft202012Validator(_resolved(document, schema)).validate(broken)


async def test_it_follows_what_the_connection_allows(made: Blog) -> None:
    world, prefix = made.world, await _api(made, [], description="Authors")
    folder = await world.collection(name("quiet"), [a_field("title")])
    await world.connect(prefix, folder, ["update"])
    document = (await world.get(f"/{prefix}/_openapi")).json()
    assert document["info"]["description"] == "Authors" and {} in document["security"]
    assert set(document["paths"][f"/{prefix}/authors"]) == {"get", "post"}
    assert document["paths"][f"/{prefix}/authors"]["post"]["security"] == [{"key": []}]
    assert ["put"] in [list(one) for one in document["paths"].values()]
    await world.make_one(f"/api/{prefix}/", {"router_introspection_enabled": False}, "PUT")
    assert (await world.get(f"/{prefix}/_openapi")).status_code == 404
