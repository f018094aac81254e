"""What clients send that makes no sense, and what follows: an answer or a close code of the contract, never an accident."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import guild, person
from tests.community.gateway import GatewayClient
from tests.harness.server import Server, serve


async def answer(client: GatewayClient, *names: str) -> dict[str, Any]:
    """The next of these events, or the next refusal (op 12)."""
    async with asyncio.timeout(30):
        while True:
            payload = await client.receive(30)
            if payload["op"] == 12 or payload.get("t") in names:
                return payload


@pytest.mark.parametrize("guild_id", ["²", "9" * 30, "-1", -1, 10**30, "", "x", str(1 << 63)])
async def test_members_of_no_guild(server: Server, guild_id: Any) -> None:
    async with GatewayClient(await person(server)) as client:
        await client.identify()
        await client.send(8, {"guild_id": guild_id})
        assert (await answer(client))["d"]["code"] == "VOICE_GUILD_NOT_FOUND"
        await client.send(14, {"subscriptions": {str(guild_id): {"active": True, "members": [guild_id]}}})
        await client.heartbeat()


async def test_members_by_ids_and_names_that_cannot_be(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    async with GatewayClient(member) as client:
        await client.identify()
        for ids in (["9999999999999999999"], [10**30], ["²", "", "-5"], []):
            await client.send(8, {"guild_id": place.id, "user_ids": ids})
            assert (await answer(client, "GUILD_MEMBERS_CHUNK"))["d"]["members"] == []
        for query in ("\0", "\0" + member.username):
            await client.send(8, {"guild_id": place.id, "query": query, "limit": 1})
            assert len((await answer(client, "GUILD_MEMBERS_CHUNK"))["d"]["members"]) == 1
        for limit in (-1, -(10**30)):
            # As if it were none: everybody's list is not for everybody.
            await client.send(8, {"guild_id": place.id, "limit": limit})
            assert (await answer(client, "GUILD_MEMBERS_CHUNK"))["d"]["code"] == "VOICE_PERMISSION_DENIED"


async def test_a_resume_that_comes_too_late_leaves_no_connection_that_hears_nothing(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    async with GatewayClient(owner) as old, GatewayClient(owner) as new:
        await old.identify()
        await place.say(owner)
        await old.event("MESSAGE_CREATE")
        await old.heartbeat()
        new.session_id = old.session_id
        await new.resume(after=0)
        assert await new.receive() == {"op": 9, "d": False}
        assert await old.closed_with() == 4000


async def test_a_store_that_fails_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        owner = await person(server)
        place = await guild(owner)
        async with GatewayClient(owner) as client:
            await client.identify()
            for op, wanted in (
                (8, {"guild_id": place.id}),
                (14, {"subscriptions": {place.id: {"member_list_channels": {place.text: [[0, 9]]}}}}),
            ):
                await server.sandbox.fault("store", "unavailable", count=50)
                await client.send(op, wanted)
                assert (await answer(client))["d"]["code"] == "UNKNOWN_ERROR"
                await server.sandbox.clear()
            await client.send(8, {"guild_id": place.id})
            assert (await answer(client, "GUILD_MEMBERS_CHUNK"))["d"]["members"]
