"""Realtime never tells anybody what they could not read by REST, and forgets nobody who could.

A guild changes at random: overwrites, roles, who holds them, who is a member, which channels there are. Before each
message everybody is asked by REST whether they see its channel; in the end each client must have heard exactly those
messages, and must show exactly the channels that REST lists.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import Guild, Person, guild, person
from tests.community.gateway import GatewayClient
from tests.harness.server import serve

from flux.community.standing import rules

PEOPLE = 5
STEPS = 400 if os.environ.get("FLUX_LONG") else 70
SEEDS = range(8 if os.environ.get("FLUX_LONG") else 2)
VISIBILITY = (0, rules.VIEW_CHANNEL, rules.ADMINISTRATOR, rules.SEND_MESSAGES)
CHANNEL_EVENTS = {
    "MESSAGE_CREATE": "channel_id",
    "MESSAGE_UPDATE": "channel_id",
    "MESSAGE_DELETE": "channel_id",
    "TYPING_START": "channel_id",
    "CHANNEL_PINS_UPDATE": "channel_id",
    "MESSAGE_REACTION_ADD": "channel_id",
}


class Listener:
    """One person's client, reading all the time."""

    def __init__(self, who: Person) -> None:
        self.who = who
        self.client = GatewayClient(who)
        self.heard: list[tuple[str, str]] = []
        self.channels: dict[str, dict[str, Any]] = {}
        """As they were last told."""
        self.marks: set[str] = set()
        self.strange: list[str] = []
        self.news = asyncio.Condition()

    async def listen(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.client)
        for state in (await self.client.identify())["guilds"]:
            self._shown(state)
        task = asyncio.create_task(self._read())
        stack.callback(task.cancel)

    async def _read(self) -> None:
        while True:
            payload = await self.client.receive(600)
            if payload["op"] != 0:
                continue
            async with self.news:
                self._take(payload["t"], payload["d"])
                self.news.notify_all()

    def _shown(self, state: dict[str, Any]) -> None:
        self.channels = {channel["id"]: channel for channel in state["channels"]}

    def _take(self, name: str, data: Any) -> None:
        if name in CHANNEL_EVENTS:
            channel_id = data[CHANNEL_EVENTS[name]]
            if channel_id not in self.channels:
                self.strange.append(f"{name} in a channel that was never shown")
            if name == "MESSAGE_CREATE" and data["type"] == 0:
                self.heard.append((channel_id, data["content"]))
        elif name == "GUILD_CREATE":
            self._shown(data)
        elif name == "GUILD_DELETE":
            self.channels = {}
        elif name == "CHANNEL_CREATE":
            self.channels[data["id"]] = data
        elif name == "CHANNEL_DELETE":
            if data["id"] not in self.channels:
                self.strange.append("a channel went that was never shown")
            self.channels.pop(data["id"], None)
        elif name in ("CHANNEL_UPDATE", "CHANNEL_UPDATE_BULK"):
            for channel in data.get("channels", [data]):
                if channel["id"] not in self.channels:
                    self.strange.append("an update of a channel that was never shown")
                self.channels[channel["id"]] = channel
        elif name == "GUILD_ROLE_DELETE":
            for channel in self.channels.values():
                kept = [each for each in channel["permission_overwrites"] if each["id"] != data["role_id"]]
                channel["permission_overwrites"] = kept
        elif name == "GUILD_UPDATE":
            self.marks.add(data["name"])

    async def reads_up_to(self, mark: str) -> None:
        async with asyncio.timeout(30), self.news:
            await self.news.wait_for(lambda: mark in self.marks)


