"""Who hears that somebody looks different now, and what they show in one guild only, over a real server."""

from __future__ import annotations

from tests.community.actors import guild, person
from tests.community.gateway import GatewayClient
from tests.community.pictures import still, uri
from tests.community.test_people import befriend
from tests.harness.server import Server


async def test_guilds_and_friends_hear_of_another_name(server: Server) -> None:
    one, friend, neighbour = [await person(server) for _ in range(3)]
    await befriend(one, friend)
    place = await guild(neighbour)
    await place.admit(one)
    async with GatewayClient(friend) as first, GatewayClient(neighbour) as second:
        await first.identify()
        await second.identify()
        await one.ok("PATCH", "/users/@me", {"global_name": "Somebody else"})
        assert (await first.event("PRESENCE_UPDATE"))["user"]["global_name"] == "Somebody else"
        told = await second.event("GUILD_MEMBER_UPDATE")
        assert (told["guild_id"], told["user"]["id"]) == (place.id, one.id)
        assert told["user"]["global_name"] == "Somebody else"
        await one.ok("PATCH", "/users/@me", {"bio": "What others do not see beside my name is no news."})
        await second.nothing("GUILD_MEMBER_UPDATE")
        await first.nothing("PRESENCE_UPDATE")


async def test_a_profile_of_ones_own_in_a_guild(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    path = f"/users/{other.id}/profile?guild_id={place.id}"
    assert (await owner.ok("GET", path))["guild_member_profile"] is None
    mine = {"bio": "Here I garden.", "pronouns": "they", "accent_color": 255}
    await other.ok("PATCH", f"/guilds/{place.id}/members/@me", mine)
    assert (await owner.ok("GET", path))["guild_member_profile"] == {**mine, "banner": None}
    assert (await owner.ok("GET", path))["user_profile"]["bio"] is None
    await other.ok("PATCH", f"/guilds/{place.id}/members/@me", dict.fromkeys(mine))
    assert (await owner.ok("GET", path))["guild_member_profile"] is None
    assert "guild_member_profile" not in await owner.ok("GET", f"/users/{other.id}/profile")


async def test_invites_go_with_their_channel_and_that_is_told(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    codes = {await place.invite(unique=True) for _ in range(2)}
    async with GatewayClient(owner) as client:
        await client.identify()
        await owner.ok("DELETE", f"/channels/{place.text}")
        told = [await client.event("INVITE_DELETE") for _ in codes]
    assert {each["code"] for each in told} == codes
    assert {(each["guild_id"], each["channel_id"]) for each in told} == {(place.id, place.text)}


async def test_a_sticker_keeps_what_is_not_changed(server: Server) -> None:
    owner = await person(server)
    path = f"/guilds/{(await guild(owner)).id}/stickers"
    body = {"name": "wave", "description": "hello", "tags": ["hi"], "image": uri(still())}
    made = await owner.ok("POST", path, body)
    renamed = await owner.ok("PATCH", f"{path}/{made['id']}", {"name": "waving"})
    assert (renamed["name"], renamed["description"], renamed["tags"]) == ("waving", "hello", ["hi"])
    emptied = await owner.ok("PATCH", f"{path}/{made['id']}", {"name": "waving", "description": None})
    assert (emptied["description"], emptied["tags"]) == ("", ["hi"])
