"""A worker is killed after its commits and before it told anybody: the clients of the other one hear of them, once each.

The worker's bus is held up first (a `bus` fault that delays), so that everything was answered and nothing was told when it dies.
"""

from __future__ import annotations

import asyncio
import copy
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest
from tests.community.actors import Actor, Guild, Person, admin, guild, person, stranger
from tests.community.gateway import GatewayClient
from tests.community.houses import worker_behind, worker_of
from tests.harness.server import Sandbox, Server, serve

SETTINGS = {"community.rate_limits.enabled": False, "community.limits.login_per_ip": "0"}
SECONDS = 60.0
HELD_UP = 20.0
"""Longer than what is done meanwhile takes; a worker that was held up by mistake works again in time."""
A = TypeVar("A", bound=Actor)


class Worker:
    """One of the workers, reached over one connection."""

    def __init__(self, server: Server) -> None:
        self._server = copy.copy(server)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=600)
        self._server.http = server.client(limits=limits)
        self._server.sandbox = Sandbox(self._server.http, server.sandbox.headers)
        self.pid = 0

    async def find(self) -> int:
        answer = await self._server.http.get("/health")
        stream = answer.extensions["network_stream"]
        self.pid = worker_behind(self._server, stream.get_extra_info("client_addr")[1]) or 0
        return self.pid

    def by(self, someone: A) -> A:
        """The same person, calling this worker."""
        same = copy.copy(someone)
        same.server = self._server
        return same

    async def hold_up(self, place: Guild, other: Worker, seconds: float) -> None:
        """Whatever is published here waits. A fault is armed in every worker: what is typed here meets it, the other one's
        is taken back."""
        await self._server.sandbox.fault("bus", "delay", 1, seconds)
        await self.by(place.owner).ok("POST", f"/channels/{place.text}/typing")
        await other._server.sandbox.clear()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        await self._server.http.aclose()


async def client_at(worker: Worker, someone: Person, stack: AsyncExitStack) -> GatewayClient:
    """Identified."""
    async with asyncio.timeout(SECONDS):
        while True:
            client = GatewayClient(someone)
            await client.connect()
            if worker_of(someone.server, client) == worker.pid:
                stack.push_async_callback(client.close)
                await client.identify()
                return client
            await client.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serve(tmp_path, database="postgres", workers=2, settings=SETTINGS) as running:
        yield running


@pytest.fixture
async def both(server: Server) -> AsyncIterator[tuple[Worker, Worker]]:
    """The one that is to fail, and the other."""
    near, far = Worker(server), Worker(server)
    await near.find()
    async with asyncio.timeout(SECONDS):
        while await far.find() == near.pid:
            await far.close()
            far = Worker(server)
    yield near, far
    await near.close()
    await far.close()


def of(place: Guild, message: dict[str, Any]) -> str:
    return f"/channels/{place.text}/messages/{message['id']}"


async def react(someone: Actor, place: Guild, message: dict[str, Any], emoji: str) -> None:
    await someone.ok("PUT", f"{of(place, message)}/reactions/{emoji}/@me")


def told(client: GatewayClient, name: str) -> list[dict[str, Any]]:
    return [each["d"] for each in client.seen if each.get("t") == name]


def heard(client: GatewayClient) -> Counter[str]:
    return Counter(str(each["t"]) for each in client.seen if each["op"] == 0)


async def until_told(server: Server) -> None:
    """Nothing waits to be told."""
    connection = await asyncpg.connect(server.command[server.command.index("--database") + 1])
    try:
        async with asyncio.timeout(SECONDS):
            while await connection.fetchval("SELECT COUNT(*) FROM untold"):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def test_what_a_killed_worker_did_is_heard_once(server: Server, both: tuple[Worker, Worker]) -> None:
    near, far = both
    owner, member, guest = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member)
    doomed = await place.say(owner, "doomed")
    role, code = await place.role(0), await place.invite()
    other = copy.copy(member)
    other.authorization = (await member.login()).json()["token"]
    async with AsyncExitStack() as stack:
        listener, leaving, arriving = [
            await client_at(far, someone, stack) for someone in (member, other, guest)
        ]
        await until_told(server)  # what is retold may be from before a client came
        await near.hold_up(place, far, HELD_UP)
        said = await place.say(near.by(owner), "said")
        await near.by(owner).ok("DELETE", f"/channels/{place.text}/messages/{doomed['id']}")
        await near.by(owner).ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"name": "renamed"})
        await near.by(other).ok("POST", "/auth/logout")
        await near.by(guest).ok("POST", f"/invites/{code}")
        banned = stranger(server)
        await near.by(admin(server)).ok("POST", "/admin/bans/ip/add", {"ip": banned.address})
        near.kill()
        assert (await listener.event("MESSAGE_CREATE", SECONDS))["id"] == said["id"]
        assert (await listener.event("MESSAGE_DELETE", SECONDS))["id"] == doomed["id"]
        assert (await listener.event("GUILD_ROLE_UPDATE", SECONDS))["role"]["name"] == "renamed"
        assert (await listener.event("GUILD_MEMBER_ADD", SECONDS))["user"]["id"] == guest.id
        assert (await arriving.event("GUILD_CREATE", SECONDS))["id"] == place.id
        assert await asyncio.wait_for(leaving.closed_with(), SECONDS) == 4004
        await until_told(server)
        async with asyncio.timeout(SECONDS):
            while (await far.by(banned).call("GET", "/users/@me")).status_code != 403:
                await asyncio.sleep(0.05)
        last = await place.say(far.by(owner), "last")
        for client in (listener, arriving):
            while (await client.event("MESSAGE_CREATE", SECONDS))["id"] != last["id"]:
                pass
        counted = heard(listener)
        assert counted["MESSAGE_DELETE"] == counted["GUILD_ROLE_UPDATE"] == counted["GUILD_MEMBER_ADD"] == 1
        ids = Counter(each["id"] for each in told(listener, "MESSAGE_CREATE"))
        assert set(ids.values()) == {1}
        assert heard(arriving)["GUILD_CREATE"] == 1


