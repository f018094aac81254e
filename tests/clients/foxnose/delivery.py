"""A shelf of documents to deliver, and a walk through the delivery client: every public method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from foxnose_sdk.auth import SecureKeyAuth, SimpleKeyAuth
from tests.clients.foxnose.calling import Caller, a_name

NEAR, FAR = [1.0, *[0.0] * 255], [0.0, 1.0, *[0.0] * 254]
_FIELDS: list[dict[str, Any]] = [
    {"key": "title", "name": "Title", "type": "string", "required": True, "searchable": True},
    {"key": "body", "name": "Body", "type": "text", "searchable": True, "vectorizable": True},
    {"key": "rating", "name": "Rating", "type": "integer", "searchable": True},
    {"key": "place", "name": "Place", "type": "vector", "meta": {"dimensions": 256}},
]
_DOCUMENTS: list[dict[str, Any]] = [
    {"title": "Solar", "body": "Panels turn sunlight into power", "rating": 1, "place": NEAR},
    {"title": "Bread", "body": "Flour, water, salt and patience", "rating": 2, "place": FAR},
    {"title": "Chess", "body": "Castling moves king and rook", "rating": 3, "place": FAR},
]


class Shelf:
    """A collection with three documents behind an API of its own, and a key of its environment."""

    def __init__(
        self, alias: str, folder: str, prefix: str, api: str, key: Any, resources: list[str]
    ) -> None:
        self.alias, self.folder, self.prefix, self.api = alias, folder, prefix, api
        self.key, self.resources = key, resources

    @classmethod
    async def make(cls, call: Caller, documents: list[dict[str, Any]] = _DOCUMENTS) -> Shelf:
        alias, prefix = a_name("shelf"), a_name("lib")
        folder = (await call("create_folder", {"name": "Shelf", "alias": alias})).key
        version = await call("create_folder_version", folder, {"name": "v1"})
        for field in _FIELDS:
            await call("create_folder_field", folder, version.key, field)
        await call("publish_folder_version", folder, version.key)
        keys = []
        for document in documents:
            resource = await call("create_resource", folder, {"data": document})
            await call("publish_revision", folder, resource.key, "latest")
            keys.append(resource.key)
        api = await call("create_api", {"name": "L", "prefix": prefix, "is_auth_required": True})
        methods = ["get_many", "get_one", "create", "update"]
        await call("add_api_folder", api.key, folder, allowed_methods=methods)
        return cls(alias, folder, prefix, api.key, await call("create_flux_api_key", {}), keys)

    def auths(self) -> list[Any]:
        pair = self.key.public_key, self.key.secret_key
        return [SimpleKeyAuth(*pair), SecureKeyAuth(*pair)]


async def delivery_walk(call: Caller, shelf: Shelf) -> None:
    """Every method of a delivery client; the shelf is left with one document more."""
    at = shelf.alias
    listed = await call("list_resources", at, params={"where__rating__lte": 2, "sort": "-title"})
    assert [one["data"]["title"] for one in listed["results"]] == ["Solar", "Bread"]
    one = await call("get_resource", at, shelf.resources[0], params={"fields": "title"})
    assert one["data"] == {"title": "Solar"} and one["_sys"]["key"] == shelf.resources[0]
    found = await call("search", at, body={"where": {"title__eq": "Chess"}, "limit": 5})
    assert [hit["data"]["rating"] for hit in found["results"]] == [3] and found["limit"] == 5
    actions = {route["action"] for route in (await call("get_router"))["routes"]}
    assert {"get_many", "get_one", "search", "schema"} <= actions
    schema = await call("get_schema", at)
    assert schema["searchable_fields"] == ["title", "body", "rating"] and schema["path"].endswith(at)
    for cursor in (_token, str):
        assert await _pages(call, at, cursor) == ["Bread", "Chess", "Solar"]
    if call.offers("vector_search"):
        await _vectors(call, at)
    if call.offers("create_resource"):
        await _writes(call, at)


def _token(url: str) -> str:
    return parse_qs(urlsplit(url).query)["next"][0]


async def _pages(call: Caller, at: str, cursor: Callable[[str], str]) -> list[str]:
    """The titles of every page of one, each once; `cursor` makes of `next` what is sent back."""
    titles: list[str] = []
    params: dict[str, Any] = {"limit": 1, "sort": "title", "where__title__in": "Solar,Bread,Chess"}
    for _ in range(4):
        page = await call("list_resources", at, params=params)
        titles += [one["data"]["title"] for one in page["results"]]
        if page["next"] is None:
            return titles
        params["next"] = cursor(page["next"])
    raise AssertionError("the pages do not end")


async def _vectors(call: Caller, at: str) -> None:
    """The nearest document comes first in every mode."""
    text = {"query": "sunlight"}
    pages = [
        await call("vector_search", at, query="panels turn sunlight into power", top_k=3),
        await call("vector_field_search", at, field="place", query_vector=NEAR, top_k=2),
        await call("hybrid_search", at, query="sunlight power", find_text=text, top_k=3),
        await call("boosted_search", at, query="sunlight power", find_text=text),
    ]
    for page in pages:
        assert page["results"][0]["data"]["title"] == "Solar", page
    assert len(pages[1]["results"]) == 2
    modes = [page["metadata"]["search_mode"] for page in pages]
    assert modes == ["vector", "vector", "hybrid", "vector_boosted"]


async def _writes(call: Caller, at: str) -> None:
    external = a_name("id")
    written = await call("create_resource", at, {"title": "New", "rating": 9}, key=external)
    assert written["published"] is True and written["write_units"] == 1
    key = written["resource_key"]
    replaced = await call("update_resource", at, key, {"title": "Newer"})
    assert replaced["resource_key"] == key and replaced["revision_key"] != written["revision_key"]
    assert (await call("get_resource", at, key))["data"] == {"title": "Newer"}
    taken = await call.refused("create_resource", at, {"title": "x"}, key=external)
    assert (taken.status_code, taken.error_code) == (409, "external_id_conflict")
    unfit = await call.refused("update_resource", at, key, {"rating": "much"})
    assert {one["json_path"] for one in unfit.detail["errors"]} == {"$.title", "$.rating"}
    assert (await call("get_resource", at, key))["data"] == {"title": "Newer"}
