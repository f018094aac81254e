"""The served surface against the published one: every method and path of the contract, with and without its slash.

A request without credentials tells whether a route is there: 401 from a served one, 404 or 405 from a hole.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import product

import httpx
import pytest

from tests.content.fingerprint import fingerprint
from tests.content.world import Blog, World, blog
from tests.harness.server import Server

CRUD = ("GET", "PUT", "DELETE")
BOTH = ("GET", "POST")
ORG = "/organizations/o"
PROJECT = f"{ORG}/projects/p"
ENVIRONMENT = f"{PROJECT}/environments/e"
AT = "/v1/{env}"
SIDES = ("management-api", "flux-api")
FAMILIES = (("folders", "folder"), ("collections", "collection"))
OWNERS = ("folders/f", "collections/f", "components/c")


def _pairs(methods: tuple[str, ...], *paths: str) -> Iterator[tuple[str, str]]:
    yield from product(methods, paths)


def organisations() -> Iterator[tuple[str, str]]:
    yield from _pairs(("GET",), "/organizations", f"{ORG}/plan", f"{ORG}/usage", "/plans", "/regions")
    yield from _pairs(("GET", "PUT"), ORG)
    yield from _pairs(BOTH, f"{ORG}/projects", f"{PROJECT}/environments")
    yield from _pairs(CRUD, PROJECT, ENVIRONMENT)
    yield from (("POST", f"{ORG}/plan/free"), ("POST", f"{ENVIRONMENT}/toggle"))
    yield "PATCH", f"{ENVIRONMENT}/protection"


def modelling() -> Iterator[tuple[str, str]]:
    yield from _pairs(BOTH, f"{AT}/locales", f"{AT}/components")
    yield from _pairs(CRUD, f"{AT}/locales/en", f"{AT}/components/c")
    for plural, singular in FAMILIES:
        yield from _pairs(BOTH, f"{AT}/{plural}/tree")
        yield from _pairs(CRUD, f"{AT}/{plural}/tree/{singular}")
    for owner in OWNERS:
        at = f"{AT}/{owner}/model/versions"
        yield from _pairs(BOTH, at, f"{at}/v/schema/tree")
        yield from _pairs(CRUD, f"{at}/v", f"{at}/v/schema/tree/field")
        yield "POST", f"{at}/v/publish"
    yield "POST", f"{AT}/collections/f/sync_component"


def resources(plural: str = "folders") -> Iterator[tuple[str, str]]:
    at = f"{AT}/{plural}/f/resources"
    yield from _pairs((*BOTH, "PUT"), at)
    yield from _pairs(CRUD, f"{at}/r", f"{at}/r/revisions/v")
    yield from _pairs(BOTH, f"{at}/r/revisions")
    yield from _pairs(("GET",), f"{at}/r/data", f"{at}/r/revisions/v/data")
    yield from _pairs(("POST",), f"{at}/r/revisions/v/publish", f"{at}/r/revisions/v/validate")


def apis() -> Iterator[tuple[str, str]]:
    yield from _pairs(BOTH, f"{AT}/api", *(f"{AT}/api/a/{plural}" for plural, _ in FAMILIES))
    yield from _pairs(CRUD, f"{AT}/api/a", *(f"{AT}/api/a/{plural}/f" for plural, _ in FAMILIES))


def access(root: str = "permissions") -> Iterator[tuple[str, str]]:
    for side in SIDES:
        at = f"{AT}/{root}/{side}"
        yield from _pairs(BOTH, f"{at}/roles", f"{at}/api-keys")
        yield from _pairs(CRUD, f"{at}/roles/r", f"{at}/api-keys/k")
        yield from _pairs((*BOTH, "DELETE"), f"{at}/roles/r/permissions", f"{at}/roles/r/permissions/objects")
        yield "POST", f"{at}/roles/r/permissions/batch"
    yield from _pairs(("POST", "DELETE"), f"{AT}/{root}/flux-api/api-keys/k/bearer-token")


T1 = [*organisations(), *modelling(), *resources(), *apis(), *access()]
T2 = [
    *resources("collections"),
    *access("roles"),
    ("POST", f"{AT}/folders/f/resources/r/revisions/v/unpublish"),
    ("GET", "/account"),
]
DELIVERED = [
    ("GET", "/blog/articles"),
    ("GET", "/blog/articles/{A1}"),
    ("POST", "/blog/articles/_search"),
    ("POST", "/blog/articles"),
    ("PUT", "/blog/articles/{A1}"),
    ("GET", "/blog/_router"),
    ("GET", "/blog/articles/_schema"),
]


def test_the_contract_counts_as_many() -> None:
    assert len(T1) == len(set(T1)) == 140
    assert len({(method, path.replace("/collections/", "/folders/")) for method, path in T1}) < 140
    assert len(DELIVERED) == 7


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


async def _hole(server: Server, method: str, path: str) -> str | None:
    """What a request without credentials says against the route; None when it is served."""
    for slash in ("/", ""):
        answer: httpx.Response = await server.http.request(method, f"/content{path}{slash}")
        if (answer.status_code, answer.json()["error_code"]) != (401, "authentication_failed"):
            return f"{method} {path}{slash}: {answer.status_code} {answer.text}"
    return None


@pytest.mark.parametrize("tier", [T1, T2], ids=["t1", "t2"])
async def test_every_pair_of_management_is_served(made: Blog, tier: list[tuple[str, str]]) -> None:
    server, env = made.world.server, made.world.env
    holes = [await _hole(server, method, path.replace("{env}", env)) for method, path in tier]
    assert [one for one in holes if one] == []


async def test_every_pair_of_delivery_is_served(made: Blog) -> None:
    below = f"/flux/{made.world.env}"
    holes = [
        await _hole(made.world.server, method, below + path.format(**made.resources))
        for method, path in DELIVERED
    ]
    assert [one for one in holes if one] == []


async def test_a_hole_is_noticed(made: Blog) -> None:
    assert await _hole(made.world.server, "GET", f"/v1/{made.world.env}/nothing") is not None
    assert await _hole(made.world.server, "PATCH", f"/v1/{made.world.env}/locales") is not None


async def test_every_pair_is_documented(made: Blog) -> None:
    document = (await made.world.server.http.get("/openapi/content.json")).json()
    shown = {
        (method.upper(), "/".join("*" if part[:1] == "{" else part for part in path.split("/")))
        for path, operations in document["paths"].items()
        for method in operations
    }
    values = {"{env}", "o", "p", "e", "f", "c", "v", "r", "a", "k", "en", "free"}
    wanted = {
        (method, "/".join("*" if part in values else part for part in path.split("/"))) for method, path in T1
    }
    assert sorted(wanted - shown) == []


@pytest.mark.parametrize("level", ["locked", "read_only"])
async def test_no_write_reaches_a_protected_environment(server: Server, level: str) -> None:
    """Whatever the write, before its body is looked at; reading goes on."""
    made = await blog(server)
    world = made.world
    itself = f"{world.project}/environments/{world.env}/protection/"
    assert (await world.http.patch(itself, json={"protection_level": level}, headers=world.token)).is_success
    real = {"env": world.env, "folder": world.folders["articles"], "resource": made.resources["A1"],
            "component": made.hero, "api": made.apis["blog"], "code": "fr", "side": "flux-api"}  # fmt: skip
    document = (await server.http.get("/openapi/content.json")).json()
    before, asked = await fingerprint(server), 0
    for path, operations in document["paths"].items():
        for method in {"post", "put", "patch", "delete"}.intersection(operations):
            if "/v1/{env}/" in path:
                place = "/content" + re.sub(r"{(\w+)}", lambda found: real.get(found[1], "latest"), path)
                answer = await server.http.request(method, place, json={}, headers=world.token)
                assert (answer.status_code, answer.json()["error_code"]) == (403, "environment_protected"), (
                    place
                )
                asked += 1
    assert asked >= 100
    assert await fingerprint(server) == before
    assert (await world.manage("GET", "/locales/")).status_code == 200
    assert (await made.get("/blog/articles")).status_code == 200


async def test_logging_in_and_refreshing(server: Server) -> None:
    """The routes that need no credentials, and a refresh token's single use."""
    content = server.operator["content"]
    body = {"email": content["email"], "password": content["password"]}
    pair = (await server.http.post("/content/account/auth/", json=body)).json()
    again = await server.http.post("/content/account/auth/refresh/", json={"refresh": pair["refresh"]})
    assert again.status_code == 200 and set(again.json()) == {"access", "refresh"}
    headers = {"Authorization": f"Bearer {again.json()['access']}"}
    person = (await server.http.get("/content/account/", headers=headers)).json()
    assert person["email"] == content["email"]
    spent = await server.http.post("/content/account/auth/refresh/", json={"refresh": pair["refresh"]})
    assert (spent.status_code, spent.json()["error_code"]) == (401, "authentication_failed")
    as_refresh = await server.http.post("/content/account/auth/refresh/", json={"refresh": pair["access"]})
    assert as_refresh.status_code == 401