def settled(channels: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without what moves with each message."""
    found = {}
    for channel in channels:
        overwrites = sorted(channel["permission_overwrites"], key=lambda each: (each["type"], each["id"]))
        kept = {name: value for name, value in channel.items() if not name.startswith("last_")}
        found[channel["id"]] = {**kept, "permission_overwrites": overwrites}
    return found


class Chaos:
    """Random changes to one guild, and what each person should have heard."""

    def __init__(
        self, seed: int, place: Guild, people: list[Person], roles: list[str], channels: list[str]
    ) -> None:
        self.random = random.Random(seed)
        self.place = place
        self.owner = place.owner
        self.people = people
        self.roles = roles
        self.channels = channels
        self.away: set[str] = set()
        self.expected: dict[str, list[tuple[str, str]]] = {each.id: [] for each in people}
        self.said = 0

    async def step(self) -> None:
        verbs = [self.speak] * 8 + [self.overwrite] * 4 + [self.hold] * 3 + [self.change_role] * 2
        verbs += [self.put_into_category, self.put_into_category, self.replace_role]
        verbs += [self.come_or_go, self.add_channel, self.drop_channel, self.react]
        await self.random.choice(verbs)()

    async def sees(self, who: Person, channel_id: str) -> bool:
        answer = await who.call("GET", f"/channels/{channel_id}")
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200

    async def speak(self) -> None:
        channel_id = self.random.choice(self.channels)
        self.said += 1
        content = f"message {self.said}"
        for who in self.people:
            if await self.sees(who, channel_id):
                self.expected[who.id].append((channel_id, content))
        where = f"/channels/{channel_id}/messages"
        said = await self.owner.ok("POST", where, {"content": content})
        if self.random.random() < 0.3:
            await self.owner.ok("PATCH", f"{where}/{said['id']}", {"content": content + "!"})
        if self.random.random() < 0.2:
            await self.owner.ok("DELETE", f"{where}/{said['id']}")

    async def react(self) -> None:
        channel_id = self.random.choice(self.channels)
        await self.owner.ok("POST", f"/channels/{channel_id}/typing")

    async def overwrite(self) -> None:
        target, kind = self.random.choice(
            [(self.place.id, 0), *((role, 0) for role in self.roles), *((who.id, 1) for who in self.people)]
        )
        where = f"/channels/{self.random.choice(self.channels)}/permissions/{target}"
        if self.random.random() < 0.25:
            await self.owner.call("DELETE", where)
            return
        allow, deny = self.random.choice([(rules.VIEW_CHANNEL, 0), (0, rules.VIEW_CHANNEL), (0, 0)])
        await self.owner.ok("PUT", where, {"type": kind, "allow": str(allow), "deny": str(deny)})

    async def hold(self) -> None:
        who = self.random.choice(self.people)
        if who.id in self.away:
            return
        where = f"/guilds/{self.place.id}/members/{who.id}/roles/{self.random.choice(self.roles)}"
        await self.owner.ok(self.random.choice(["PUT", "DELETE"]), where)

    async def change_role(self) -> None:
        role = self.random.choice([*self.roles, self.place.id])
        permissions = self.random.choice(VISIBILITY[:2] if role == self.place.id else VISIBILITY)
        await self.owner.ok(
            "PATCH", f"/guilds/{self.place.id}/roles/{role}", {"permissions": str(permissions)}
        )

    async def come_or_go(self) -> None:
        who = self.random.choice(self.people)
        if who.id in self.away:
            await self.place.admit(who)
            self.away.discard(who.id)
        else:
            await self.owner.ok("DELETE", f"/guilds/{self.place.id}/members/{who.id}")
            self.away.add(who.id)

    async def add_channel(self) -> None:
        deny = self.random.choice([0, rules.VIEW_CHANNEL])
        hidden = [{"id": self.place.id, "type": 0, "allow": "0", "deny": str(deny)}]
        body = {"name": "room", "type": 0, "permission_overwrites": hidden}
        made = await self.owner.ok("POST", f"/guilds/{self.place.id}/channels", body)
        self.channels.append(made["id"])

    async def put_into_category(self) -> None:
        """With its permissions, which may hide or show several channels at once."""
        where = f"/channels/{self.place.category}/permissions/{self.place.id}"
        allow, deny = self.random.choice([(rules.VIEW_CHANNEL, 0), (0, rules.VIEW_CHANNEL)])
        await self.owner.ok("PUT", where, {"type": 0, "allow": str(allow), "deny": str(deny)})
        moved = self.random.sample(self.channels, min(len(self.channels), 2))
        places = [{"id": each, "parent_id": self.place.category, "lock_permissions": True} for each in moved]
        await self.owner.ok("PATCH", f"/guilds/{self.place.id}/channels", places)

    async def replace_role(self) -> None:
        at = self.random.randrange(len(self.roles))
        await self.owner.ok("DELETE", f"/guilds/{self.place.id}/roles/{self.roles[at]}")
        self.roles[at] = await self.place.role(self.random.choice(VISIBILITY))

    async def drop_channel(self) -> None:
        if len(self.channels) > 2:
            channel_id = self.channels.pop(self.random.randrange(1, len(self.channels)))
            await self.owner.ok("DELETE", f"/channels/{channel_id}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_who_hears_what_is_who_may_read_it(tmp_path: Path, database: str, seed: int) -> None:
    settings = {"community.rate_limits.enabled": False}
    async with serve(tmp_path, database=database, settings=settings) as server, AsyncExitStack() as stack:
        owner, *people = [await person(server) for _ in range(PEOPLE + 1)]
        place = await guild(owner)
        await place.admit(*people)
        roles = [await place.role(permissions) for permissions in (0, rules.VIEW_CHANNEL, 0)]
        chaos = Chaos(seed, place, people, roles, [place.text])
        await chaos.add_channel()
        listeners = [Listener(who) for who in people]
        for listener in listeners:
            await listener.listen(stack)
        for _ in range(STEPS):
            await chaos.step()
        for who in people:
            if who.id in chaos.away:
                await place.admit(who)
        await owner.ok("PATCH", f"/guilds/{place.id}", {"name": "the end"})
        for listener in listeners:
            await listener.reads_up_to("the end")
            assert listener.heard == chaos.expected[listener.who.id]
            shown = await listener.who.ok("GET", f"/guilds/{place.id}/channels")
            assert settled(listener.channels.values()) == settled(shown)
            assert listener.strange == []
        assert any(chaos.expected.values()), "nobody heard anything"
        assert any(len(each) < chaos.said for each in chaos.expected.values()), (
            "nothing was hidden from anybody"
        )
