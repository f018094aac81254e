"""Whose token it is, what somebody may in a channel and how an account shows are remembered; whoever reads a page after a
change was answered sees the change. On PostgreSQL nothing is remembered, and the same holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.community.actors import Guild, Person, admin, guild, person, unlimited
from tests.harness.server import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")
VIEW, HISTORY = 1 << 10, 1 << 16


@dataclass
class Scene:
    owner: Person
    member: Person
    place: Guild

    @property
    def messages(self) -> str:
        return f"/channels/{self.place.text}/messages"

    async def page(self) -> list[dict[str, Any]]:
        """As the member reads it: with all that is remembered afterwards."""
        return list(await self.member.ok("GET", self.messages))

    async def refusal(self) -> str:
        return str((await self.member.call("GET", self.messages)).json()["code"])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def people(request: Any, tmp_path_factory: Any) -> AsyncIterator[tuple[Person, Person]]:
    directory: Path = tmp_path_factory.mktemp("remembered")
    async with serve(directory, database=request.param) as server:
        yield await unlimited(await person(server)), await unlimited(await person(server))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(people: tuple[Person, Person]) -> Scene:
    owner, member = people
    place = await guild(owner)
    await place.admit(member)
    scene = Scene(owner, member, place)
    await scene.page()
    return scene


async def test_messages_and_who_wrote_them(scene: Scene) -> None:
    owner, path = scene.owner, scene.messages
    said = await scene.place.say(owner, "first")
    assert (await scene.page())[0]["content"] == "first"
    await owner.ok("PATCH", f"{path}/{said['id']}", {"content": "second"})
    assert (await scene.page())[0]["content"] == "second"
    for name in ("Ada", "Lady Lovelace"):
        await owner.ok("PATCH", "/users/@me", {"global_name": name})
        assert (await scene.page())[0]["author"]["global_name"] == name
    await owner.ok("PUT", f"{path}/{said['id']}/reactions/🦊/@me")
    assert (await scene.page())[0]["reactions"][0]["count"] == 1
    await owner.ok("DELETE", f"{path}/{said['id']}/reactions/🦊/@me")
    assert (await scene.page())[0]["reactions"] == []
    await owner.ok("PUT", f"/channels/{scene.place.text}/pins/{said['id']}")
    [pinned] = [each for each in await scene.page() if each["id"] == said["id"]]
    assert pinned["pinned"] is True
    await owner.ok("DELETE", f"{path}/{said['id']}")
    assert said["id"] not in [each["id"] for each in await scene.page()]


async def test_overwrites_and_roles(scene: Scene) -> None:
    owner, member, text = scene.owner, scene.member, scene.place.text
    await scene.place.say(owner)
    own = f"/channels/{text}/permissions/{member.id}"
    for _ in range(2):
        await owner.ok("PUT", own, {"type": 1, "deny": str(VIEW)})
        assert await scene.refusal() == "MISSING_ACCESS"
        await owner.ok("DELETE", own)
        assert await scene.page()
    everyone = f"/channels/{text}/permissions/{scene.place.id}"
    await owner.ok("PUT", everyone, {"type": 0, "deny": str(VIEW)})
    assert await scene.refusal() == "MISSING_ACCESS"
    role = await scene.place.role(0, member)
    assert await scene.refusal() == "MISSING_ACCESS"
    await owner.ok("PUT", f"/channels/{text}/permissions/{role}", {"type": 0, "allow": str(VIEW)})
    assert await scene.page()
    await owner.ok("DELETE", f"/guilds/{scene.place.id}/members/{member.id}/roles/{role}")
    assert await scene.refusal() == "MISSING_ACCESS"
    await owner.ok("PUT", f"/guilds/{scene.place.id}/members/{member.id}/roles/{role}")
    assert await scene.page()
    await owner.ok("DELETE", f"/guilds/{scene.place.id}/roles/{role}")
    assert await scene.refusal() == "MISSING_ACCESS"


async def test_history_that_is_not_to_be_read(scene: Scene) -> None:
    owner, member = scene.owner, scene.member
    said = await scene.place.say(owner)
    one = f"{scene.messages}/{said['id']}"
    await member.ok("GET", one)
    own = f"/channels/{scene.place.text}/permissions/{member.id}"
    await owner.ok("PUT", own, {"type": 1, "deny": str(HISTORY)})
    assert await scene.page() == []
    assert (await member.call("GET", one)).json()["code"] == "MISSING_PERMISSIONS"
    cutoff = {"message_history_cutoff": "2020-01-01T00:00:00.000Z"}
    await owner.ok("PATCH", f"/guilds/{scene.place.id}", cutoff)
    assert (await scene.page())[0]["id"] == said["id"]
    await owner.ok("PATCH", f"/guilds/{scene.place.id}", {"message_history_cutoff": None})
    assert await scene.page() == []


async def test_who_goes_and_what_goes(scene: Scene) -> None:
    owner, member = scene.owner, scene.member
    for _ in range(2):
        await owner.ok("DELETE", f"/guilds/{scene.place.id}/members/{member.id}")
        assert await scene.refusal() == "MISSING_ACCESS"
        await scene.place.admit(member)
        await scene.page()
    await owner.ok("PUT", f"/guilds/{scene.place.id}/bans/{member.id}", {})
    assert await scene.refusal() == "MISSING_ACCESS"
    await owner.ok("DELETE", f"/guilds/{scene.place.id}/bans/{member.id}")
    await scene.place.admit(member)
    await scene.page()
    await owner.ok("DELETE", f"/channels/{scene.place.text}")
    assert await scene.refusal() == "UNKNOWN_CHANNEL"


async def test_people_of_a_group(scene: Scene) -> None:
    owner, member = scene.owner, scene.member
    other = await person(owner.server)
    for one, two in ((owner, member), (owner, other)):
        await one.ok("POST", f"/users/@me/relationships/{two.id}")
        await two.ok("PUT", f"/users/@me/relationships/{one.id}", {})
    group = await owner.ok("POST", "/users/@me/channels", {"recipients": [member.id, other.id]})
    path = f"/channels/{group['id']}/messages"
    await member.ok("GET", path)
    await owner.ok("DELETE", f"/channels/{group['id']}/recipients/{member.id}")
    assert (await member.call("GET", path)).json()["code"] == "UNKNOWN_CHANNEL"
    await owner.ok("PUT", f"/channels/{group['id']}/recipients/{member.id}")
    await member.ok("GET", path)


async def test_a_token_that_ended_and_an_account_that_is_held(scene: Scene) -> None:
    someone = await person(scene.owner.server)
    await scene.place.admit(someone)
    await someone.ok("GET", scene.messages)
    operator = admin(scene.owner.server)
    body = {"user_id": someone.id, "flags": 1}
    await operator.ok("POST", "/admin/users/update-suspicious-activity-flags", body)
    refused = await someone.call("GET", scene.messages)
    assert refused.json()["code"] == "ACCOUNT_SUSPICIOUS_ACTIVITY"
    await operator.ok("POST", "/admin/users/update-suspicious-activity-flags", body | {"flags": 0})
    await someone.ok("GET", scene.messages)
    await someone.ok("POST", "/auth/logout")
    assert (await someone.call("GET", scene.messages)).status_code == 401
