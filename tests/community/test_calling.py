"""Which roles a message calls, which messages are one's own to change, and who may begin to talk, over a real server."""

from __future__ import annotations

from tests.community.actors import guild, person
from tests.community.gateway import GatewayClient
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


async def test_an_edit_calls_nobody_else(server: Server) -> None:
    owner, speaker = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(speaker)
    asked = await place.say(owner, "well?")
    reply = await place.say(speaker, "yes", message_reference={"message_id": asked["id"]})
    path = f"/channels/{place.text}/messages"

    async def named(message_id: str, body: dict[str, object]) -> list[str]:
        changed = await speaker.ok("PATCH", f"{path}/{message_id}", body)
        return [each["id"] for each in changed["mentions"]]

    assert await named(reply["id"], {"content": "yes!"}) == [owner.id]
    assert await named(reply["id"], {"content": "no", "allowed_mentions": {"replied_user": False}}) == []
    quiet = await place.say(speaker, f"<@{owner.id}>", allowed_mentions={"parse": []})
    assert quiet["mentions"] == []
    assert await named(quiet["id"], {"embeds": [{"title": "more"}]}) == []
    hook = await owner.ok("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    post = f"/webhooks/{hook['id']}/{hook['token']}"
    body = {"content": f"<@{owner.id}>", "allowed_mentions": {"parse": []}}
    said = await owner.ok("POST", f"{post}?wait=true", body)
    changed = await owner.ok("PATCH", f"{post}/messages/{said['id']}", {"embeds": [{"title": "more"}]})
    assert (said["mentions"], changed["mentions"], len(changed["embeds"])) == ([], [], 1)


async def test_nothing_is_told_of_reactions_that_were_not_there(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    said = await place.say(owner)
    path = f"/channels/{place.text}/messages/{said['id']}/reactions"
    async with GatewayClient(owner) as client:
        await client.identify()
        await owner.ok("DELETE", f"{path}/👍")
        await owner.ok("DELETE", path)
        await owner.ok("PUT", f"{path}/👍/@me")
        await client.event("MESSAGE_REACTION_ADD")
        assert not [each["t"] for each in client.seen if "REMOVE" in str(each.get("t"))]
        await owner.ok("DELETE", f"{path}/👍")
        assert (await client.event("MESSAGE_REACTION_REMOVE_EMOJI"))["emoji"]["name"] == "👍"
