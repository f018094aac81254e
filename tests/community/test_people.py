"""Friends, conversations, reactions and saved messages over a real server and its gateway."""

from __future__ import annotations

import asyncio

from tests.community.actors import Person, add_bot, bot, guild, person, stranger
from tests.community.gateway import GatewayClient
from tests.community.pictures import still, uri
from tests.harness.server import Server

THUMB, HEART = "👍", "❤️"


async def befriend(one: Person, *others: Person) -> None:
    for other in others:
        await one.ok("POST", f"/users/@me/relationships/{other.id}")
        await other.ok("PUT", f"/users/@me/relationships/{one.id}", {})


async def test_a_request_is_made_seen_and_accepted(server: Server) -> None:
    one, other = await person(server), await person(server)
    async with GatewayClient(one) as first, GatewayClient(other) as second:
        await first.identify()
        await second.identify()
        tag = (await other.ok("GET", "/users/@me"))["discriminator"]
        body = {"username": other.username.upper(), "discriminator": tag}
        made = await one.ok("POST", "/users/@me/relationships", body)
        assert (made["type"], made["id"]) == (4, other.id)
        assert (await first.event("RELATIONSHIP_ADD"))["type"] == 4
        assert (await second.event("RELATIONSHIP_ADD"))["type"] == 3
        again = await one.ok("POST", f"/users/@me/relationships/{other.id}")
        assert again["type"] == 4
        # Asking back is accepting.
        assert (await other.ok("POST", f"/users/@me/relationships/{one.id}"))["type"] == 1
        assert (await first.event("RELATIONSHIP_UPDATE"))["type"] == 1
        assert (await second.event("RELATIONSHIP_UPDATE"))["type"] == 1
        named = await one.ok("PATCH", f"/users/@me/relationships/{other.id}", {"nickname": "Pal"})
        assert named["nickname"] == "Pal"
        await one.ok("DELETE", f"/users/@me/relationships/{other.id}")
        assert (await second.event("RELATIONSHIP_REMOVE")) == {"id": one.id}
        assert await other.ok("GET", "/users/@me/relationships") == []


async def test_two_requests_at_once_make_friends_or_requests_but_nothing_odd(server: Server) -> None:
    one, other = await person(server), await person(server)
    await asyncio.gather(
        *(a.call("POST", f"/users/@me/relationships/{b.id}") for a, b in ((one, other), (other, one)) * 2)
    )
    kinds = [(await each.ok("GET", "/users/@me/relationships"))[0]["type"] for each in (one, other)]
    assert kinds == [1, 1]


async def test_a_block_ends_friendship_on_both_sides(server: Server) -> None:
    one, other = await person(server), await person(server)
    await befriend(one, other)
    await one.ok("PUT", f"/users/@me/relationships/{other.id}", {"type": 2})
    assert [each["type"] for each in await one.ok("GET", "/users/@me/relationships")] == [2]
    assert await other.ok("GET", "/users/@me/relationships") == []
    await one.ok("DELETE", f"/users/@me/relationships/{other.id}")
    assert (await one.ok("POST", f"/users/@me/relationships/{other.id}"))["type"] == 4
    assert (await other.call("PUT", "/users/@me/relationships/1", {})).json()["code"] == "UNKNOWN_USER"


async def test_a_direct_conversation_opens_with_the_first_message(server: Server) -> None:
    one, other = await person(server), await person(server)
    await befriend(one, other)
    async with GatewayClient(other) as client:
        ready = await client.identify()
        assert [each["type"] for each in ready["private_channels"]] == [999]
        assert [each["type"] for each in ready["relationships"]] == [1]
        assert {each["id"] for each in ready["users"]} == {one.id, other.id}
        made, again = await asyncio.gather(
            *(
                each.ok("POST", "/users/@me/channels", {"recipient_id": peer.id})
                for each, peer in ((one, other),) * 2
            )
        )
        assert made["id"] == again["id"]
        assert [each["id"] for each in made["recipients"]] == [other.id]
        await one.ok("POST", f"/channels/{made['id']}/messages", {"content": "hi"})
        opened = await client.event("CHANNEL_CREATE")
        assert (opened["id"], [each["id"] for each in opened["recipients"]]) == (made["id"], [one.id])
        heard = await client.event("MESSAGE_CREATE")
        assert (heard["content"], heard["channel_type"]) == ("hi", 1)
        assert "guild_id" not in heard
        await other.ok("POST", f"/channels/{made['id']}/typing")
        await other.ok("DELETE", f"/channels/{made['id']}")
        assert (await client.event("CHANNEL_DELETE"))["id"] == made["id"]
        assert [each["type"] for each in await other.ok("GET", "/users/@me/channels")] == [999]
        await one.ok("POST", f"/channels/{made['id']}/messages", {"content": "still there?"})
        assert (await client.event("CHANNEL_CREATE"))["id"] == made["id"]
    outsider = await person(server)
    assert (await outsider.call("GET", f"/channels/{made['id']}")).json()["code"] == "UNKNOWN_CHANNEL"