async def test_a_refresh_token_in_two_hands_ends_the_login(server: Server) -> None:
    """At once it is only refused: whoever lost an answer asks again. Later somebody else has it."""
    content = server.operator["content"]
    body = {"email": content["email"], "password": content["password"]}

    async def login() -> str:
        answer = await server.http.post("/content/account/auth/", json=body)
        return str(answer.json()["refresh"])

    async def refresh(token: str) -> str | None:
        answer = await server.http.post("/content/account/auth/refresh/", json={"refresh": token})
        if answer.status_code == 401:
            assert answer.json()["error_code"] == "authentication_failed"
            return None
        return str(answer.json()["refresh"])

    other, first = await login(), await login()
    second = await refresh(first)
    assert second is not None and await refresh(first) is None
    third = await refresh(second)
    assert third is not None
    await server.sandbox.clock(31)
    assert await refresh(first) is None
    assert await refresh(third) is None, "the login went on"
    assert await refresh(other) is not None


async def test_refreshing_at_once_gives_one_pair(server: Server) -> None:
    content = server.operator["content"]
    body = {"email": content["email"], "password": content["password"]}
    pair = (await server.http.post("/content/account/auth/", json=body)).json()
    asking = [
        server.http.post("/content/account/auth/refresh/", json={"refresh": pair["refresh"]})
        for _ in range(10)
    ]
    answers = await asyncio.gather(*asking)
    assert sorted(one.status_code for one in answers) == [200] + [401] * 9
    [given] = [one.json()["refresh"] for one in answers if one.status_code == 200]
    again = await server.http.post("/content/account/auth/refresh/", json={"refresh": given})
    assert again.status_code == 200


