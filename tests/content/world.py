"""A content world to test in: an environment of its own on a running server, and short words to fill it.

world = await World.make(server)
articles = await world.collection("articles", [text("title", searchable=True)])
key = await world.publish(articles, {"title": "A1"})
api = await world.api("blog", [articles])
answer = await world.get("/blog/articles")
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.harness.server import Server

Fields = list[dict[str, Any]]


def a_field(key: str, kind: str = "string", **flags: Any) -> dict[str, Any]:
    """A field of a schema; its name is its key."""
    return {"key": key, "name": key, "type": kind, **flags}


def name(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(4)}"


@dataclass
class Key:
    key: str
    public: str
    secret: str

    @property
    def simple(self) -> dict[str, str]:
        return {"Authorization": f"Simple {self.public}:{self.secret}"}


@dataclass
class World:
    """`env` is the environment's key; `at` the base path of management in it."""

    server: Server
    env: str
    project: str
    token: dict[str, str]
    http: httpx.AsyncClient
    folders: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def make(cls, server: Server) -> World:
        content = server.operator["content"]
        token = {"Authorization": f"Bearer {content['management_token']}"}
        project = f"/content/organizations/{content['organization']}/projects/{content['project']}"
        made = await server.http.post(f"{project}/environments/", json={"name": "test"}, headers=token)
        assert made.status_code == 201, made.text
        return cls(server, made.json()["key"], project, token, server.http)

    @property
    def at(self) -> str:
        return f"/content/v1/{self.env}"

    async def manage(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """A management request, whatever it answers."""
        headers = {**self.token, **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        return await self.http.request(method, self.at + path, headers=headers, **options)

    async def make_one(self, path: str, body: Any = None, method: str = "POST", **options: Any) -> Any:
        """A management request that must succeed; its JSON."""
        answer = await self.manage(method, path, body, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    # -- modelling --------------------------------------------------------------------------------------------

    async def collection(self, alias: str, fields: Fields, **attributes: Any) -> str:
        """A collection with a published schema; its key."""
        made = await self.make_one("/folders/tree/", {"name": alias, "alias": alias, **attributes})
        self.folders[alias] = made["key"]
        if attributes.get("folder_type") != "composite":
            await self.schema(f"/folders/{made['key']}", fields)
        return str(made["key"])

    async def component(self, named: str, fields: Fields) -> str:
        made = await self.make_one("/components/", {"name": named})
        await self.schema(f"/components/{made['key']}", fields)
        return str(made["key"])

    async def schema(self, owner: str, fields: Fields) -> str:
        """Publish a new version with these fields; its key. A field's `parent` comes before it."""
        version = (await self.make_one(f"{owner}/model/versions/", {"name": "v"}))["key"]
        for one in fields:
            await self.make_one(f"{owner}/model/versions/{version}/schema/tree/", one)
        await self.make_one(f"{owner}/model/versions/{version}/publish/")
        return str(version)

    # -- authoring --------------------------------------------------------------------------------------------

    async def draft(self, folder: str, data: dict[str, Any], **members: Any) -> str:
        made = await self.make_one(f"/folders/{folder}/resources/", {"data": data, **members})
        return str(made["key"])

    async def publish(self, folder: str, data: dict[str, Any], **members: Any) -> str:
        """A published resource; its key."""
        return await self.draft(folder, data, publish=True, **members)

    # -- delivery ---------------------------------------------------------------------------------------------

    async def api(
        self, prefix: str, folders: list[str], methods: list[str] | None = None, **attributes: Any
    ) -> str:
        made = await self.make_one("/api/", {"name": prefix, "prefix": prefix, **attributes})
        for folder in folders:
            await self.connect(made["key"], folder, methods)
        return str(made["key"])

    async def connect(self, api: str, folder: str, methods: list[str] | None = None) -> None:
        body: dict[str, Any] = {"folder": folder}
        if methods is not None:
            body["allowed_methods"] = methods
        await self.make_one(f"/api/{api}/folders/", body)

    async def key(self, role: str | None = None, side: str = "flux") -> Key:
        made = await self.make_one(f"/permissions/{side}-api/api-keys/", {"role": role})
        return Key(made["key"], made["public_key"], made["secret_key"])

    async def role(self, apis: list[str], actions: list[str] | None = None) -> str:
        """A delivery role that reaches these APIs."""
        made = await self.make_one("/permissions/flux-api/roles/", {"name": "role"})
        permission = {"content_type": "flux-apis", "actions": actions or ["read"], "all_objects": False}
        await self.make_one(f"/permissions/flux-api/roles/{made['key']}/permissions/", permission)
        for api in apis:
            reached = {"content_type": "flux-apis", "object_key": api}
            await self.make_one(f"/permissions/flux-api/roles/{made['key']}/permissions/objects/", reached)
        return str(made["key"])

    def delivered(self, path: str) -> str:
        return f"/content/flux/{self.env}{path}"

    async def request(self, method: str, path: str, key: Key | None = None, **options: Any) -> httpx.Response:
        """A delivery request, whatever it answers."""
        headers = {**(key.simple if key else {}), **options.pop("headers", {})}
        return await self.http.request(method, self.delivered(path), headers=headers, **options)

    async def get(self, path: str, key: Key | None = None, **options: Any) -> httpx.Response:
        return await self.request("GET", path, key, **options)

    async def search(self, path: str, body: Any, key: Key | None = None, **options: Any) -> httpx.Response:
        return await self.request("POST", f"{path}/_search", key, json=body, **options)


@dataclass
class Blog:
    """The fixture of the error matrix: see `blog`."""

    world: World
    keys: dict[str, Key]
    apis: dict[str, str]
    resources: dict[str, str]
    hero: str

    async def get(self, path: str, key: str | None = "KR", **options: Any) -> httpx.Response:
        return await self.world.get(path, self.keys[key] if key else None, **options)

    async def search(self, body: Any, path: str = "/blog/articles", **options: Any) -> httpx.Response:
        return await self.world.search(path, body, self.keys["KR"], **options)


SEARCHABLE = {"searchable": True}


async def blog(server: Server) -> Blog:
    """Collections, APIs, keys and articles as the error matrix supposes them."""
    world = await World.make(server)
    await world.make_one("/locales/", {"name": "French", "code": "fr"})
    companies = await world.collection("companies", [a_field("name", **SEARCHABLE)])
    authors = await world.collection(
        "authors",
        [
            a_field("name", **SEARCHABLE),
            a_field("country", **SEARCHABLE),
            a_field("company", "reference", meta={"folder": companies}),
        ],
    )
    articles = await world.collection(
        "articles",
        [
            a_field("title", required=True, **SEARCHABLE),
            a_field("body", "text", vectorizable=True, **SEARCHABLE),
            a_field("status", **SEARCHABLE),
            a_field("price", "number", **SEARCHABLE),
            a_field("summary", localizable=True, **SEARCHABLE),
            a_field("note"),
            a_field("author", "reference", meta={"folder": authors}),
            a_field("embedding", "vector", meta={"dimensions": 256}),
        ],
    )
    comments = await world.collection(
        "comments", [a_field("body", "text")], parent=articles, strict_reference=True
    )
    hero = await world.component("hero", [a_field("headline", **SEARCHABLE)])
    pages = await world.collection("pages", [], folder_type="composite")
    vault = await world.collection("vault", [a_field("secret")])
    await world.collection("hidden", [a_field("secret")])
    company = await world.publish(companies, {"name": "Acme"})
    author = await world.publish(authors, {"name": "Ada", "country": "DE", "company": company})
    resources = {"author": author, "company": company}
    for index in (1, 2, 3):
        data = {
            "title": f"A{index}",
            "status": "published" if index == 1 else "draft",
            "price": 10,
            "author": author,
        }
        resources[f"A{index}"] = await world.publish(articles, data)
    resources["comment"] = await world.publish(comments, {"body": "Nice"}, resource_owner=resources["A1"])
    resources["page"] = await world.publish(pages, {"headline": "Hello"}, component=hero)
    served = [articles, authors, companies, comments, pages]
    apis = {
        "blog": await world.api("blog", served, ["get_many", "get_one"], is_auth_required=True),
        "pub": await world.api("pub", [articles], ["get_many"]),
        "pub2": await world.api("pub2", [articles], is_auth_required=True),
    }
    await world.connect(apis["blog"], vault, [])
    keys = {
        "KR": await world.key(await world.role([apis["blog"]])),
        "KN": await world.key(await world.role([])),
        "KU": await world.key(),
        "KM": await world.key(side="management"),
    }
    return Blog(world, keys, apis, resources, hero)
