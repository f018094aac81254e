"""What one's settings keep others from, over a real server: messages of a guild's people, groups, and foreign emojis."""

from __future__ import annotations

from tests.community.actors import Actor, Person, guild, person
from tests.community.gateway import GatewayClient
from tests.community.pictures import moving, uri
from tests.community.test_people import befriend
from tests.harness.server import Server

SETTINGS = "/users/@me/settings"


async def may_write(one: Actor, other: Actor) -> bool:
    answer = await one.call("POST", "/users/@me/channels", {"recipient_id": other.id})
    assert answer.is_success or answer.json()["code"] == "CANNOT_SEND_MESSAGES_TO_USER", answer.text
    return answer.is_success


async def test_new_guilds_are_restricted_where_that_is_the_default(server: Server) -> None:
    owner, shy = await person(server), await person(server)
    before = await guild(owner)
    await before.admit(shy)
    await shy.ok(
        "PATCH", SETTINGS, {"default_guilds_restricted": True, "bot_default_guilds_restricted": True}
    )
    assert await may_write(owner, shy)  # The guilds one is in stay as they are.
    await shy.ok("DELETE", f"/users/@me/guilds/{before.id}")
    after = await guild(owner)
    async with GatewayClient(shy) as client:
        await client.identify()
        await after.admit(shy)
        told = await client.event("USER_SETTINGS_UPDATE")
    assert (told["restricted_guilds"], told["bot_restricted_guilds"]) == ([after.id], [after.id])
    assert await shy.ok("GET", SETTINGS) == told
    assert not await may_write(owner, shy)
    await shy.ok("PATCH", SETTINGS, {"restricted_guilds": []})
    assert await may_write(owner, shy)


async def test_who_comes_back_comes_into_a_new_guild(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    await other.ok("PATCH", SETTINGS, {"restricted_guilds": [place.id]})
    await owner.ok("DELETE", f"/guilds/{place.id}/members/{other.id}")
    assert (await other.ok("GET", SETTINGS))["restricted_guilds"] == []
    await place.admit(other)
    assert await may_write(owner, other)


async def gathers(one: Person, other: Person) -> str:
    """Whether `one` may bring the other into a group, both ways of doing so being of one mind."""
    group = (await one.ok("POST", "/users/@me/channels", {"recipients": []}))["id"]
    added = await one.call("PUT", f"/channels/{group}/recipients/{other.id}")
    begun = await one.call("POST", "/users/@me/channels", {"recipients": [other.id]})
    codes = {"" if answer.is_success else answer.json()["code"] for answer in (added, begun)}
    assert len(codes) == 1, codes
    return codes.pop()


async def test_who_may_bring_somebody_into_a_group(server: Server) -> None:
    friend, acquaintance, neighbour, stranger, shy = [await person(server) for _ in range(5)]
    await befriend(shy, friend)
    await befriend(friend, acquaintance)
    await (await guild(neighbour)).admit(shy)
    people = (friend, acquaintance, neighbour, stranger)
    no, never = "NOT_FRIENDS_WITH_USER", "CANNOT_SEND_MESSAGES_TO_USER"
    expected = {
        8: ("", no, no, no),
        1: ("", "", no, no),
        2: ("", no, "", no),
        4: ("", "", "", ""),
        16: (never, no, no, no),
        20: (never, no, no, no),
        0: (never, no, no, no),
    }
    for flags, answers in expected.items():
        await shy.ok("PATCH", SETTINGS, {"group_dm_add_permission_flags": flags})
        assert tuple([await gathers(each, shy) for each in people]) == answers, flags
    await shy.ok("PATCH", SETTINGS, {"group_dm_add_permission_flags": 4})
    await shy.ok("PUT", f"/users/@me/relationships/{stranger.id}", {"type": 2})
    assert await gathers(stranger, shy) == no


async def test_an_emoji_of_a_custom_status_is_of_ones_own_guilds_and_shown_as_it_is(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    body = {"name": "dance", "image": uri(moving(), "gif")}
    emoji = await owner.ok("POST", f"/guilds/{place.id}/emojis", body)
    assert emoji["animated"] is True
    chosen = {"custom_status": {"text": "hey", "emoji_id": emoji["id"], "emoji_name": "something"}}
    changed = await owner.ok("PATCH", SETTINGS, chosen)
    shown = changed["custom_status"]
    assert (shown["emoji_id"], shown["emoji_name"], shown["emoji_animated"]) == (emoji["id"], "dance", True)
    for emoji_id, someone in ((emoji["id"], other), ("1", owner)):
        refused = await someone.call("PATCH", SETTINGS, {"custom_status": {"emoji_id": emoji_id}})
        assert [each["path"] for each in refused.json()["errors"]] == ["custom_status.emoji_id"]
    plain = await owner.ok("PATCH", SETTINGS, {"custom_status": {"emoji_name": "🌴"}})
    assert plain["custom_status"]["emoji_animated"] is False
    await befriend(owner, other)
    async with GatewayClient(other) as witness, GatewayClient(owner) as client:
        await witness.identify()
        await client.identify()
        for text, emoji_id, worn in (
            ("mine", emoji["id"], (emoji["id"], "dance", True)),
            ("none", "²", (None, "x", False)),
            ("foreign", "1", (None, None, False)),
            ("large", "9" * 19, (None, "x", False)),
        ):
            custom = {"text": text, "emoji_id": emoji_id, "emoji_name": "x"}
            await client.send(3, {"status": "online", "custom_status": custom})
            while True:
                told = (await witness.event("PRESENCE_UPDATE"))["custom_status"]
                if told is not None and told["text"] == text:
                    break
            assert (told["emoji_id"], told["emoji_name"], told["emoji_animated"]) == worn
