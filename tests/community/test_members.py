"""How members are shown, and what of them is told: over real servers on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.community.actors import guild, person, unlimited
from tests.community.event_shapes import misfits
from tests.community.gateway import GatewayClient
from tests.harness.server import Server, serve

VIEW_CHANNEL = 1 << 10
MANAGE_NICKNAMES = 1 << 27
AVATAR_UNSET = 1


async def test_ready_names_members_and_shows_people_once(server: Server) -> None:
    owner = await person(server)
    places = [await guild(owner), await guild(owner)]
    async with GatewayClient(owner) as client:
        ready = await client.identify()
        assert misfits("READY", ready) == []
        shown = {each["id"]: each["members"] for each in ready["guilds"]}
        assert set(shown) == {place.id for place in places}
        assert [each["user"] for members in shown.values() for each in members] == [{"id": owner.id}] * 2
        assert [(each["id"], each["username"]) for each in ready["users"]] == [(owner.id, owner.username)]
        place = await guild(owner)
        state = await client.event("GUILD_CREATE")
        assert (state["id"], state["members"][0]["user"]["username"]) == (place.id, owner.username)


async def test_how_somebody_came_is_for_those_who_manage_the_guild(server: Server) -> None:
    owner, guest = await person(server), await person(server)
    place = await guild(owner)
    code = await place.invite()
    async with GatewayClient(owner) as client:
        await client.identify()
        await guest.ok("POST", f"/invites/{code}")
        told = await client.event("GUILD_MEMBER_ADD")
    shown = await guest.ok("GET", f"/guilds/{place.id}/members?limit=10")
    for member in (told, *shown):
        assert not {"join_source_type", "source_invite_code", "inviter_id"} & member.keys()
    refused = await guest.call("POST", f"/guilds/{place.id}/members-search", {})
    assert refused.json()["code"] == "MISSING_PERMISSIONS"
    found = await owner.ok("POST", f"/guilds/{place.id}/members-search", {})
    came = {each["user_id"]: each["supplemental"] for each in found["members"]}[guest.id]
    assert came == {"join_source_type": 0, "source_invite_code": code, "inviter_id": owner.id}


async def test_profile_flags_are_kept_and_shown(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    own, theirs = (f"/guilds/{place.id}/members/{each}" for each in ("@me", other.id))
    assert (await other.ok("GET", own))["profile_flags"] is None
    async with GatewayClient(owner) as client:
        await client.identify()
        changed = await other.ok("PATCH", own, {"profile_flags": AVATAR_UNSET | 1 << 9})
        told = await client.event("GUILD_MEMBER_UPDATE")
    assert [each["profile_flags"] for each in (changed, told)] == [AVATAR_UNSET] * 2
    assert (await owner.ok("GET", theirs))["profile_flags"] == AVATAR_UNSET
    named = await other.ok("PATCH", theirs, {"profile_flags": 3, "accent_color": 7, "nick": "me"})
    assert (named["profile_flags"], named["accent_color"], named["nick"]) == (3, 7, "me")
    await owner.ok("PATCH", theirs, {"nick": "you"})
    for body in ({"profile_flags": 0}, {"bio": "theirs"}, {"avatar": None, "nick": "x"}):
        assert (await owner.call("PATCH", theirs, body)).json()["code"] == "MISSING_PERMISSIONS", body
    assert (await owner.ok("GET", theirs)).items() >= {"profile_flags": 3, "nick": "you"}.items()
    for path in (own, theirs):
        silent = await other.call("PATCH", path, {"communication_disabled_until": None})
        assert silent.json()["code"] == "MISSING_PERMISSIONS", "nobody times themselves out, or in"
        assert (await other.call("PATCH", path, {"mute": True})).json()["code"] == "MISSING_PERMISSIONS"
    owners = f"/guilds/{place.id}/members/@me"
    assert (await owner.call("PATCH", owners, {"deaf": True})).json()["code"] == "USER_NOT_IN_VOICE"
    await other.ok("PATCH", own, {"roles": ["1"], "nick": "me"})
    for bad in (-1, "1", 1 << 40, True):
        assert (await other.call("PATCH", own, {"profile_flags": bad})).status_code == 400, bad
    assert (await other.ok("PATCH", own, {"profile_flags": None}))["profile_flags"] is None


async def test_who_loses_a_role_by_its_deletion_is_told_of(server: Server) -> None:
    owner, one, two = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(one, two)
    kept = await place.role(0, one)
    lost = await place.role(0, one, two)
    async with GatewayClient(two) as client:
        await client.identify()
        await owner.ok("DELETE", f"/guilds/{place.id}/roles/{lost}")
        assert (await client.event("GUILD_ROLE_DELETE"))["role_id"] == lost
        told = [await client.event("GUILD_MEMBER_UPDATE") for _ in range(2)]
    assert {each["user"]["id"]: each["roles"] for each in told} == {one.id: [kept], two.id: []}
    assert all(misfits("GUILD_MEMBER_UPDATE", each) == [] for each in told)


async def test_a_role_that_very_many_had_goes_with_one_event(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"community.limits.role_losses_told": 1}) as server:
        owner, one, two = [await person(server) for _ in range(3)]
        place = await guild(owner)
        await place.admit(one, two)
        lost = await place.role(0, one, two)
        async with GatewayClient(two) as client:
            await client.identify()
            await owner.ok("DELETE", f"/guilds/{place.id}/roles/{lost}")
            await place.say(owner, "after it")
            await client.event("MESSAGE_CREATE")
            names = [each.get("t") for each in client.seen]
        assert "GUILD_ROLE_DELETE" in names and "GUILD_MEMBER_UPDATE" not in names
        assert (await owner.ok("GET", f"/guilds/{place.id}/members/{one.id}"))["roles"] == []


async def test_a_channel_that_comes_into_sight_is_shown_as_it_is(server: Server) -> None:
    owner, guest = await unlimited(await person(server)), await person(server)
    place = await guild(owner)
    await place.admit(guest)
    async with GatewayClient(guest) as client, GatewayClient(owner) as other:
        await client.identify()
        await other.identify()
        hidden = {"type": 0, "deny": str(VIEW_CHANNEL)}
        everyone = f"/channels/{place.text}/permissions/{place.id}"
        await owner.ok("PUT", everyone, hidden)
        await client.event("CHANNEL_DELETE")
        said = await place.say(owner, "unheard")
        await owner.ok("PUT", f"/channels/{place.text}/pins/{said['id']}")
        last = await place.say(owner, "unheard too")
        assert await _seen_again(client, owner, place.text, everyone) == last["id"]
        # And by a role that somebody gets, which is no event of the channel.
        await owner.ok("PUT", everyone, hidden)
        await client.event("CHANNEL_DELETE")
        role = await place.role(0)
        await owner.ok(
            "PUT", f"/channels/{place.text}/permissions/{role}", {"type": 0, "allow": str(VIEW_CHANNEL)}
        )
        await owner.ok("DELETE", f"/channels/{place.text}/pins/{said['id']}")
        newest = await place.say(owner, "unheard as well")
        await owner.ok("PUT", f"/guilds/{place.id}/members/{guest.id}/roles/{role}")
        shown = await client.event("CHANNEL_CREATE")
        assert shown == await guest.ok("GET", f"/channels/{place.text}")
        assert shown["last_message_id"] == newest["id"]


async def _seen_again(client: GatewayClient, owner: Any, channel: str, everyone: str) -> str:
    await owner.ok("DELETE", everyone)
    shown = await client.event("CHANNEL_CREATE")
    assert shown == await owner.ok("GET", f"/channels/{channel}")
    assert shown["last_pin_timestamp"] is not None
    return str(shown["last_message_id"])