async def test_what_a_slow_worker_did_is_heard_once(server: Server, both: tuple[Worker, Worker]) -> None:
    """The other one tells it first, and its own comes after."""
    near, far = both
    owner = await person(server)
    place = await guild(owner)
    async with AsyncExitStack() as stack:
        listener = await client_at(far, owner, stack)
        await near.hold_up(place, far, 5.0)
        said = [await place.say(near.by(owner), f"message {number}") for number in range(3)]
        for each in said:
            assert (await listener.event("MESSAGE_CREATE", SECONDS))["id"] == each["id"]
        await until_told(server)
        last = await place.say(near.by(owner), "behind what was held up")
        assert (await listener.event("MESSAGE_CREATE", SECONDS))["id"] == last["id"]
        assert heard(listener)["TYPING_START"] == 1, "it was held up as well, and has come"
        assert heard(listener)["MESSAGE_CREATE"] == 4


async def test_what_is_told_late_is_what_is_true_by_then(server: Server, both: tuple[Worker, Worker]) -> None:
    """What the killed worker did was changed or undone through the other one before anybody heard of it."""
    near, far = both
    owner, member, guest = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member)
    role, code = await place.role(0), await place.invite()
    known, cleared = await place.say(owner, "known"), await place.say(owner, "cleared")
    await react(owner, place, cleared, "👍")
    before, after = near.by(owner), far.by(owner)
    async with AsyncExitStack() as stack:
        await until_told(server)
        await near.hold_up(place, far, HELD_UP)
        listener = await client_at(far, owner, stack)
        edited = await place.say(before, "first")
        gone = await place.say(before, "gone")
        await react(before, place, known, "👎")
        await before.ok("DELETE", f"{of(place, cleared)}/reactions")
        await before.ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"name": "first"})
        await before.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": "1024"})
        await before.ok("DELETE", f"/guilds/{place.id}/members/{member.id}")
        await before.ok("PATCH", "/users/@me/settings", {"locale": "de"})
        await before.ok("PUT", f"/guilds/{place.id}/bans/{guest.id}", {})
        await after.ok("PATCH", of(place, edited), {"content": "second"})
        await after.ok("DELETE", of(place, gone))
        await after.ok("DELETE", f"{of(place, known)}/reactions/👎/@me")
        await react(after, place, cleared, "🎉")
        await after.ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"name": "second"})
        await after.ok("DELETE", f"/channels/{place.text}/permissions/{place.id}")
        await far.by(member).ok("POST", f"/invites/{code}")
        await after.ok("PATCH", "/users/@me/settings", {"locale": "fr"})
        await after.ok("DELETE", f"/guilds/{place.id}/bans/{guest.id}")
        returned = await client_at(far, member, stack)
        near.kill()
        await until_told(server)
        last = await place.say(after, "last")
        for client in (listener, returned):
            while (await client.event("MESSAGE_CREATE", SECONDS))["id"] != last["id"]:
                pass
    said = [each for each in told(listener, "MESSAGE_CREATE") if each["type"] == 0]
    assert [(each["id"], each["content"]) for each in said] == [
        (edited["id"], "second"),
        (last["id"], "last"),
    ]
    assert [each["id"] for each in told(listener, "MESSAGE_DELETE")] == [gone["id"]]
    assert known["id"] not in [each["message_id"] for each in told(listener, "MESSAGE_REACTION_ADD")]
    assert not told(listener, "MESSAGE_REACTION_REMOVE_ALL")
    shown = [each["reactions"] for each in told(listener, "MESSAGE_UPDATE") if each["id"] == cleared["id"]]
    assert [[each["emoji"]["name"] for each in reactions] for reactions in shown] == [["🎉"]]
    assert {each["role"]["name"] for each in told(listener, "GUILD_ROLE_UPDATE")} == {"second"}
    assert {each["locale"] for each in told(listener, "USER_SETTINGS_UPDATE")} == {"fr"}
    assert not told(listener, "GUILD_BAN_ADD")
    assert not told(listener, "GUILD_MEMBER_REMOVE")
    assert not told(returned, "CHANNEL_DELETE")
    assert not told(returned, "GUILD_DELETE")
