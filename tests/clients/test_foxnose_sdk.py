"""The unmodified official client of the content API (0.8.1) against a live server, sync and async, on both databases."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from foxnose_sdk.auth import AnonymousAuth, JWTAuth, SecureKeyAuth, SimpleKeyAuth
from foxnose_sdk.errors import FoxnoseAPIError
from foxnose_sdk.flux import AsyncFluxClient, FluxClient
from foxnose_sdk.management import AsyncManagementClient, ManagementClient
from tests.harness.server import Server

FIELDS: list[dict[str, Any]] = [
    {"key": "title", "name": "Title", "type": "string", "required": True, "searchable": True},
    {"key": "status", "name": "Status", "type": "string", "searchable": True},
    {"key": "price", "name": "Price", "type": "number", "searchable": True},
    {"key": "tags", "name": "Tags", "type": "string", "multiple": True, "searchable": True},
    {"key": "on_sale", "name": "On sale", "type": "boolean", "searchable": True},
    {"key": "released", "name": "Released", "type": "date", "searchable": True},
]
DOCUMENTS = [
    {
        "title": "Alpha",
        "status": "published",
        "price": 10,
        "tags": ["a", "b"],
        "on_sale": True,
        "released": "2024-01-01",
    },
    {
        "title": "Beta",
        "status": "draft",
        "price": 20.5,
        "tags": ["b"],
        "on_sale": False,
        "released": "2024-02-01",
    },
    {
        "title": "Gamma",
        "status": "published",
        "price": 30,
        "tags": ["c"],
        "on_sale": True,
        "released": "2024-03-01",
    },
]
WHERE = {
    "$": {
        "all_of": [
            {"status__eq": "published"},
            {"any_of": [{"price__gt": 25}, {"tags__contains": "a"}]},
            {"released__between": ["2024-01-01", "2024-12-31"]},
        ]
    }
}


def _name(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(4)}"


@pytest.fixture
def management(server: Server) -> Iterator[ManagementClient]:
    content = server.operator["content"]
    client = ManagementClient(
        base_url=f"{server.origin}/content",
        environment_key=content["environment"],
        auth=JWTAuth.from_static_token(content["management_token"]),
    )
    yield client
    client.close()


def _flux_url(server: Server) -> str:
    return f"{server.origin}/content/flux/{server.operator['content']['environment']}"


def test_from_an_empty_environment_to_delivered_content(server: Server, management: ManagementClient) -> None:
    collection = management.create_collection({"name": "Articles", "alias": _name("articles")})
    version = management.create_collection_version(collection.key, {"name": "v1"})
    for field in FIELDS:
        created = management.create_collection_field(collection.key, version.key, field)
        assert created.path == field["key"]
    published = management.publish_collection_version(collection.key, version.key)
    assert published.version_number == 1 and published.published_at is not None
    keys = []
    for document in DOCUMENTS:
        resource = management.create_resource(collection.key, {"data": document})
        revisions = management.list_revisions(collection.key, resource.key)
        assert [one.status for one in revisions.results] == ["draft"]
        revision = management.publish_revision(collection.key, resource.key, revisions.results[0].key)
        assert revision.status == "published"
        assert management.get_resource(collection.key, resource.key).current_revision == revision.key
        keys.append(resource.key)
    api = management.create_api({"name": "Blog", "prefix": _name("blog"), "is_auth_required": True})
    management.add_api_collection(api.key, collection.key, allowed_methods=["get_many", "get_one"])
    role = management.create_flux_role({"name": "Readers"})
    management.upsert_flux_role_permission(
        role.key, {"content_type": "flux-apis", "actions": ["read"], "all_objects": False}
    )
    management.add_flux_permission_object(role.key, {"content_type": "flux-apis", "object_key": api.key})
    key = management.create_flux_api_key({"description": "reader", "role": role.key})

    for auth in (
        SimpleKeyAuth(key.public_key, key.secret_key),
        SecureKeyAuth(key.public_key, key.secret_key),
    ):
        flux = FluxClient(base_url=_flux_url(server), api_prefix=api.prefix, auth=auth)
        try:
            _read_everything(flux, collection.alias, keys)
        finally:
            flux.close()
    _refuse_strangers(server, api.prefix, collection.alias)


def _read_everything(flux: FluxClient, path: str, keys: list[str]) -> None:
    listed = flux.list_resources(path)
    assert {one["_sys"]["key"] for one in listed["results"]} == set(keys)
    assert listed["next"] is None and listed["previous"] is None and listed["limit"] == 100
    one = flux.get_resource(path, keys[0])
    assert one["data"] == DOCUMENTS[0]
    found = flux.search(path, body={"where": WHERE, "sort": ["title"]})
    assert [hit["data"]["title"] for hit in found["results"]] == ["Alpha", "Gamma"]
    assert _all_pages(flux, path) == sorted(keys)
    routes = flux.get_router()["routes"]
    assert {route["action"] for route in routes} == {"get_many", "get_one", "search", "schema"}
    schema = flux.get_schema(path)
    assert schema["searchable_fields"] == [field["key"] for field in FIELDS]
    with pytest.raises(FoxnoseAPIError) as refused:
        flux.search(
            path, body={"where": {"$": {"all_of": [{"status__eq": None}]}}, "find_text": {"query": ""}}
        )
    assert refused.value.status_code == 422 and refused.value.error_code == "validation_error"
    assert refused.value.detail == [
        {
            "field": "where.$.all_of.0.status__eq",
            "message": "Invalid type",
            "details": "This field is required",
        },
        {"field": "find_text.query", "message": "Invalid value", "details": "String too short"},
    ]


def _all_pages(flux: FluxClient, path: str) -> list[str]:
    """Once through by the URL of `next`, as old integrations send it."""
    seen, token = [], None
    while True:
        page = flux.list_resources(path, params={"limit": 1, **({"next": token} if token else {})})
        seen += [one["_sys"]["key"] for one in page["results"]]
        token = page["next"]
        if token is None:
            return sorted(seen)


def _refuse_strangers(server: Server, prefix: str, path: str) -> None:
    flux = FluxClient(base_url=_flux_url(server), api_prefix=prefix, auth=AnonymousAuth())
    try:
        with pytest.raises(FoxnoseAPIError) as refused:
            flux.list_resources(path)
    finally:
        flux.close()
    assert refused.value.status_code == 401 and refused.value.error_code == "authentication_failed"


async def test_the_same_asynchronously_with_a_key(server: Server) -> None:
    content = server.operator["content"]
    auth = SecureKeyAuth(content["public_key"], content["secret_key"])
    management = AsyncManagementClient(
        base_url=f"{server.origin}/content", environment_key=content["environment"], auth=auth
    )
    collection = await management.create_folder({"name": "Notes", "alias": _name("notes")})
    version = await management.create_folder_version(collection.key, {"name": "v1"})
    for field in FIELDS[:2]:
        await management.create_folder_field(collection.key, version.key, field)
    await management.publish_folder_version(collection.key, version.key)
    first = await management.upsert_resource(collection.key, {"data": {"title": "First"}}, external_id="one")
    again = await management.upsert_resource(collection.key, {"data": {"title": "Second"}}, external_id="one")
    assert first.key == again.key
    newest = (await management.list_revisions(collection.key, first.key)).results[0]
    assert newest.number == 2
    await management.publish_revision(collection.key, first.key, newest.key)
    api = await management.create_api({"name": "Public", "prefix": _name("pub")})
    await management.add_api_folder(api.key, collection.key)
    flux = AsyncFluxClient(base_url=_flux_url(server), api_prefix=api.prefix, auth=AnonymousAuth())
    found = await flux.search(collection.alias, body={"where": {"title__istartswith": "sec"}})
    assert [hit["data"] for hit in found["results"]] == [{"title": "Second"}]
    assert (await flux.get_resource(collection.alias, first.key))["data"] == {"title": "Second"}
    await flux.aclose()
    await management.aclose()
