"""Which roles a message calls, which messages are one's own to change, and who may begin to talk, over a real server."""

from __future__ import annotations

from tests.community.actors import guild, person
from tests.harness.server import Server

EVERYBODY_MENTIONS = 1 << 17


async def test_only_mentionable_roles_of_the_guild_are_called(server: Server) -> None:
    owner, speaker, called = [await person(server) for _ in range(3)]
    place, elsewhere = await guild(owner), await guild(owner)
    await place.admit(speaker, called)
    quiet, loud = await place.role(0, called), await place.role(0, called)
    foreign = await elsewhere.role(0)
    await owner.ok("PATCH", f"/guilds/{place.id}/roles/{loud}", {"mentionable": True})
    text = " ".join(f"<@&{role}>" for role in (quiet, loud, foreign, place.id, "1"))
    said = await place.say(speaker, text)
    assert said["mention_roles"] == [loud]
    path = f"/channels/{place.text}/messages/{said['id']}"
    edited = await speaker.ok("PATCH", path, {"content": f"<@&{quiet}> <@&{foreign}>"})
    assert edited["mention_roles"] == []
    only = await place.say(speaker, f"<@&{quiet}>")
    heard = {each["id"] for each in await called.ok("GET", "/users/@me/mentions")}
    assert (said["id"] in heard, only["id"] in heard) == (True, False)
    assert (await place.say(owner, text))["mention_roles"] == [quiet, loud]
    await place.role(EVERYBODY_MENTIONS, speaker)
    assert (await place.say(speaker, text))["mention_roles"] == [quiet, loud]
    hook = await owner.ok("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    path = f"/webhooks/{hook['id']}/{hook['token']}?wait=true"
    assert (await owner.ok("POST", path, {"content": text}))["mention_roles"] == [quiet, loud]
    assert (await owner.ok("POST", f"/channels/{owner.id}/messages", {"content": text}))[
        "mention_roles"
    ] == []


async def test_what_the_system_says_in_ones_name_cannot_be_changed(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    (welcome,) = await other.ok("GET", f"/channels/{place.text}/messages")
    assert (welcome["type"], welcome["author"]["id"]) == (7, other.id)
    refused = await other.call("PATCH", f"/channels/{place.text}/messages/{welcome['id']}", {"content": "x"})
    assert refused.json()["code"] == "CANNOT_EDIT_OTHER_USER_MESSAGE"


async def test_who_is_not_verified_enough_opens_no_conversation_by_the_guild(server: Server) -> None:
    owner, new = await person(server), await person(server, verified=False)
    place = await guild(owner)
    await place.admit(new)
    await owner.ok("PATCH", f"/guilds/{place.id}", {"verification_level": 1})
    body = {"recipient_id": owner.id}
    refused = await new.call("POST", "/users/@me/channels", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "EMAIL_VERIFICATION_REQUIRED")
    open_place = await guild(owner)
    await open_place.admit(new)
    await new.ok("POST", "/users/@me/channels", body)


async def test_who_is_not_in_a_group_changes_nothing_of_it(server: Server) -> None:
    owner, outsider = await person(server), await person(server)
    group = (await owner.ok("POST", "/users/@me/channels", {"recipients": []}))["id"]
    for method, path in (
        ("PATCH", f"/channels/{group}"),
        ("DELETE", f"/channels/{group}"),
        ("PUT", f"/channels/{group}/recipients/{outsider.id}"),
        ("DELETE", f"/channels/{group}/recipients/{owner.id}"),
    ):
        refused = await outsider.call(method, path, {"name": "mine"} if method == "PATCH" else None)
        assert refused.json()["code"] == "MISSING_ACCESS", (method, path)
    assert (await outsider.call("GET", f"/channels/{group}")).json()["code"] == "UNKNOWN_CHANNEL"
    assert (await owner.ok("GET", f"/channels/{group}"))["name"] is None
