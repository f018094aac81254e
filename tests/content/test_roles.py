"""What roles let their keys do, in management and in delivery, and how soon a change is felt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.content.signing import signed_headers
from tests.content.world import Key, World, a_field, name
from tests.harness.server import Server

ROLES = "/permissions/management-api/roles"
DELIVERY = "/permissions/flux-api/roles"


def code(answer: httpx.Response) -> str | None:
    return None if answer.is_success else str(answer.json()["error_code"])


@dataclass
class Hall:
    """Two folders and two APIs, each of one of the folders, that want a key."""

    world: World
    notes: str
    letters: str
    apis: dict[str, str]

    async def role(self, *permissions: dict[str, Any], **attributes: Any) -> str:
        made = await self.world.make_one(f"{ROLES}/", {"name": "r", **attributes})
        for one in permissions:
            await self.world.make_one(f"{ROLES}/{made['key']}/permissions/", one)
        return str(made["key"])

    async def ask(self, key: Key, method: str, path: str, body: Any = None) -> str | None:
        return code(await self.world.manage(method, path, body, headers=key.simple))

    async def reads(self, key: Key) -> tuple[str | None, str | None]:
        """How reading the resources of notes and of letters ends."""
        return (
            await self.ask(key, "GET", f"/folders/{self.notes}/resources/"),
            await self.ask(key, "GET", f"/folders/{self.letters}/resources/"),
        )


@pytest.fixture(scope="module")
async def hall(server: Server) -> Hall:
    world = await World.make(server)
    notes = await world.collection("notes", [a_field("title")])
    letters = await world.collection("letters", [a_field("title")])
    apis = {
        prefix: await world.api(prefix, [folder], is_auth_required=True)
        for prefix, folder in (("notes", notes), ("letters", letters))
    }
    for folder in (notes, letters):
        await world.publish(folder, {"title": "one"})
    return Hall(world, notes, letters, apis)


def items(*actions: str, **more: Any) -> dict[str, Any]:
    return {"content_type": "collection-items", "actions": list(actions), **more}


DENIED = "permission_denied"


async def test_only_the_actions_that_were_given(hall: Hall) -> None:
    key = await hall.world.key(await hall.role(items("read", all_objects=True)), "management")
    assert await hall.reads(key) == (None, None)
    at = f"/folders/{hall.notes}/resources/"
    assert await hall.ask(key, "POST", at, {"data": {}}) == DENIED
    assert await hall.ask(key, "GET", "/locales/") == DENIED
    wider = {"content_type": "resources", "actions": ["create"], "all_objects": True}
    both = await hall.world.key(await hall.role(items("read", all_objects=True), wider), "management")
    assert await hall.ask(both, "POST", at, {"data": {"title": "by the older name"}}) is None


async def test_only_the_objects_that_were_given(hall: Hall) -> None:
    limited = items("read", objects=[hall.notes])
    other_kind = {"content_type": "flux-apis", "actions": ["read"], "objects": [hall.letters]}
    key = await hall.world.key(await hall.role(limited, other_kind), "management")
    assert await hall.reads(key) == (None, DENIED)
    assert await hall.ask(key, "GET", "/folders/notes/resources/") is None
    assert await hall.ask(key, "GET", "/folders/letters/resources/") == DENIED
    assert await hall.ask(key, "GET", "/folders/nowhere/resources/") == "folder_not_found"
    assert await hall.ask(key, "GET", f"/api/{hall.apis['notes']}/") == DENIED


async def test_permissions_are_put_replaced_and_taken(hall: Hall) -> None:
    role = await hall.role(items("read", objects=[hall.notes]))
    key = await hall.world.key(role, "management")
    at = f"{ROLES}/{role}/permissions"

    async def stands() -> list[tuple[str, list[str]]]:
        shown = await hall.world.make_one(f"{at}/", method="GET")
        return [(one["content_type"], one["objects"]) for one in shown]

    await hall.world.make_one(f"{at}/", items("read", "update", all_objects=False))
    assert await stands() == [("collection-items", [hall.notes])]
    await hall.world.make_one(f"{at}/", items("read", objects=[hall.letters]))
    assert (await stands(), await hall.reads(key)) == (
        [("collection-items", [hall.letters])],
        (DENIED, None),
    )
    answer = await hall.world.manage("DELETE", f"{at}/", params={"content_type": "collection-items"})
    assert answer.status_code == 204
    assert (await stands(), await hall.reads(key)) == ([], (DENIED, DENIED))
    await hall.world.make_one(f"{at}/", items("read", all_objects=False))
    assert (await stands(), await hall.reads(key)) == ([("collection-items", [])], (DENIED, DENIED))
    locales = {"content_type": "locales", "actions": ["read"]}
    await hall.world.make_one(f"{at}/batch/", [locales])
    assert await stands() == [("locales", [])]
    assert (await hall.reads(key), await hall.ask(key, "GET", "/locales/")) == ((DENIED, DENIED), None)


async def test_full_access_is_for_management_and_can_be_taken(hall: Hall) -> None:
    role = await hall.role(full_access=True)
    key = await hall.world.key(role, "management")
    assert await hall.ask(key, "POST", "/locales/", {"name": "Nynorsk", "code": "nn"}) is None
    await hall.world.make_one(f"{ROLES}/{role}/", {"full_access": False}, "PUT")
    assert await hall.ask(key, "GET", "/locales/") == DENIED
    made = await hall.world.make_one(f"{DELIVERY}/", {"name": "r", "full_access": True})
    await hall.world.make_one(f"{DELIVERY}/{made['key']}/", {"full_access": True, "name": "s"}, "PUT")
    reader = await hall.world.key(made["key"])
    assert code(await hall.world.get("/notes/notes", reader)) == DENIED


async def test_a_role_that_is_gone_gives_nothing(hall: Hall) -> None:
    role = await hall.role(items("read", all_objects=True))
    key = await hall.world.key(role, "management")
    assert (await hall.world.manage("DELETE", f"{ROLES}/{role}/")).status_code == 204
    assert await hall.reads(key) == (DENIED, DENIED)
    for path in (f"{ROLES}/{role}/", f"{ROLES}/{role}/permissions/"):
        assert code(await hall.world.manage("GET", path)) == "role_not_found"


async def test_roles_belong_to_one_side_and_one_environment(hall: Hall) -> None:
    elsewhere = await World.make(hall.world.server)
    role = await hall.role()
    for asked in (
        await hall.world.manage("GET", f"{DELIVERY}/{role}/"),
        await elsewhere.manage("GET", f"{ROLES}/{role}/"),
    ):
        assert code(asked) == "role_not_found"
    for world, side, named in (
        (hall.world, "flux", role),
        (elsewhere, "management", role),
        (hall.world, "management", "nobodys"),
    ):
        refused = await world.manage("POST", f"/permissions/{side}-api/api-keys/", {"role": named})
        assert code(refused) == "role_not_found"
    key = await hall.world.key(role, "management")
    at = f"/permissions/management-api/api-keys/{key.key}/"
    assert code(await elsewhere.manage("GET", at)) == "api_key_not_found"
    assert code(await elsewhere.manage("DELETE", at)) == "api_key_not_found"
    assert code(await hall.world.manage("GET", at.replace("management", "flux"))) == "api_key_not_found"
    shown = await hall.world.make_one(at, method="GET")
    assert shown["secret_key"] == "********" + key.secret[-4:]


async def test_the_secret_is_asked_for(hall: Hall) -> None:
    for side, path in (
        ("management", f"{hall.world.at}/locales/"),
        ("flux", hall.world.delivered("/notes/notes")),
    ):
        key = await hall.world.key(side=side)
        other = await hall.world.key(side=side)
        for secret, status in ((key.secret, 200), (other.secret, 401), (key.secret[:-1], 401), ("x", 401)):
            headers = {"Authorization": f"Simple {key.public}:{secret}"}
            assert (await hall.world.http.get(path, headers=headers)).status_code == status


async def test_keys_are_no_people(hall: Hall) -> None:
    key = await hall.world.key(side="management")
    for path in ("/content/account/", "/content/organizations/"):
        answer = await hall.world.http.get(path, headers=key.simple)
        assert (answer.status_code, code(answer)) == (403, DENIED)


async def test_a_change_is_felt_by_the_next_request(hall: Hall) -> None:
    """Who came in is remembered, until anything about them is changed."""
    world = hall.world
    role, other = await world.role([hall.apis["notes"]]), await world.role([])
    key = await world.key(role)

    async def read() -> str | None:
        return code(await world.get("/notes/notes", key))

    reach = {"content_type": "flux-apis", "object_key": hall.apis["notes"]}
    permissions = f"{DELIVERY}/{role}/permissions"
    keys = f"/permissions/flux-api/api-keys/{key.key}"
    reading = {"content_type": "flux-apis", "actions": ["read"], "all_objects": True}
    assert await read() is None
    assert code(await world.get("/letters/letters", key)) == DENIED
    steps: list[tuple[str, str, Any, str | None]] = [
        ("DELETE", f"{permissions}/objects/", reach, DENIED),
        ("POST", f"{permissions}/objects/", reach, None),
        ("POST", f"{permissions}/batch/", [], DENIED),
        ("POST", f"{permissions}/", reading, None),
        ("PUT", f"{keys}/", {"role": other}, DENIED),
        ("PUT", f"{keys}/", {"role": None}, None),
        ("PUT", f"{keys}/", {"role": role}, None),
        ("DELETE", f"{DELIVERY}/{role}/", None, DENIED),
        ("DELETE", f"{keys}/", None, "authentication_failed"),
    ]
    for method, path, body, expected in steps:
        await world.make_one(path, body, method)
        assert await read() == expected, (method, path)


async def test_a_bearer_token_is_felt_to_be_gone(hall: Hall) -> None:
    key = await hall.world.key()
    at = f"/permissions/flux-api/api-keys/{key.key}/bearer-token/"
    first = (await hall.world.make_one(at))["bearer_token"]
    headers = {"Authorization": f"Bearer {first}"}
    assert code(await hall.world.get("/notes/notes", headers=headers)) is None
    second = (await hall.world.make_one(at))["bearer_token"]
    assert code(await hall.world.get("/notes/notes", headers=headers)) == "authentication_failed"
    headers = {"Authorization": f"Bearer {second}"}
    assert code(await hall.world.get("/notes/notes", headers=headers)) is None
    await hall.world.make_one(at, method="DELETE")
    assert code(await hall.world.get("/notes/notes", headers=headers)) == "authentication_failed"


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_a_signature_is_of_about_now(hall: Hall, minutes: int) -> None:
    key, path = await hall.world.key(), hall.world.delivered("/notes/notes")
    right = await hall.world.get("/notes/notes", headers=signed_headers(key, path))
    assert right.status_code == 200
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    headers = signed_headers(key, path, at=at)
    assert code(await hall.world.get("/notes/notes", headers=headers)) == "authentication_failed"


async def test_a_signature_is_of_this_body_and_this_request(hall: Hall) -> None:
    """It is judged each time: nothing of who it was is remembered under its header."""
    world = hall.world
    key, path = await world.key(), world.delivered("/notes/notes/_search")
    headers = signed_headers(key, path, b'{"limit":1}')
    for body, expected in ((b'{"limit":1}', None), (b'{"limit":2}', "authentication_failed")):
        for _ in range(2):
            sent = {**headers, "Content-Type": "application/json"}
            assert (
                code(await world.request("POST", "/notes/notes/_search", headers=sent, content=body))
                == expected
            )
    elsewhere = await world.get("/notes/notes", headers=headers)
    assert code(elsewhere) == "authentication_failed"


async def test_tokens_are_for_one_thing_and_for_a_while(server: Server) -> None:
    content = server.operator["content"]
    body = {"email": content["email"], "password": content["password"]}
    pair = (await server.http.post("/content/account/auth/", json=body)).json()

    async def who(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await server.http.get("/content/account/", headers=headers)).status_code

    assert (await who(pair["access"]), await who(pair["refresh"])) == (200, 401)
    head, _, _ = pair["access"].partition(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    assert await who(pair["access"].replace(head, none)) == 401
    assert await who(pair["access"][:-2]) == 401


async def test_who_is_not_the_owner_finds_nothing(hall: Hall) -> None:
    content = hall.world.server.operator["content"]
    organization, project = content["organization"], content["project"]
    for path in (
        "/content/organizations/nobodys/",
        "/content/organizations/nobodys/projects/",
        f"/content/organizations/{organization}/projects/nobodys/environments/",
        f"/content/organizations/{organization}/projects/{project}/environments/nobodys/",
    ):
        answer = await hall.world.http.get(path, headers=hall.world.token)
        assert answer.status_code == 404, path
    other = {"name": name("p"), "region": "local"}
    made = await hall.world.http.post(
        f"/content/organizations/{organization}/projects/", json=other, headers=hall.world.token
    )
    assert made.status_code == 201, made.text
    at = f"/content/organizations/{organization}/projects/{made.json()['key']}/environments/{hall.world.env}/"
    answer = await hall.world.http.get(at, headers=hall.world.token)
    assert (answer.status_code, code(answer)) == (404, "environment_not_found")


async def test_a_connection_allows_each_write_by_itself(hall: Hall) -> None:
    world = hall.world
    prefix, key = name("wr"), await world.key()
    await world.api(prefix, [hall.notes], ["get_many", "create"])
    notes = f"/{prefix}/notes"
    made = await world.request("POST", notes, key, json={"data": {"title": "N"}})
    assert made.is_success, made.text
    there = f"{notes}/{made.json()['resource_key']}"
    refused = await world.request("PUT", there, key, json={"data": {"title": "M"}})
    assert (refused.status_code, code(refused)) == (403, "collection_not_writable"), refused.text
