"""The acceptance scenarios of the content contract that need more than one call, with the unmodified client.

Here: paging to exhaustion (4), the nearest document first (5), writes and who may not (6), limits (7), one external id
upserted by fifty at once (10). The others: an environment from nothing (1) in test_foxnose_sdk.py, every method of both
generations (2, 3) in test_foxnose_sdk_methods.py, LangChain (8) in test_langchain.py, the error matrix (9) in tests/reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from foxnose_sdk.auth import AnonymousAuth, SimpleKeyAuth
from foxnose_sdk.config import RetryConfig
from foxnose_sdk.errors import (
    CollectionNotWritable,
    ContentValidationFailed,
    ExternalIdConflict,
    FoxnoseAPIError,
    PlanLimitExceeded,
    RateLimitExceeded,
)
from foxnose_sdk.flux import AsyncFluxClient
from foxnose_sdk.management import AsyncManagementClient
from tests.clients.foxnose.calling import Caller, a_name, flux_client, management_client
from tests.clients.foxnose.delivery import NEAR, Shelf
from tests.harness.server import Server, serve


class Desk:
    """A shelf, and clients of it."""

    def __init__(self, server: Server, manage: Any, shelf: Shelf) -> None:
        self.server, self.manage, self.shelf = server, manage, shelf

    def flux(self, auth: Any = None) -> Any:
        content = self.server.operator["content"]
        chosen = auth or self.shelf.auths()[0]
        return flux_client(AsyncFluxClient, self.server.origin, content, self.shelf.prefix, chosen)


@pytest.fixture(scope="module")
async def desk(server: Server) -> AsyncIterator[Desk]:
    manage = management_client(AsyncManagementClient, server.origin, server.operator["content"])
    yield Desk(server, manage, await Shelf.make(Caller(manage)))
    await manage.aclose()


async def _pages(flux: Any, at: str, cursor: Any) -> list[str]:
    """Keys of every page; `cursor` makes of `next` what is sent back."""
    keys: list[str] = []
    params: dict[str, Any] = {"limit": 2, "sort": "title"}
    for _ in range(20):
        page = await flux.list_resources(at, params=params)
        keys += [one["_sys"]["key"] for one in page["results"]]
        if page["next"] is None:
            return keys
        params["next"] = cursor(page["next"])
    raise AssertionError("the pages do not end")


async def test_paging_to_exhaustion_returns_each_resource_once(desk: Desk) -> None:
    documents = [{"title": f"Page {index:02}", "body": "x"} for index in range(7)]
    shelf = await Shelf.make(Caller(desk.manage), documents)
    flux = Desk(desk.server, desk.manage, shelf).flux()
    by_token = await _pages(flux, shelf.alias, lambda url: parse_qs(urlsplit(url).query)["next"][0])
    by_url = await _pages(flux, shelf.alias, lambda url: url)
    assert by_token == by_url == shelf.resources
    await flux.aclose()


async def test_the_nearest_document_comes_first(desk: Desk) -> None:
    flux, at = desk.flux(), desk.shelf.alias
    text = {"query": "bread castling"}
    assert (await flux.vector_search(at, query="flour and water and salt", top_k=1))["results"][0]["data"][
        "title"
    ] == "Bread"
    near = await flux.vector_field_search(
        at, field="place", query_vector=NEAR, top_k=10, similarity_threshold=0.9
    )
    assert [one["data"]["title"] for one in near["results"]] == ["Solar"]
    for page in (
        await flux.hybrid_search(at, query="salt water", find_text={"query": "flour"}, rerank_results=False),
        await flux.boosted_search(at, query="salt water flour", find_text={"query": "flour"}),
        await flux.search(at, body={"search_mode": "text", "find_text": {"query": "floor patience"}}),
    ):
        assert page["results"][0]["data"]["title"] == "Bread"
    nothing = await flux.search(at, body={"find_text": text})
    assert nothing["results"] == []
    await flux.aclose()


async def test_writes_and_who_may_not(desk: Desk) -> None:
    flux, at = desk.flux(), desk.shelf.alias
    written = await flux.create_resource(at, {"title": "Written"}, key="acceptance")
    with pytest.raises(ExternalIdConflict):
        await flux.create_resource(at, {"title": "Twice"}, key="acceptance")
    with pytest.raises(ContentValidationFailed) as unfit:
        await flux.create_resource(at, {"rating": "much"})
    assert {one["json_path"] for one in unfit.value.errors} == {"$.title", "$.rating"}
    await flux.update_resource(at, written["resource_key"], {"title": "Replaced", "rating": 4})
    shown = await flux.get_resource(at, written["resource_key"])
    assert shown["data"] == {"title": "Replaced", "rating": 4}
    with pytest.raises(FoxnoseAPIError) as missing:
        await flux.update_resource(at, "doesnotexist", {"title": "x"})
    assert missing.value.error_code == "resource_not_found"
    await _without_a_grant(desk)
    await desk.manage.update_api_folder(desk.shelf.api, desk.shelf.folder, allowed_methods=["get_one"])
    with pytest.raises(CollectionNotWritable):
        await flux.create_resource(at, {"title": "x"})
    everything = ["get_many", "get_one", "create", "update"]
    await desk.manage.update_api_folder(desk.shelf.api, desk.shelf.folder, allowed_methods=everything)
    assert (await flux.get_resource(at, written["resource_key"])) == shown
    await flux.aclose()


async def _without_a_grant(desk: Desk) -> None:
    """A role that may read only, and nobody at all."""
    role = await desk.manage.create_flux_role({"name": "Readers"})
    await desk.manage.upsert_flux_role_permission(
        role.key, {"content_type": "flux-apis", "actions": ["read"], "all_objects": True}
    )
    key = await desk.manage.create_flux_api_key({"role": role.key})
    for auth, refusal in (
        (SimpleKeyAuth(key.public_key, key.secret_key), (403, "access_denied")),
        (AnonymousAuth(), (401, "authentication_failed")),
    ):
        stranger = desk.flux(auth)
        with pytest.raises(FoxnoseAPIError) as refused:
            await stranger.create_resource(desk.shelf.alias, {"title": "x"})
        assert (refused.value.status_code, refused.value.error_code) == refusal
        await stranger.aclose()


async def test_fifty_upserts_of_one_external_id(desk: Desk) -> None:
    external = a_name("one")
    written = await asyncio.gather(
        *(
            desk.manage.upsert_resource(
                desk.shelf.folder, {"data": {"title": f"T{index}"}}, external_id=external
            )
            for index in range(50)
        )
    )
    [key] = {one.key for one in written}
    page = await desk.manage.list_revisions(desk.shelf.folder, key)
    assert page.count == 50 and sorted(one.number for one in page.results) == list(range(1, 51))


async def test_a_key_token_is_issued_renewed_and_revoked(desk: Desk) -> None:
    """`Bearer fxk_…` reads delivery; a second issue ends the first, and it is no credential of management."""
    server, shelf = desk.server, desk.shelf
    url = f"/content/flux/{server.operator['content']['environment']}/{shelf.prefix}/{shelf.alias}"

    async def ask(token: str, path: str = url) -> httpx.Response:
        return await server.http.get(path, headers={"Authorization": f"Bearer {token}"})

    first = (await desk.manage.issue_flux_api_key_bearer_token(shelf.key.key)).bearer_token
    assert (await ask(first)).status_code == 200
    second = (await desk.manage.issue_flux_api_key_bearer_token(shelf.key.key)).bearer_token
    assert [(await ask(token)).status_code for token in (first, second)] == [401, 200]
    assert (await ask(second, "/content/organizations/")).status_code == 401
    shown = await desk.manage.get_flux_api_key(shelf.key.key)
    assert second.startswith(shown.bearer_token_prefix)
    for _ in range(2):
        await desk.manage.revoke_flux_api_key_bearer_token(shelf.key.key)
    assert (await ask(second)).status_code == 401
    assert (await desk.flux().list_resources(shelf.alias, params={"limit": 1}))["results"]


async def test_limits_arrive_as_the_clients_own_errors(tmp_path: Path) -> None:
    settings = {"content.plan_limits": {"locales": 2}, "content.management_rate_limit": "3/6s"}
    async with serve(tmp_path, settings=settings) as server:
        content = server.operator["content"]
        manage = AsyncManagementClient(
            base_url=f"{server.origin}/content",
            environment_key=content["environment"],
            auth=SimpleKeyAuth(content["public_key"], content["secret_key"]),
            retry_config=RetryConfig(attempts=1),
        )
        await manage.create_locale({"name": "French", "code": "fr"})
        with pytest.raises(PlanLimitExceeded) as limited:
            await manage.create_locale({"name": "German", "code": "de"})
        assert (limited.value.entity, limited.value.current, limited.value.limit) == ("locales", 2, 2)
        with pytest.raises(RateLimitExceeded) as hurried:
            for _ in range(10):
                await manage.list_locales()
        assert hurried.value.error_code == "rate_limited"
        assert hurried.value.retry_after == 2.0
        await manage.aclose()