async def test_a_key_opens_its_own_environment_only(server: Server) -> None:
    """Elsewhere it is nobody's, as an unknown one is; an environment that does not exist is missing to everybody."""
    here, there = await World.make(server), await World.make(server)
    for side, paths in (
        ("management", ("/content/v1/{}/locales/", "/content/v1/{}/api/")),
        ("flux", ("/content/flux/{}/only",)),
    ):
        key = await here.key(side=side)
        for world in (here, there):
            await world.make_one("/api/", {"name": "A", "prefix": "only"}) if side == "flux" else None
        for path in paths:
            other = await here.http.get(path.format(there.env), headers=key.simple)
            assert (other.status_code, other.json()["error_code"]) == (401, "authentication_failed"), path
            missing = await here.http.get(path.format("zzzzzzzz"), headers=key.simple)
            wanted = "environment_not_found" if side == "management" else "route_not_found"
            assert (missing.status_code, missing.json()["error_code"]) == (404, wanted), path
        assert (await here.http.get(paths[0].format(here.env), headers=key.simple)).status_code != 401


async def test_a_key_for_a_role_that_is_not_there(server: Server) -> None:
    """Neither in this environment nor on this side of it."""
    world = await World.make(server)
    role = (await world.make_one("/permissions/flux-api/roles/", {"name": "role"}))["key"]
    made = await world.key(role)
    at = "/permissions/{}-api/api-keys/"
    for method, path, named in (
        ("POST", at.format("flux"), "nope"),
        ("POST", at.format("management"), role),
        ("PUT", at.format("flux") + f"{made.key}/", "nope"),
    ):
        refused = await world.manage(method, path, {"role": named})
        assert (refused.status_code, refused.json()["error_code"]) == (404, "role_not_found"), refused.text
    assert (await world.make_one(at.format("flux") + f"{made.key}/", method="GET"))["role"] == role


async def test_a_later_start_renews_the_operators_token(server: Server) -> None:
    before = server.operator["content"]
    server.terminate()
    await server.restart()
    after = json.loads((server.data_dir / "operator.json").read_text("utf-8"))["content"]
    assert after["management_token"] != before["management_token"]
    assert {**after, "management_token": ""} == {**before, "management_token": ""}
    headers = {"Authorization": f"Bearer {after['management_token']}"}
    assert (await server.http.get("/content/organizations/", headers=headers)).status_code == 200
