"""Who is how: one status over several sessions, what an account chose for them all, and what it shows beside its name."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.community.actors import Person, guild, person
from tests.community.gateway import PROPERTIES, GatewayClient
from tests.community.test_people import befriend
from tests.harness.server import Server, serve


async def friends(server: Server) -> tuple[Person, Person]:
    one, other = await person(server), await person(server)
    await befriend(one, other)
    return one, other


async def seen(client: GatewayClient, **expected: Any) -> dict[str, Any]:
    """The next presence of anybody, which must be like that."""
    told = await client.event("PRESENCE_UPDATE", 30)
    assert {name: told[name] for name in expected} == expected, told
    return told


async def test_of_several_sessions_the_most_present_counts(server: Server) -> None:
    one, watcher = await friends(server)
    async with GatewayClient(watcher) as witness, GatewayClient(one) as desk, GatewayClient(one) as phone:
        await witness.identify()
        await desk.identify(presence={"status": "idle", "afk": True})
        await seen(witness, status="idle", afk=True, mobile=False)
        await phone.identify(presence={"status": "online", "mobile": True})
        await seen(witness, status="online", afk=False, mobile=True)
        await desk.send(3, {"status": "dnd"})
        await seen(witness, status="dnd")
        await desk.send(3, {"status": "offline"})
        await seen(witness, status="online")
        await phone.send(3, {"status": "invisible", "mobile": True})
        await seen(witness, status="offline", mobile=False, afk=False, custom_status=None)
        fresh = GatewayClient(watcher)
        await fresh.connect()
        assert (await fresh.identify())["presences"] == []
        await fresh.close()


async def test_a_chosen_status_holds_for_every_session_and_comes_back(server: Server) -> None:
    one, watcher = await friends(server)
    async with GatewayClient(watcher) as witness:
        await witness.identify()
        async with GatewayClient(one) as first, GatewayClient(one) as second:
            await first.identify()
            await seen(witness, status="online")
            await second.identify(presence={"status": "idle"})
            await one.ok("PATCH", "/users/@me/settings", {"status": "dnd"})
            await seen(witness, status="dnd")
            shown = await replaced(first, "dnd")
            assert {each["status"] for each in shown} == {"dnd"} and len(shown) == 3
            await one.ok("PATCH", "/users/@me/settings", {"theme": "light"})
            await second.send(3, {"status": "invisible"})
            await first.send(3, {"status": "idle"})
            await seen(witness, status="idle")
            await one.ok("PATCH", "/users/@me/settings", {"custom_status": {"text": "lunch"}})
            told = await seen(witness, status="idle")
            assert told["custom_status"]["text"] == "lunch"
        await seen(witness, status="offline", custom_status=None)
        async with GatewayClient(one) as again:
            ready = await again.identify()
            assert {each["status"] for each in ready["sessions"]} == {"dnd"}
            assert (await seen(witness, status="dnd"))["custom_status"]["text"] == "lunch"


async def replaced(client: GatewayClient, status: str) -> list[dict[str, Any]]:
    """The sessions, as soon as they are like that all together."""
    while True:
        payload = await client.receive(30)
        if payload["op"] == 0 and payload["t"] == "SESSIONS_REPLACE" and payload["d"][0]["status"] == status:
            return list(payload["d"])


async def test_a_custom_status_is_worn_by_all_sessions_and_ends(server: Server) -> None:
    one, watcher = await friends(server)
    place = await guild(watcher)
    await place.admit(one)
    async with GatewayClient(watcher) as witness, GatewayClient(one) as first:
        await witness.identify()
        await first.identify(
            presence={"status": "online", "custom_status": {"text": " busy ", "emoji_name": "🔥"}}
        )
        told = await witness.event("PRESENCE_UPDATE")
        while told["custom_status"] is None:
            told = await witness.event("PRESENCE_UPDATE")
        assert told["custom_status"] == {
            "text": "busy", "expires_at": None, "emoji_id": None, "emoji_name": "🔥", "emoji_animated": False,
        }  # fmt: skip
        late = GatewayClient(watcher)
        await late.connect()
        (known,) = (await late.identify())["presences"]
        assert known["custom_status"]["text"] == "busy"
        await late.send(8, {"guild_id": place.id, "user_ids": [one.id], "presences": True})
        (chunked,) = (await late.event("GUILD_MEMBERS_CHUNK"))["presences"]
        assert (chunked["user"]["id"], chunked["custom_status"]["text"]) == (one.id, "busy")
        await late.close()
        await first.send(3, {"status": "online", "custom_status": None})
        told = await witness.event("PRESENCE_UPDATE")
        while told["custom_status"] is not None:
            told = await witness.event("PRESENCE_UPDATE")
        for wrong in ("x", {"text": 5}, {"expires_at": "soon"}):
            broken = GatewayClient(one)
            await broken.connect()
            await broken.send(
                2, {"token": broken.token, "properties": PROPERTIES, "presence": {"custom_status": wrong}}
            )
            assert await broken.closed_with() == 4002
            await broken.close()


async def test_what_is_chosen_for_a_while_is_over_in_time(server: Server) -> None:
    one, watcher = await friends(server)
    said = await one.ok("POST", f"/channels/{one.id}/messages", {"content": "what time is it?"})
    now = int(datetime.fromisoformat(said["timestamp"]).timestamp() * 1000)
    async with GatewayClient(watcher) as witness, GatewayClient(one) as first:
        await witness.identify()
        await first.identify()
        await seen(witness, status="online")
        body = {"status": "dnd", "status_resets_at": now + 20_000, "status_resets_to": "idle"}
        changed = await one.ok("PATCH", "/users/@me/settings", body)
        assert changed["status_resets_at"].endswith("Z")
        await seen(witness, status="dnd")
        await server.sandbox.clock(25)
        await seen(witness, status="idle")
        after = await one.ok("GET", "/users/@me/settings")
        assert (after["status"], after["status_resets_at"], after["status_resets_to"]) == ("idle", None, None)
    refused = await one.call("PATCH", "/users/@me/settings", {"status_resets_at": "soon"})
    assert refused.json()["errors"][0]["path"] == "status_resets_at"


async def now_of(server: Server, one: Person) -> datetime:
    """What time it is there."""
    said = await one.ok("POST", f"/channels/{one.id}/messages", {"content": "what time is it?"})
    return datetime.fromisoformat(said["timestamp"])


async def test_what_a_client_wears_for_a_while_is_over_in_time(server: Server) -> None:
    """At the end of the last one it wore, not of those before, and of nothing that it put on without an end."""
    one, watcher = await friends(server)
    async with GatewayClient(watcher) as witness, GatewayClient(one) as first:
        await witness.identify()
        await first.identify()
        await seen(witness, status="online")
        now = await now_of(server, one)
        for text, seconds in (("first", 20), ("second", 60)):
            end = (now + timedelta(seconds=seconds)).isoformat()
            await first.send(3, {"status": "online", "custom_status": {"text": text, "expires_at": end}})
            assert (await seen(witness))["custom_status"]["text"] == text
        await server.sandbox.clock(30)
        await witness.heartbeat()
        await witness.nothing("PRESENCE_UPDATE")
        await first.heartbeat()
        await server.sandbox.clock(31)
        await seen(witness, status="online", custom_status=None)
        await first.send(3, {"status": "idle"})
        await seen(witness, status="idle", custom_status=None)


async def test_an_end_holds_over_a_restart(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        one, watcher = await friends(server)
        end = (await now_of(server, one) + timedelta(seconds=120)).isoformat()
        chosen = {"text": "chosen", "expires_at": end}
        await one.ok("PATCH", "/users/@me/settings", {"custom_status": chosen})
        server.kill()
        await server.restart()
        async with GatewayClient(watcher) as witness, GatewayClient(one) as first:
            await witness.identify()
            await first.identify()
            assert (await seen(witness))["custom_status"]["text"] == "chosen"
            for _ in range(4):
                await server.sandbox.clock(31)
                for client in (witness, first):
                    await client.heartbeat()
            await seen(witness, status="online", custom_status=None)
            settings = await one.ok("GET", "/users/@me/settings")
            assert settings["custom_status"] is None