async def test_both_beginning_at_once_share_one_conversation(server: Server) -> None:
    one, other = await person(server), await person(server)
    await befriend(one, other)
    made = await asyncio.gather(
        *(
            a.ok("POST", "/users/@me/channels", {"recipient_id": b.id})
            for a, b in ((one, other), (other, one)) * 3
        )
    )
    assert len({each["id"] for each in made}) == 1


async def test_a_shared_guild_is_enough_unless_restricted(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    channel = (await owner.ok("POST", "/users/@me/channels", {"recipient_id": other.id}))["id"]
    await owner.ok("POST", f"/channels/{channel}/messages", {"content": "hi"})
    await other.ok("PATCH", "/users/@me/settings", {"restricted_guilds": [place.id]})
    refused = await owner.call("POST", f"/channels/{channel}/messages", {"content": "hi"})
    assert refused.json()["code"] == "CANNOT_SEND_MESSAGES_TO_USER"
    robot, application = await bot(owner)
    await add_bot(owner, application["id"], place.id)
    made = await robot.ok("POST", "/users/@me/channels", {"recipient_id": other.id})
    await robot.ok("POST", f"/channels/{made['id']}/messages", {"content": "beep"})
    await other.ok("PATCH", "/users/@me/settings", {"bot_restricted_guilds": [place.id]})
    refused = await robot.call("POST", f"/channels/{made['id']}/messages", {"content": "beep"})
    assert refused.json()["code"] == "CANNOT_SEND_MESSAGES_TO_USER"


async def test_notes_are_for_oneself(server: Server) -> None:
    one, other = await person(server), await person(server)
    notes = await one.ok("POST", "/users/@me/channels", {"recipient_id": one.id})
    assert (notes["id"], notes["type"]) == (one.id, 999)
    said = await one.ok("POST", f"/channels/{one.id}/messages", {"content": "remember"})
    assert (await one.ok("GET", f"/channels/{one.id}/messages"))[0]["id"] == said["id"]
    assert (await other.call("GET", f"/channels/{one.id}/messages")).json()["code"] == "UNKNOWN_CHANNEL"


async def test_a_group_is_joined_left_and_handed_on(server: Server) -> None:
    one, two, three, outsider = [await person(server) for _ in range(4)]
    await befriend(one, two, three)
    async with GatewayClient(two) as client:
        await client.identify()
        made = await one.ok("POST", "/users/@me/channels", {"recipients": [two.id]})
        assert (made["type"], made["owner_id"]) == (3, one.id)
        assert (await client.event("CHANNEL_CREATE"))["id"] == made["id"]
        await one.ok("PUT", f"/channels/{made['id']}/recipients/{three.id}")
        assert (await client.event("CHANNEL_RECIPIENT_ADD"))["user"]["id"] == three.id
        assert (await client.event("MESSAGE_CREATE"))["type"] == 1
        refused = await two.call("DELETE", f"/channels/{made['id']}/recipients/{three.id}")
        assert refused.json()["code"] == "MISSING_PERMISSIONS"
        await one.ok("DELETE", f"/channels/{made['id']}/recipients/{three.id}?silent=true")
        await one.ok("DELETE", f"/channels/{made['id']}")
        assert (await client.event("CHANNEL_RECIPIENT_REMOVE"))["user"]["id"] == three.id
        assert (await client.event("CHANNEL_RECIPIENT_REMOVE"))["user"]["id"] == one.id
        left = await two.ok("GET", f"/channels/{made['id']}")
        assert (left["owner_id"], left["recipients"]) == (two.id, [])
        renamed = await two.ok("PATCH", f"/channels/{made['id']}", {"name": "just me"})
        assert renamed["name"] == "just me"
        await two.ok("DELETE", f"/channels/{made['id']}")
    assert (await two.call("GET", f"/channels/{made['id']}")).json()["code"] == "UNKNOWN_CHANNEL"
    assert (await outsider.call("PUT", f"/channels/{made['id']}/recipients/{one.id}")).status_code == 404
    place = await guild(one)
    refused = await one.call("PUT", f"/channels/{place.text}/recipients/{two.id}")
    assert refused.json()["code"] == "INVALID_CHANNEL_TYPE"


async def test_a_group_is_changed_by_its_people(server: Server) -> None:
    one, two, outsider = [await person(server) for _ in range(3)]
    await befriend(one, two)
    made = await one.ok("POST", "/users/@me/channels", {"recipients": [two.id]})
    assert made["nicks"] == {}
    path = f"/channels/{made['id']}"
    async with GatewayClient(one) as client:
        await client.identify()
        body = {"name": "us", "icon": uri(still()), "nicks": {one.id: "boss", two.id: "you"}}
        changed = await two.ok("PATCH", path, body)
        assert (changed["name"], changed["nicks"]) == ("us", {one.id: "boss", two.id: "you"})
        told = await client.event("CHANNEL_UPDATE")
        assert (told["nicks"], told["recipients"][0]["id"]) == (changed["nicks"], two.id)
        notes = [await client.event("MESSAGE_CREATE") for _ in range(2)]
        assert [(note["type"], note["content"]) for note in notes] == [(4, "us"), (5, "")]
    assert (await one.ok("GET", "/users/@me/channels"))[1]["nicks"] == changed["nicks"]
    assert (await two.ok("PATCH", path, {"nicks": {two.id: None}}))["nicks"] == {one.id: "boss"}
    assert (await two.ok("PATCH", path, {"nicks": None, "name": None}))["nicks"] == {}
    for nicks in ({outsider.id: "x"}, {"x": "y"}, {one.id: "x" * 33}, {one.id: 5}):
        refused = await two.call("PATCH", path, {"nicks": nicks})
        assert refused.json()["code"] == "VALIDATION_ERROR", nicks
    assert (await two.call("PATCH", path, {"owner_id": two.id})).json()["code"] == "MISSING_PERMISSIONS"
    refused = await one.call("PATCH", path, {"owner_id": outsider.id})
    assert refused.json()["errors"][0]["path"] == "owner_id"
    assert (await one.ok("PATCH", path, {"owner_id": two.id}))["owner_id"] == two.id
    assert (await outsider.call("PATCH", path, {"name": "x"})).json()["code"] == "MISSING_ACCESS"
    direct = await one.ok("POST", "/users/@me/channels", {"recipient_id": two.id})
    assert (await one.call("PATCH", f"/channels/{direct['id']}", {"name": "x"})).json()[
        "code"
    ] == "INVALID_CHANNEL_TYPE"


async def test_a_group_invites_whom_it_likes(server: Server) -> None:
    one, two, guest, late, outsider = [await person(server) for _ in range(5)]
    await befriend(one, two)
    group = await one.ok("POST", "/users/@me/channels", {"recipients": [two.id]})
    path = f"/channels/{group['id']}/invites"
    assert (await outsider.call("POST", path, {})).json()["code"] == "UNKNOWN_CHANNEL"
    async with GatewayClient(one) as client:
        await client.identify()
        made = await two.ok("POST", path, {"max_uses": 1})
        told = await client.event("INVITE_CREATE")
        assert (told["code"], told["type"], told["channel_id"]) == (made["code"], 1, group["id"])
    assert (made["type"], made["channel"]["type"], made["uses"], made["max_uses"]) == (1, 3, 0, 1)
    assert "guild" not in made and "max_age" not in made
    assert (await two.ok("POST", path, {"max_uses": 1}))["code"] == made["code"]
    assert (await two.ok("POST", path, {"max_uses": 1, "unique": True}))["code"] != made["code"]
    seen = await stranger(server).ok("GET", f"/invites/{made['code']}")
    assert (seen["type"], seen["member_count"], seen["inviter"]["id"]) == (1, 2, two.id)
    assert [each["username"] for each in seen["channel"]["recipients"]] == [one.username, two.username]
    assert "uses" not in seen
    async with GatewayClient(guest) as client:
        await client.identify()
        assert (await guest.ok("POST", f"/invites/{made['code']}"))["code"] == made["code"]
        assert (await client.event("CHANNEL_CREATE"))["id"] == group["id"]
        note = await client.event("MESSAGE_CREATE")
        assert (note["type"], note["author"]["id"], note["mentions"][0]["id"]) == (1, guest.id, guest.id)
    assert (await late.call("POST", f"/invites/{made['code']}")).json()["code"] == "UNKNOWN_INVITE"
    other = (await guest.ok("GET", path))[0]
    assert other["inviter"]["id"] == two.id
    assert (await one.ok("POST", f"/invites/{other['code']}"))["code"] == other["code"]
    assert (await guest.ok("GET", path))[0]["uses"] == 0
    assert (await outsider.call("DELETE", f"/invites/{other['code']}")).json()[
        "code"
    ] == "MISSING_PERMISSIONS"
    await one.ok("DELETE", f"/invites/{other['code']}")
    assert (await late.call("GET", f"/invites/{other['code']}")).json()["code"] == "UNKNOWN_INVITE"
    await fill_group(server, one, group["id"], 7)
    full = (await one.ok("POST", path))["code"]
    assert (await late.call("POST", f"/invites/{full}")).json()["code"] == "MAX_GROUP_DM_RECIPIENTS"


async def fill_group(server: Server, owner: Person, channel_id: str, count: int) -> None:
    for _ in range(count):
        friend = await person(server)
        await befriend(owner, friend)
        await owner.ok("PUT", f"/channels/{channel_id}/recipients/{friend.id}")


async def test_who_may_ask_is_for_the_asked_to_say(server: Server) -> None:
    shy, friend, neighbour, other = [await person(server) for _ in range(4)]
    await befriend(shy, friend)
    await befriend(friend, neighbour)
    place = await guild(shy)
    await place.admit(other)
    path = f"/users/@me/relationships/{shy.id}"
    for flags, allowed in (
        (0, ()),
        (1, (neighbour,)),
        (2, (other,)),
        (3, (neighbour, other)),
        (4, (neighbour, other)),
    ):
        await shy.ok("PATCH", "/users/@me/settings", {"friend_source_flags": flags})
        for each in (neighbour, other):
            answer = await each.call("POST", path)
            if each in allowed:
                assert answer.json()["type"] == 4, flags
                await each.ok("DELETE", path)
            else:
                assert answer.json()["code"] == "FRIEND_REQUEST_BLOCKED", flags
    await shy.ok("PATCH", "/users/@me/settings", {"friend_source_flags": 0})
    await shy.ok("POST", f"/users/@me/relationships/{other.id}")
    assert (await other.ok("POST", path))["type"] == 1, "who was asked may answer"


async def test_reactions_are_counted_told_and_taken_back(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(owner)
    where = f"/channels/{place.text}/messages/{said['id']}/reactions"
    async with GatewayClient(owner) as client:
        await client.identify()
        await other.ok("PUT", f"{where}/{THUMB}/@me?session_id=abc")
        told = await client.event("MESSAGE_REACTION_ADD")
        assert (told["user_id"], told["emoji"], told["session_id"]) == (other.id, {"name": THUMB}, "abc")
        assert told["member"]["user"]["id"] == other.id
        await owner.ok("PUT", f"{where}/{THUMB}/@me")
        await owner.ok("PUT", f"{where}/{HEART}/@me")
        page = await other.ok("GET", f"/channels/{place.text}/messages?limit=1")
        assert page[0]["reactions"] == [
            {"emoji": {"name": THUMB}, "count": 2, "me": True},
            {"emoji": {"name": HEART}, "count": 1},
        ]
        users = await owner.ok("GET", f"{where}/{THUMB}?limit=1")
        assert [each["id"] for each in users] == [owner.id]
        users = await owner.ok("GET", f"{where}/{THUMB}?after={owner.id}")
        assert [each["id"] for each in users] == [other.id]
        assert (await other.call("DELETE", f"{where}/{THUMB}/{owner.id}")).json()[
            "code"
        ] == "MISSING_PERMISSIONS"
        await other.ok("DELETE", f"{where}/{THUMB}/@me")
        assert (await client.event("MESSAGE_REACTION_REMOVE"))["user_id"] == other.id
        await owner.ok("DELETE", f"{where}/{HEART}/{owner.id}?session_id=xyz")
        await other.ok("PUT", f"{where}/{HEART}/@me")
        await owner.ok("DELETE", f"{where}/{HEART}/{other.id}?session_id=uvw")
        sessions = [(await client.event("MESSAGE_REACTION_REMOVE"))["session_id"] for _ in range(2)]
        assert sessions == ["xyz", "uvw"]
        await owner.ok("PUT", f"{where}/{HEART}/@me")
        await owner.ok("DELETE", f"{where}/{THUMB}")
        assert (await client.event("MESSAGE_REACTION_REMOVE_EMOJI"))["emoji"] == {"name": THUMB}
        await owner.ok("DELETE", where)
        assert (await client.event("MESSAGE_REACTION_REMOVE_ALL"))["message_id"] == said["id"]
        assert (await owner.ok("GET", f"/channels/{place.text}/messages/{said['id']}"))["reactions"] == []


async def test_reactions_come_together_for_those_who_ask(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said, second = await place.say(owner), await place.say(owner)
    where = f"/channels/{place.text}/messages/{said['id']}/reactions"
    async with GatewayClient(owner) as client:
        await client.identify(flags=2)
        await other.ok("PUT", f"{where}/{THUMB}/@me?session_id=abc")
        await owner.ok("PUT", f"{where}/{THUMB}/@me")
        await other.ok("PUT", f"/channels/{place.text}/messages/{second['id']}/reactions/{HEART}/@me")
        found: dict[str, list[str]] = {}
        while sum(map(len, found.values())) < 3:
            told = await client.event("MESSAGE_REACTION_ADD_MANY")
            assert told["channel_id"] == place.text and told["guild_id"] == place.id
            assert all(each["member"]["user"]["id"] == each["user_id"] for each in told["reactions"])
            found.setdefault(told["message_id"], []).extend(each["user_id"] for each in told["reactions"])
        assert found == {said["id"]: [other.id, owner.id], second["id"]: [other.id]}
        await other.ok("PUT", f"{where}/{HEART}/@me")
        await other.ok("DELETE", f"{where}/{HEART}/@me")
        names = []
        while "MESSAGE_REACTION_REMOVE" not in names:
            names.append((await client.receive())["t"])
        assert names == ["MESSAGE_REACTION_ADD_MANY", "MESSAGE_REACTION_REMOVE"]
        assert "MESSAGE_REACTION_ADD" not in {each.get("t") for each in client.seen}
    async with GatewayClient(owner) as client:
        await client.identify(flags=2, ignored_events=["message_reaction_add", "typing_start"])
        await other.ok("PUT", f"{where}/{HEART}/@me")
        await place.say(other, "after")
        await client.event("MESSAGE_CREATE")
        assert not {"MESSAGE_REACTION_ADD", "MESSAGE_REACTION_ADD_MANY"} & {
            each.get("t") for each in client.seen
        }


async def test_a_new_reaction_needs_the_permission_and_an_old_one_does_not(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(owner)
    await owner.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": "64"})
    where = f"/channels/{place.text}/messages/{said['id']}/reactions"
    assert (await other.call("PUT", f"{where}/{THUMB}/@me")).json()["code"] == "MISSING_PERMISSIONS"
    await owner.ok("PUT", f"{where}/{THUMB}/@me")
    await other.ok("PUT", f"{where}/{THUMB}/@me")


async def test_saved_messages_show_what_may_still_be_seen(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(owner, "keep this")
    await other.ok("POST", "/users/@me/saved-messages", {"channel_id": place.text, "message_id": said["id"]})
    saved = await other.ok("GET", "/users/@me/saved-messages")
    assert [(each["status"], each["message"]["content"]) for each in saved] == [("available", "keep this")]
    await other.ok("DELETE", f"/users/@me/guilds/{place.id}")
    saved = await other.ok("GET", "/users/@me/saved-messages")
    assert [(each["status"], each["message"]) for each in saved] == [("missing_permissions", None)]
    await other.ok("DELETE", f"/users/@me/saved-messages/{said['id']}")
    assert await other.ok("GET", "/users/@me/saved-messages") == []
