"""Webhooks over a real socket: who is told what, signed how, tried how often, and never a neighbour of ours."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from flux.content.webhooks.rules import pause_ms, signature
from tests.content.receiving import Received, Receiver
from tests.content.world import World, a_field, name
from tests.harness.server import Server, serve


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def world(
    receiver: Receiver, server_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    settings = {
        "content.webhooks.allowed_targets": [receiver.origin.removeprefix("http://")],
        "content.webhooks.backoff_seconds": 0.1,
        "content.webhooks.max_attempts": 3,
        "content.webhooks.timeout": 1.0,
        "content.plan_limits": {"webhooks": 40},
    }
    directory = tmp_path_factory.mktemp(f"hooks-{server_database}")
    async with serve(directory, database=server_database, settings=settings) as server:
        yield await World.make(server)


async def _hook(world: World, receiver: Receiver, **members: Any) -> dict[str, Any]:
    """A webhook at a path of its own, so that tests do not hear each other's."""
    url = f"{receiver.origin}/{name('at')}"
    made = await world.make_one("/webhooks/", {"name": "W", "url": url, **members})
    assert made["secret"].startswith("whsec_")
    return made


def _for(hook: dict[str, Any], received: list[Received]) -> list[Received]:
    path = hook["url"].rpartition("/")[2]
    return [one for one in received if f"/{path} " in one.headers[":target"]]


async def _told(receiver: Receiver, hook: dict[str, Any], many: int) -> list[Received]:
    return _for(hook, await receiver.until(lambda received: len(_for(hook, received)) >= many))


