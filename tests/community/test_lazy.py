"""What clients ask for of their guilds (op 14), and who hears who is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import Guild, Person, guild, person
from tests.community.gateway import GatewayClient
from tests.harness.server import Server, serve


@pytest.fixture(scope="module")
async def large(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server on which three members make a guild large."""
    settings = {
        "community.realtime.large_guild_members": 2,
        "community.realtime.passive_update_seconds": 0.5,
        "community.rate_limits.enabled": False,
    }
    directory: Path = tmp_path_factory.mktemp(f"lazy-{server_database}")
    async with serve(directory, database=server_database, settings=settings) as running:
        yield running


async def three(server: Server) -> tuple[Person, Person, Person, Guild]:
    owner, member, other = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member, other)
    return owner, member, other, place


async def ask(client: GatewayClient, place: Guild, **wanted: Any) -> None:
    """Tell what is wanted, and wait until it has been read."""
    await client.send(14, {"subscriptions": {place.id: wanted}})
    await client.send(1, client.sequence)
    while (await client.receive())["op"] != 11:
        pass


async def heard(client: GatewayClient, mark: str, place: Guild) -> list[str]:
    """The names of the events until the guild is called `mark`."""
    await place.owner.ok("PATCH", f"/guilds/{place.id}", {"name": mark})
    names = []
    async with asyncio.timeout(30):
        while True:
            payload = await client.receive(30)
            if payload["op"] != 0:
                continue
            if payload["t"] == "GUILD_UPDATE" and payload["d"]["name"] == mark:
                return names
            names.append(payload["t"])


async def test_a_passive_session_hears_what_concerns_it(large: Server) -> None:
    owner, member, _, place = await three(large)
    role = await place.role(0, member, mentionable=True)
    async with GatewayClient(member) as client:
        await client.identify()
        await place.say(owner, "while active")
        await client.event("MESSAGE_CREATE")
        await ask(client, place, active=False)
        last = await place.say(owner, "not for you")
        await owner.ok("POST", f"/channels/{place.text}/typing")
        await place.say(owner, f"<@{member.id}>", allowed_mentions={"parse": ["users"]})
        await place.say(owner, f"<@&{role}>", allowed_mentions={"parse": ["roles"]})
        await place.say(owner, "@everyone", allowed_mentions={"parse": ["everyone"]})
        await owner.ok("POST", f"/guilds/{place.id}/channels", {"name": "new", "type": 0})
        names = [each for each in await heard(client, "one", place) if each != "PASSIVE_UPDATES"]
        assert names == ["MESSAGE_CREATE"] * 3 + ["CHANNEL_CREATE"]
        async with asyncio.timeout(30):
            while place.text not in (news := await client.event("PASSIVE_UPDATES", 30))["channels"]:
                pass
        assert news["guild_id"] == place.id
        assert int(news["channels"][place.text]) >= int(last["id"])
        await ask(client, place, active=True)
        await place.say(owner, "active again")
        assert "MESSAGE_CREATE" in await heard(client, "two", place)


async def test_becoming_active_brings_the_whole_guild(large: Server) -> None:
    owner, member, _, place = await three(large)
    async with GatewayClient(member) as client:
        await client.identify()
        for wanted in ({"active": True}, {"sync": True}):
            await client.send(14, {"subscriptions": {place.id: wanted}})
            state = await client.event("GUILD_SYNC")
            assert state["id"] == place.id
            assert {channel["type"] for channel in state["channels"]} == {0, 2, 4}
        await client.send(14, {"subscriptions": {"1": {"sync": True}, "x": {}, place.id: {"members": ["?"]}}})
        await client.heartbeat()
        await place.say(owner)
        await client.event("MESSAGE_CREATE")


async def test_typing_can_be_declined(server: Server) -> None:
    owner, member, _, place = await three(server)
    async with GatewayClient(member) as client:
        await client.identify()
        await ask(client, place, typing=False)
        await owner.ok("POST", f"/channels/{place.text}/typing")
        assert "TYPING_START" not in await heard(client, "one", place)
        await ask(client, place, typing=True)
        await owner.ok("POST", f"/channels/{place.text}/typing")
        assert "TYPING_START" in await heard(client, "two", place)


