"""One account's sessions in several processes: each knows of all of them, and what ends or changes is told once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import Person, guild, person
from tests.community.gateway import GatewayClient
from tests.community.test_people import befriend
from tests.harness.server import Server, serve

SESSIONS = 6
"""So many that both processes have some."""


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    settings = {"community.rate_limits.enabled": False}
    directory: Path = tmp_path_factory.mktemp("presence-workers")
    async with serve(directory, database="postgres", workers=2, settings=settings) as running:
        yield running


async def sessions_of(client: GatewayClient, count: int) -> list[dict[str, Any]]:
    """SESSIONS_REPLACE as soon as it shows so many."""
    async with asyncio.timeout(30):
        while True:
            payload = await client.receive(30)
            if payload.get("t") == "SESSIONS_REPLACE" and len(payload["d"]) == count + 1:
                return list(payload["d"])


async def open_sessions(stack: AsyncExitStack, someone: Person) -> list[GatewayClient]:
    clients = []
    for _ in range(SESSIONS):
        client = await stack.enter_async_context(GatewayClient(someone))
        await client.identify()
        clients.append(client)
    return clients


async def test_every_session_hears_of_all_of_them(two: Server) -> None:
    someone = await person(two)
    async with AsyncExitStack() as stack:
        clients = await open_sessions(stack, someone)
        ids = {client.session_id for client in clients}
        for client in clients:
            shown = await sessions_of(client, SESSIONS)
            assert {each["session_id"] for each in shown} == {"all", *ids}
            assert set(shown[0]) == {"session_id", "status", "mobile", "afk"}
        await clients[0].send(3, {"status": "dnd", "mobile": True})
        for client in clients:
            async with asyncio.timeout(30):
                while (shown := await sessions_of(client, SESSIONS))[0]["status"] != "dnd":
                    pass
            assert {each["session_id"]: each["mobile"] for each in shown}[clients[0].session_id]
            assert shown[0]["mobile"]
        await clients[0].close()
        for client in clients[1:]:
            assert (await sessions_of(client, SESSIONS - 1))[0]["status"] == "online"
        # Whoever identifies now is told at once, wherever the others are.
        async with asyncio.timeout(30):
            while True:
                async with GatewayClient(someone) as fresh:
                    ready = await fresh.identify()
                    if len(ready["sessions"]) >= SESSIONS + 1:
                        break


async def test_what_ends_is_told_once(two: Server) -> None:
    """A custom status of all sessions, and a status chosen for a while: each process has a timer, one of them tells."""
    someone, watcher = await person(two), await person(two)
    await befriend(someone, watcher)
    place = await guild(watcher)
    await place.admit(someone)
    async with AsyncExitStack() as stack:
        witness = await stack.enter_async_context(GatewayClient(watcher))
        await witness.identify()
        clients = await open_sessions(stack, someone)
        await sessions_of(clients[0], SESSIONS)
        end = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
        worn = {"text": "soon over", "expires_at": end}
        await clients[0].send(3, {"status": "online", "custom_status": worn})
        told = await presences(witness, someone, lambda told: bool(told["custom_status"]), 2)
        assert [each["custom_status"]["text"] for each in told] == ["soon over"] * 2
        assert {each.get("guild_id") for each in told} == {None, place.id}
        await presences(witness, someone, lambda told: told["custom_status"] is None, 2)
        await someone.ok("PATCH", "/users/@me/settings", {"status": "dnd"})
        await presences(witness, someone, lambda told: told["status"] == "dnd", 2)
        await someone.ok("PATCH", "/users/@me/settings", {"status": "idle"})
        await presences(witness, someone, lambda told: told["status"] == "idle", 2)
        await witness.nothing("PRESENCE_UPDATE", seconds=1)


async def presences(witness: GatewayClient, someone: Person, fits: Any, count: int) -> list[dict[str, Any]]:
    """The next events about somebody, one to the friend and one to each guild, which must be so many. Once one of them is like
    that, none of its kind may be otherwise: only of one kind do events keep their order between processes."""
    found: dict[str | None, dict[str, Any]] = {}
    async with asyncio.timeout(30):
        while len(found) < count:
            told = await witness.event("PRESENCE_UPDATE", 30)
            kind = told.get("guild_id")
            if told["user"]["id"] == someone.id and (kind in found or fits(told)):
                assert kind not in found, told
                found[kind] = told
    return list(found.values())
