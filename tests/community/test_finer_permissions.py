"""Permissions that change what a call does rather than whether it may be made; and memberships that last as long as
somebody is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from tests.community.actors import Guild, Person, guild, person, unlimited
from tests.community.gateway import GatewayClient
from tests.community.pictures import form
from tests.harness.server import Server

from flux.community.standing import rules as bits

SPEAKS = bits.VIEW_CHANNEL | bits.SEND_MESSAGES


async def scene(server: Server, permissions: int) -> tuple[Guild, Person, str]:
    """A guild, a member who may just that, and their role."""
    owner, member = [await unlimited(await person(server)) for _ in range(2)]
    place = await guild(owner)
    await place.admit(member)
    await owner.ok("PATCH", f"/guilds/{place.id}/roles/{place.id}", {"permissions": "0"})
    return place, member, await place.role(permissions, member)


async def grant(place: Guild, role: str, permissions: int) -> None:
    await place.owner.ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"permissions": str(permissions)})


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():
            await asyncio.sleep(0.05)


async def test_slowmode_is_passed_with_its_own_permission_alone(server: Server) -> None:
    place, member, role = await scene(server, SPEAKS)
    await place.owner.ok("PATCH", f"/channels/{place.text}", {"rate_limit_per_user": 600})
    await place.say(member)
    path = f"/channels/{place.text}/messages"
    for permissions in (SPEAKS, SPEAKS | bits.MANAGE_MESSAGES | bits.MANAGE_CHANNELS):
        await grant(place, role, permissions)
        assert (await member.call("POST", path, {"content": "x"})).json()["code"] == "SLOWMODE_RATE_LIMITED"
    await grant(place, role, SPEAKS | bits.BYPASS_SLOWMODE)
    for _ in range(3):
        await place.say(member)
    for _ in range(2):
        await place.say(place.owner)


async def test_everybody_is_called_with_the_permission_alone(server: Server) -> None:
    place, member, role = await scene(server, SPEAKS)
    quiet = await place.role(0)
    words = f"@everyone @here <@&{quiet}>"
    said = await place.say(member, words)
    assert (said["mention_everyone"], said["mention_roles"]) == (False, [])
    await grant(place, role, SPEAKS | bits.MENTION_EVERYONE)
    said = await place.say(member, words)
    assert (said["mention_everyone"], said["mention_roles"]) == (True, [quiet])


async def test_who_has_no_history_answers_forwards_and_finds_nothing(server: Server) -> None:
    place, member, role = await scene(server, SPEAKS | bits.ADD_REACTIONS | bits.PIN_MESSAGES)
    said = await place.say(place.owner, "long ago")
    await place.owner.ok("PUT", f"/channels/{place.text}/pins/{said['id']}")
    path = f"/channels/{place.text}/messages"
    assert await member.ok("GET", path) == []
    assert await member.ok("GET", f"/channels/{place.text}/pins") == []
    assert (await member.ok("GET", f"{path}/pins"))["items"] == []
    told = [
        await member.call("GET", f"{path}/{said['id']}"),
        await member.call("POST", path, {"content": "x", "message_reference": {"message_id": said["id"]}}),
        await member.call("POST", path, {"message_reference": {"message_id": said["id"], "type": 1}}),
        await member.call("GET", f"{path}/{said['id']}/reactions/%F0%9F%91%8D"),
        await member.call(
            "POST", "/users/@me/saved-messages", {"channel_id": place.text, "message_id": said["id"]}
        ),
    ]
    assert [answer.json()["code"] for answer in told] == ["MISSING_PERMISSIONS"] * len(told)
    await grant(place, role, SPEAKS | bits.READ_MESSAGE_HISTORY)
    answer = {"content": "x", "message_reference": {"message_id": said["id"]}}
    assert (await member.ok("POST", path, answer))["referenced_message"]["content"] == "long ago"


async def test_files_need_their_permission_in_every_way_to_send_them(server: Server) -> None:
    place, member, role = await scene(server, SPEAKS)
    path = f"/channels/{place.text}/messages"
    said = await place.say(member)
    edited = form({"content": "x"}, ("a", b"x"))
    for method, at in (("POST", path), ("PATCH", f"{path}/{said['id']}")):
        refused = await member.call(method, at, files=edited)
        assert refused.json()["code"] == "MISSING_PERMISSIONS", method
    await grant(place, role, SPEAKS | bits.ATTACH_FILES)
    for method, at in (("POST", path), ("PATCH", f"{path}/{said['id']}")):
        assert (await member.call(method, at, files=edited)).status_code == 200


async def test_a_guest_by_a_temporary_invite_leaves_with_the_last_session(server: Server) -> None:
    owner, leaves, stays, comes_back = [await unlimited(await person(server)) for _ in range(4)]
    place = await guild(owner)
    code = await place.invite(temporary=True)
    assert (await leaves.call("POST", f"/invites/{code}")).json()[
        "code"
    ] == "TEMPORARY_INVITE_REQUIRES_PRESENCE"
    role = await place.role(0)

    async def is_member(who: Person) -> bool:
        return (await owner.call("GET", f"/guilds/{place.id}/members/{who.id}")).is_success

    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(GatewayClient(owner))
        await watcher.identify()
        clients = []
        for who in (leaves, leaves, stays, comes_back):
            client = await stack.enter_async_context(GatewayClient(who))
            await client.identify()
            clients.append(client)
            await who.ok("POST", f"/invites/{code}")
        await owner.ok("PUT", f"/guilds/{place.id}/members/{stays.id}/roles/{role}")
        one, other, third, dropped = clients
        dropped.drop()
        await third.close()
        await one.close()
        # What the server hears of those who went, it hears in this order; the last session of `leaves` is still there.
        await place.say(owner, "a moment later")
        assert await is_member(leaves)
        await other.close()
        await until(lambda: _not(is_member(leaves)))
        assert (await watcher.event("GUILD_MEMBER_REMOVE"))["user"]["id"] == leaves.id
        assert await is_member(stays), "a role keeps them"
        await dropped.connect()
        await dropped.resume()
        await dropped.event("RESUMED")
        assert await is_member(comes_back)
        again = await leaves.call("POST", f"/invites/{code}")
        assert again.json()["code"] == "TEMPORARY_INVITE_REQUIRES_PRESENCE"


async def _not(truth: Awaitable[bool]) -> bool:
    return not await truth


async def test_what_is_taken_back_calls_nobody_any_more(server: Server) -> None:
    """Unread mentions, across deleting one, several, and all of somebody's."""
    owner, member, loud = [await unlimited(await person(server)) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member, loud)
    path = f"/channels/{place.text}/messages"

    async def unread() -> int:
        async with GatewayClient(member) as client:
            states = (await client.identify())["read_states"]
        return sum(each["mention_count"] for each in states if each["id"] == place.text)

    said = [(await place.say(owner, f"<@{member.id}> {number}"))["id"] for number in range(4)]
    await place.say(loud, f"<@{member.id}> loudly")
    assert await unread() == 5
    await owner.ok("PATCH", f"{path}/{said[0]}", {"content": f"<@{member.id}> put otherwise"})
    assert await unread() == 5
    await owner.ok("DELETE", f"{path}/{said[0]}")
    assert await unread() == 4
    await owner.ok("POST", f"{path}/bulk-delete", {"message_ids": said[1:3]})
    assert await unread() == 2
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{loud.id}", {"delete_message_days": 1})
    assert await unread() == 1
    await member.ok("POST", f"{path}/{said[3]}/ack", {})
    assert await unread() == 0
    await owner.ok("DELETE", f"{path}/{said[3]}")
    assert await unread() == 0