async def test_in_a_large_guild_presence_is_told_to_followers(large: Server) -> None:
    owner, member, other, place = await three(large)
    async with GatewayClient(owner) as host, GatewayClient(member) as guest:
        await host.identify()
        await guest.identify()
        await ask(guest, place, members=[other.id])
        async with GatewayClient(other) as third:
            await third.identify(presence={"status": "dnd"})
            told = await guest.event("PRESENCE_UPDATE", 30)
            assert (told["user"]["id"], told["status"], told["guild_id"]) == (other.id, "dnd", place.id)
        assert (await guest.event("PRESENCE_UPDATE", 30))["status"] == "offline"
        assert "PRESENCE_UPDATE" not in await heard(host, "quiet", place)


async def test_in_a_small_guild_everybody_hears_who_comes_and_goes(server: Server) -> None:
    owner, member, other, _ = await three(server)
    async with GatewayClient(owner) as host:
        await host.identify()
        async with GatewayClient(member) as guest:
            await guest.identify(presence={"status": "offline"})
            async with GatewayClient(other) as third:
                await third.identify(presence={"status": "idle"})
                told = await host.event("PRESENCE_UPDATE", 30)
                assert (told["user"]["id"], told["status"]) == (other.id, "idle"), "who hides is not told of"
            told = await host.event("PRESENCE_UPDATE", 30)
            assert (told["user"]["id"], told["status"]) == (other.id, "offline")


async def test_friends_hear_each_other_wherever_they_are(server: Server) -> None:
    one, other = await person(server), await person(server)
    await one.ok("POST", f"/users/@me/relationships/{other.id}")
    await other.ok("PUT", f"/users/@me/relationships/{one.id}")
    async with GatewayClient(one) as first:
        assert (await first.identify())["presences"] == []
        async with GatewayClient(other) as second:
            (here,) = (await second.identify(presence={"status": "dnd"}))["presences"]
            assert (here["user"]["id"], here["status"]) == (one.id, "online")
            told = await first.event("PRESENCE_UPDATE", 30)
            assert (told["user"]["id"], told["status"]) == (other.id, "dnd")
            assert "guild_id" not in told
        assert (await first.event("PRESENCE_UPDATE", 30))["status"] == "offline"


async def test_the_list_of_members_follows_the_guild(server: Server) -> None:
    owner, member, other, place = await three(server)
    role = await place.role(0, member)
    await owner.ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"hoist": True})
    async with GatewayClient(owner) as host, GatewayClient(member) as guest:
        await host.identify()
        await guest.identify()
        await host.send(14, {"subscriptions": {place.id: {"member_list_channels": {place.text: [[0, 99]]}}}})

        async def until(expected: list[tuple[str, int]]) -> dict[str, Any]:
            async with asyncio.timeout(30):
                while True:
                    told = await host.event("GUILD_MEMBER_LIST_UPDATE", 30)
                    if [(group["id"], group["count"]) for group in told["groups"]] == expected:
                        return told

        told = await until([(role, 1), ("online", 1), ("offline", 1)])
        (window,) = told["ops"]
        assert (window["op"], window["range"]) == ("SYNC", [0, 99])
        lines = [line.get("group", {}).get("id") or line["member"]["user"]["id"] for line in window["items"]]
        assert lines == [role, member.id, "online", owner.id, "offline", other.id]
        assert (told["member_count"], told["online_count"]) == (3, 2)
        async with GatewayClient(other) as third:
            await third.identify()
            await until([(role, 1), ("online", 2)])
        await until([(role, 1), ("online", 1), ("offline", 1)])
        hidden = {"type": 1, "allow": "0", "deny": "1024"}
        await owner.ok("PUT", f"/channels/{place.text}/permissions/{member.id}", hidden)
        await until([("online", 1), ("offline", 1)])
        await owner.ok("DELETE", f"/guilds/{place.id}/members/{other.id}")
        assert (await until([("online", 1)]))["member_count"] == 1


async def test_nobody_is_shown_the_list_of_a_hidden_channel(server: Server) -> None:
    owner, member, _, place = await three(server)
    await owner.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": "1024"})
    async with GatewayClient(member) as client:
        await client.identify()
        await ask(
            client, place, member_list_channels={place.text: [[0, 9]], place.voice: [[0, "x"], [5, 1], 3]}
        )
        assert "GUILD_MEMBER_LIST_UPDATE" not in await heard(client, "done", place)