async def _history(
    world: World, hook: dict[str, Any], settled: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """The delivery history, oldest first, once it says what is waited for."""
    for _ in range(1000):
        page = await world.make_one(f"/webhooks/{hook['key']}/deliveries/", method="GET")
        found = list(reversed(page["results"]))
        if settled(found):
            return found
        await asyncio.sleep(0.03)
    raise AssertionError(found)


def _verified(hook: dict[str, Any], one: Received) -> bool:
    """As a receiver checks it, without our code."""
    parts = dict(part.split("=", 1) for part in one.headers["x-flux-signature"].split(","))
    signed = f"{parts['t']}.".encode() + one.body
    return hmac.new(hook["secret"].encode(), signed, hashlib.sha256).hexdigest() == parts["v1"]


async def test_published_unpublished_deleted(world: World, receiver: Receiver) -> None:
    folder = await world.collection(name("news"), [a_field("title", required=True)])
    hook = await _hook(world, receiver, folders=[folder])
    key = await world.draft(folder, {"title": "One"}, external_id="one")
    at = f"/folders/{folder}/resources/{key}"
    revision = (await world.make_one(f"{at}/revisions/latest/publish/"))["key"]
    await world.make_one(f"{at}/revisions/{revision}/unpublish/")
    await world.make_one(f"{at}/", method="DELETE")
    told = await _told(receiver, hook, 3)
    by_event = {one.json["event"]: one for one in told}
    assert set(by_event) == {"resource.published", "resource.unpublished", "resource.deleted"}
    body = by_event["resource.published"].json
    assert body["environment"] == world.env and body["folder"]["key"] == folder
    assert body["resource"] == {"key": key, "external_id": "one", "component": None, "revision": revision}
    assert by_event["resource.deleted"].json["resource"]["revision"] is None
    for one in told:
        assert _verified(hook, one) and one.headers["x-flux-event"] == one.json["event"]
        assert one.headers["content-type"] == "application/json"
    forged = Received(told[0].headers, told[0].body + b" ")
    assert not _verified(hook, forged)
    history = await _history(world, hook, lambda found: all(one["status"] == "delivered" for one in found))
    assert [(one["attempts"], one["last_status"], one["last_error"]) for one in history] == [
        (1, 200, None)
    ] * 3
    assert {one["key"] for one in history} == {one.headers["x-flux-delivery"] for one in told}


async def test_only_what_is_wanted(world: World, receiver: Receiver) -> None:
    one = await world.collection(name("one"), [a_field("title", required=True)])
    other = await world.collection(name("other"), [a_field("title")])
    some = await _hook(world, receiver, folders=[one], events=["resource.published"])
    switched_off = await _hook(world, receiver, is_enabled=False)
    everything = await _hook(world, receiver)
    refused = await world.manage(
        "POST", f"/folders/{one}/resources/", {"data": {"title": 5}, "publish": True}
    )
    assert refused.status_code == 422
    await world.draft(one, {"title": "Draft"})
    first = await world.publish(one, {"title": "A"})
    second = await world.publish(other, {"title": "B"})
    await world.make_one(f"/folders/{one}/resources/{first}/", method="DELETE")
    told = await _told(receiver, everything, 3)
    assert {(hit.json["event"], hit.json["resource"]["key"]) for hit in told} == {
        ("resource.published", first),
        ("resource.published", second),
        ("resource.deleted", first),
    }
    assert [hit.json["resource"]["key"] for hit in await _told(receiver, some, 1)] == [first]
    assert _for(switched_off, receiver.received) == []
    assert len({hit.json["id"] for hit in told}) == 3
    for hook in (some, everything):
        await world.make_one(f"/webhooks/{hook['key']}/", method="DELETE")


async def test_children_of_a_deleted_resource_are_told_too(world: World, receiver: Receiver) -> None:
    parent = await world.collection(name("posts"), [a_field("title")])
    child = await world.collection(
        name("notes"), [a_field("body", "text")], parent=parent, strict_reference=True
    )
    owner = await world.publish(parent, {"title": "P"})
    below = await world.publish(child, {"body": "C"}, resource_owner=owner)
    hook = await _hook(world, receiver, events=["resource.deleted"], folders=[parent, child])
    await world.make_one(f"/folders/{parent}/resources/{owner}/", method="DELETE")
    told = await _told(receiver, hook, 2)
    assert {one.json["resource"]["key"] for one in told} == {owner, below}


async def test_all_that_goes_with_a_folder_is_told(world: World, receiver: Receiver) -> None:
    """Collections and composites, published or not, of the folder and of those below it; only of folders listened to."""
    parent = await world.collection(name("posts"), [a_field("title")])
    below = await world.collection(name("pages"), [], folder_type="composite", parent=parent)
    deaf = await world.collection(name("deaf"), [a_field("title")], parent=parent)
    hero = await world.component(name("hero"), [a_field("headline")])
    shown = await world.publish(parent, {"title": "P"}, external_id="e1")
    draft = await world.draft(parent, {"title": "D"})
    page = await world.publish(below, {"headline": "H"}, component=hero)
    await world.publish(deaf, {"title": "nobody listens"})
    hook = await _hook(world, receiver, events=["resource.deleted"], folders=[parent, below])
    await world.make_one(f"/folders/tree/folder/?key={parent}", method="DELETE")
    told = {one.json["resource"]["key"]: one.json for one in await _told(receiver, hook, 3)}
    assert set(told) == {shown, draft, page}
    assert told[shown]["resource"]["external_id"] == "e1" and told[shown]["resource"]["revision"]
    assert told[draft]["resource"]["revision"] is None and told[page]["resource"]["component"] == hero
    assert {one["event"] for one in told.values()} == {"resource.deleted"}
    history = await _history(world, hook, lambda found: all(one["status"] == "delivered" for one in found))
    assert len(history) == 3


async def test_tried_again_until_it_is_taken(world: World, receiver: Receiver) -> None:
    folder = await world.collection(name("again"), [a_field("title")])
    hook = await _hook(world, receiver, folders=[folder])
    receiver.statuses = [500, 0]
    await world.publish(folder, {"title": "A"})
    told = await _told(receiver, hook, 3)
    assert [one.headers["x-flux-attempt"] for one in told] == ["1", "2", "3"]
    assert len({one.body for one in told}) == len({one.headers["x-flux-delivery"] for one in told}) == 1
    [delivery] = await _history(world, hook, lambda found: found[0]["finished_at"] is not None)
    assert (delivery["status"], delivery["attempts"], delivery["last_status"]) == ("delivered", 3, 200)


@pytest.mark.parametrize(
    ("statuses", "attempts", "status"), [([503, 302, 404], 3, 404), ([410], 1, 410), ([307] * 3, 3, 307)]
)
async def test_given_up_and_sent_once_more(
    world: World, receiver: Receiver, statuses: list[int], attempts: int, status: int
) -> None:
    """Redirects are not followed; 410 ends it at once."""
    folder = await world.collection(name("lost"), [a_field("title")])
    hook = await _hook(world, receiver, folders=[folder])
    receiver.statuses = list(statuses)
    await world.publish(folder, {"title": "A"})
    [lost] = await _history(world, hook, lambda found: bool(found) and found[0]["status"] == "failed")
    assert (lost["attempts"], lost["last_status"], lost["last_error"]) == (attempts, status, "http_status")
    assert lost["next_attempt_at"] is None
    assert all("/elsewhere" not in one.headers[":target"] for one in receiver.received)
    receiver.statuses = []
    again = await world.make_one(f"/webhooks/{hook['key']}/deliveries/{lost['key']}/redeliver/")
    assert again["status"] == "pending" and again["payload"] == lost["payload"]
    history = await _history(world, hook, lambda found: found[-1]["status"] == "delivered")
    assert [one["status"] for one in history] == ["failed", "delivered"]
    only = await world.make_one(f"/webhooks/{hook['key']}/deliveries/?status=failed", method="GET")
    assert [one["key"] for one in only["results"]] == [lost["key"]]


async def test_a_ping_and_a_new_secret(world: World, receiver: Receiver) -> None:
    hook = await _hook(world, receiver)
    shown = await world.make_one(f"/webhooks/{hook['key']}/", method="GET")
    assert shown["secret"] == f"****{hook['secret'][-4:]}"
    renewed = await world.make_one(f"/webhooks/{hook['key']}/secret/")
    await world.make_one(f"/webhooks/{hook['key']}/ping/")
    [told] = await _told(receiver, hook, 1)
    assert told.json["event"] == "ping"
    assert _verified(renewed, told) and not _verified(hook, told)


TARGETS = [
    "http://example.com/x",
    "ftp://example.com/",
    "https://user:pw@example.com/",
    "https:///nohost",
    "https://example.com/#part",
    "nonsense",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://10.0.0.1:8443/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://example.com:22/",
    "https://example.com:99999/",
]


@pytest.mark.parametrize("url", TARGETS)
async def test_addresses_that_are_never_called(world: World, url: str) -> None:
    refused = await world.manage("POST", "/webhooks/", {"name": "W", "url": url})
    assert (refused.status_code, refused.json()["error_code"]) == (422, "validation_error")
    assert refused.json()["detail"][0]["field"] == "url"


async def test_management(world: World, receiver: Receiver) -> None:
    hook = await _hook(world, receiver)
    changed = await world.make_one(f"/webhooks/{hook['key']}/", {"is_enabled": False, "name": "X"}, "PUT")
    assert (changed["name"], changed["is_enabled"], changed["url"]) == ("X", False, hook["url"])
    page = await world.make_one("/webhooks/?limit=1", method="GET")
    assert page["count"] >= 1 and len(page["results"]) == 1
    wrong = await world.manage("POST", "/webhooks/", {"name": "W", "url": hook["url"], "folders": ["nope"]})
    assert wrong.json()["error_code"] == "folder_not_found"
    unfit = await world.manage("POST", "/webhooks/", {"name": "W", "url": hook["url"], "events": ["all"]})
    assert unfit.json()["error_code"] == "validation_error"
    assert (await world.manage("DELETE", f"/webhooks/{hook['key']}/")).status_code == 204
    for method, path in (
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", "ping/"),
        ("POST", "secret/"),
        ("GET", "deliveries/"),
    ):
        gone = await world.manage(method, f"/webhooks/{hook['key']}/{path}", {} if method == "PUT" else None)
        assert (gone.status_code, gone.json()["error_code"]) == (404, "webhook_not_found"), path


async def test_a_role_needs_the_permission(world: World) -> None:
    role = (await world.make_one("/permissions/management-api/roles/", {"name": "r"}))["key"]
    key = await world.key(role, "management")
    refused = await world.manage("GET", "/webhooks/", headers=key.simple)
    assert refused.json()["error_code"] == "permission_denied"
    permission = {"content_type": "webhooks", "actions": ["read"], "all_objects": True}
    await world.make_one(f"/permissions/management-api/roles/{role}/permissions/", permission)
    assert (await world.manage("GET", "/webhooks/", headers=key.simple)).status_code == 200


async def test_old_history_is_forgotten(world: World, receiver: Receiver) -> None:
    hook = await _hook(world, receiver)
    await world.make_one(f"/webhooks/{hook['key']}/ping/")
    await _history(world, hook, lambda found: bool(found) and found[0]["status"] == "delivered")
    await world.server.sandbox.clock(31 * 86_400)
    token = await world.http.post(
        "/content/account/auth/",
        json={key: world.server.operator["content"][key] for key in ("email", "password")},
    )
    world.token["Authorization"] = f"Bearer {token.json()['access']}"
    await _history(world, hook, lambda found: not found)


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause_ms(attempts, 10, 60) for attempts in range(1, 6)] == [
        10_000,
        20_000,
        40_000,
        60_000,
        60_000,
    ]
    assert pause_ms(10_000, 10, 60) == 60_000


