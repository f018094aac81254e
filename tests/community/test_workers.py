"""Several processes on one PostgreSQL and one NATS: what happens in one is heard in all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.community.actors import guild, person
from tests.community.gateway import GatewayClient
from tests.harness.server import serve

CLIENTS = 8


async def test_events_reach_the_sessions_of_every_process(tmp_path: Path) -> None:
    async with serve(tmp_path, database="postgres", workers=2) as server, AsyncExitStack() as stack:
        owner, member = await person(server), await person(server)
        place = await guild(owner)
        clients = []
        for _ in range(CLIENTS):
            client = await stack.enter_async_context(GatewayClient(member))
            await client.identify()
            clients.append(client)
        await place.admit(member)
        for client in clients:
            assert (await client.event("GUILD_CREATE"))["id"] == place.id
        said = [await place.say(owner, f"message {number}") for number in range(10)]
        for client in clients:
            heard = []
            while len(heard) < len(said):
                message = await client.event("MESSAGE_CREATE")
                if message["type"] == 0:
                    heard.append(message["id"])
            assert heard == [each["id"] for each in said]
        temporary = await place.invite(temporary=True)
        guest = await person(server)
        async with GatewayClient(guest) as connected:
            await connected.identify()
            for _ in range(4):
                # Whichever process answers knows that the guest is connected to one of them, soon.
                other = await guild(owner)
                code = await other.invite(temporary=True)
                async with asyncio.timeout(30):
                    while not (await guest.call("POST", f"/invites/{code}")).is_success:
                        await asyncio.sleep(0.1)
            await guest.ok("POST", f"/invites/{temporary}")
        async with asyncio.timeout(30):
            while await guest.ok("GET", "/users/@me/guilds"):
                await asyncio.sleep(0.1)


async def test_a_room_that_missed_a_change_finds_out_at_the_next(tmp_path: Path) -> None:
    """Whoever lost sight of a channel while the event got lost is told as soon as the guild changes again."""
    # What is lost here stays lost for long enough: nobody tells it again.
    settings = {
        "community.rate_limits.enabled": False,
        "bus.retell_after_seconds": 600,
        "bus.retell_within_seconds": 1200,
    }
    async with serve(tmp_path, database="postgres", workers=2, settings=settings) as server:
        owner, member = await person(server), await person(server)
        place = await guild(owner)
        await place.admit(member)
        async with GatewayClient(member) as client:
            await client.identify()
            for _ in range(4):
                # A fault lies in one of the processes; whichever answers, sooner or later it is that one.
                await server.sandbox.fault("bus", "error")
                where = f"/channels/{place.text}/permissions/{place.id}"
                await owner.ok("PUT", where, {"type": 0, "allow": "0", "deny": "1024"})
                await server.sandbox.clear()
                await owner.ok("PATCH", f"/guilds/{place.id}", {"name": "Something else"})
                assert (await client.event("CHANNEL_DELETE", 30))["id"] == place.text
                await owner.ok("DELETE", where)
                assert (await client.event("CHANNEL_CREATE", 30))["id"] == place.text
