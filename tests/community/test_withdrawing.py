"""Everything somebody said, deleted when they ask for it, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.community.actors import PASSWORD, Person, admin, guild, person, unlimited
from tests.community.gateway import GatewayClient
from tests.harness.server import Server, serve

PATH = "/users/@me/messages/delete"
DAY = 86_400


async def pending(someone: Person) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await someone.ok("GET", "/users/@me"))["pending_bulk_message_deletion"]
    return found


async def gone(someone: Person) -> None:
    for _ in range(400):
        if await pending(someone) is None:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the messages were never deleted")


async def test_all_that_one_said_is_deleted_a_day_later(server: Server) -> None:
    owner, talker, friend = [await unlimited(await person(server)) for _ in range(3)]
    place = await guild(owner)
    await place.admit(talker)
    for number in range(3):
        await place.say(talker, f"number {number}")
    kept = await place.say(owner, "mine stays")
    await talker.ok("POST", f"/users/@me/relationships/{friend.id}")
    await friend.ok("PUT", f"/users/@me/relationships/{talker.id}", {})
    direct = (await talker.ok("POST", "/users/@me/channels", {"recipient_id": friend.id}))["id"]
    await talker.ok("POST", f"/channels/{direct}/messages", {"content": "psst"})
    refused = await talker.call("POST", PATH, {})
    assert refused.json()["code"] == "SUDO_MODE_REQUIRED"
    assert await pending(talker) is None
    async with GatewayClient(talker) as own:
        await own.identify()
        assert (await talker.call("POST", PATH, {"password": PASSWORD})).status_code == 204
        waiting = await pending(talker)
        assert waiting is not None
        assert (waiting["channel_count"], waiting["message_count"]) == (2, 5)  # its arrival counts
        told = await own.event("USER_UPDATE")
        assert told["pending_bulk_message_deletion"] == waiting
        shown = (await admin(server).ok("POST", "/admin/users/lookup", {"user_ids": [talker.id]}))["users"][0]
        assert shown["pending_bulk_message_deletion_at"] == waiting["scheduled_at"]
    await talker.ok("POST", PATH, {"password": PASSWORD})
    assert await pending(talker) == waiting
    await server.sandbox.clock(DAY + 60)
    await gone(talker)
    left = await owner.ok("GET", f"/channels/{place.text}/messages")
    assert [each["id"] for each in left] == [kept["id"]]
    assert await friend.ok("GET", f"/channels/{direct}/messages") == []


async def test_those_who_saw_it_are_told(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"community.message_deletion_hours": 0}) as server:
        owner, talker, friend = [await person(server) for _ in range(3)]
        place = await guild(owner)
        await place.admit(talker)
        said = await place.say(talker)
        await talker.ok("POST", f"/users/@me/relationships/{friend.id}")
        await friend.ok("PUT", f"/users/@me/relationships/{talker.id}", {})
        direct = (await talker.ok("POST", "/users/@me/channels", {"recipient_id": friend.id}))["id"]
        secret = await talker.ok("POST", f"/channels/{direct}/messages", {"content": "psst"})
        async with GatewayClient(owner) as client, GatewayClient(friend) as other:
            await client.identify()
            await other.identify()
            await talker.ok("POST", PATH, {"password": PASSWORD})
            bulk = await client.event("MESSAGE_DELETE_BULK")
            assert (bulk["channel_id"], bulk["guild_id"]) == (place.text, place.id)
            assert said["id"] in bulk["ids"]
            assert await other.event("MESSAGE_DELETE_BULK") == {"ids": [secret["id"]], "channel_id": direct}


async def test_one_may_think_better_of_it(server: Server) -> None:
    someone = await person(server)
    place = await guild(someone)
    said = await place.say(someone)
    assert (await someone.call("DELETE", PATH)).json() == {"success": True}
    await someone.ok("POST", PATH, {"password": PASSWORD})
    assert (await someone.call("DELETE", PATH)).json() == {"success": True}
    assert await pending(someone) is None
    await server.sandbox.clock(DAY + 60)
    late = await person(server)
    await late.ok("POST", PATH, {"password": PASSWORD})
    await server.sandbox.clock(DAY + 60)
    await gone(late)
    assert (await someone.ok("GET", f"/channels/{place.text}/messages"))[0]["id"] == said["id"]