def test_the_time_is_part_of_the_signature() -> None:
    first, later = (signature("s", at, b"{}") for at in (1, 2))
    assert first.startswith("t=1,v1=") and first.partition("v1=")[2] != later.partition("v1=")[2]


async def test_missing_things_are_told(server: Server) -> None:
    """Beside the codes of the reference, on a server of the suite."""
    world = await World.make(server)
    made = await world.make_one("/webhooks/", {"name": "W", "url": "https://hooks.example/"})
    gone = await world.manage("POST", f"/webhooks/{made['key']}/deliveries/nope/redeliver/")
    assert (gone.status_code, gone.json()["error_code"]) == (404, "webhook_delivery_not_found")


async def test_those_of_another_environment_are_not_there(server: Server) -> None:
    """Both belong to the same account, which may do everything in either."""
    world, other = await World.make(server), await World.make(server)
    key = (await world.make_one("/webhooks/", {"name": "W", "url": "https://hooks.example/"}))["key"]
    at = f"/webhooks/{key}"
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"{at}/", None),
        ("PUT", f"{at}/", {"name": "Mine", "url": "https://hooks.example/"}),
        ("GET", f"{at}/deliveries/", None),
        ("POST", f"{at}/ping/", None),
        ("DELETE", f"{at}/", None),
    ]
    for method, path, body in requests:
        refused = await other.manage(method, path, body)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "webhook_not_found"), method
    assert (await world.make_one(f"{at}/", method="GET"))["name"] == "W"