async def test_who_comes_back_comes_as_a_newcomer(server: Server) -> None:
    """What was allowed to a member alone goes when they go: in the database, in the rooms, and for those who look on."""
    owner, member = [await unlimited(await person(server)) for _ in range(2)]
    place = await guild(owner)
    await place.admit(member)
    where = f"/channels/{place.text}"
    await owner.ok("PUT", f"{where}/permissions/{place.id}", {"type": 0, "deny": str(bits.VIEW_CHANNEL)})
    await owner.ok("PUT", f"{where}/permissions/{member.id}", {"type": 1, "allow": str(bits.VIEW_CHANNEL)})
    async with GatewayClient(owner) as watcher, GatewayClient(member) as client:
        await watcher.identify()
        await client.identify()
        await place.say(owner, "for you")
        assert (await client.event("MESSAGE_CREATE"))["content"] == "for you"
        await owner.ok("DELETE", f"/guilds/{place.id}/members/{member.id}")
        await client.event("GUILD_DELETE")
        told = (await watcher.event("CHANNEL_UPDATE"))["permission_overwrites"]
        assert told == (await owner.ok("GET", where))["permission_overwrites"]
        assert [each["id"] for each in told] == [place.id]
        await place.admit(member)
        shown = await client.event("GUILD_CREATE")
        assert place.text not in [each["id"] for each in shown["channels"]]
        assert (await member.call("GET", where)).json()["code"] == "MISSING_ACCESS"
        await place.say(owner, "not for you")
        await owner.ok("PATCH", f"/guilds/{place.id}", {"name": "Afterwards"})
        await client.event("GUILD_UPDATE")
        assert "not for you" not in str(client.seen)
