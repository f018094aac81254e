"""Somebody's presence changes while it is still looked up whom to tell: nobody hears the older one last."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from flux.community.announcing import Announcer, decoder
from flux.community.realtime.presence import Presence, State
from flux.community.realtime.statuses import Statuses
from flux.community.users.records import UserRow
from flux.kernel.bus.local import LocalBus
from flux.kernel.faults import Ports
from flux.kernel.store import SandboxClock

FRIEND, SOMEONE, GUILD, OTHER = 1, 2, 30, 31


class Users:
    async def find(self, user_id: int) -> UserRow:
        known: dict[str, Any] = dict.fromkeys(UserRow.__struct_fields__, 0)
        return UserRow(
            **known | {"id": user_id, "username": "someone", "discriminator": 7, "global_name": None}
        )


class Nothing:
    async def listing(self, _: int) -> list[Any]:
        return []


class Relationships:
    """Each question is answered when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Event] = []

    async def listing(self, _: int) -> list[Any]:
        gate = asyncio.Event()
        self.waiting.append(gate)
        await gate.wait()
        return [SimpleNamespace(id=str(FRIEND), type=1)]


async def test_the_newest_is_told_last_and_to_every_guild_that_was_to_hear() -> None:
    bus, relationships = LocalBus(Ports()), Relationships()
    heard: dict[str, list[str]] = {}

    def hear(subject: str, payload: bytes) -> None:
        told = decoder.decode(payload)
        if told.name == "PRESENCE_UPDATE":
            heard.setdefault(subject, []).append(msgspec.json.decode(told.data)["status"])

    bus.subscribe("community.>", hear)
    presence, rooms = Presence(bus, "here"), cast("Any", [Users(), relationships, Nothing()])
    users, friends, private = rooms
    statuses = Statuses(presence, SandboxClock(), users, friends, private, private, Announcer(bus))

    async def tell(status: str, guild_id: int) -> asyncio.Future[None]:
        presence.set(SOMEONE, State(status))
        telling = asyncio.ensure_future(statuses.tell(SOMEONE, [guild_id]))
        for _ in range(5):
            await asyncio.sleep(0)
        return telling

    under_way = [await tell("idle", GUILD), await tell("dnd", OTHER)]
    while relationships.waiting:
        relationships.waiting.pop().set()
        await asyncio.sleep(0.01)
    await asyncio.gather(*under_way)
    await bus.settle()
    guild, other, friend = f"community.guild.{GUILD}", f"community.guild.{OTHER}", f"community.user.{FRIEND}"
    assert heard == {guild: ["dnd"], other: ["dnd"], friend: ["dnd"]}
    last = await tell("online", GUILD)
    relationships.waiting.pop().set()
    await last
    await bus.settle()
    assert heard == {guild: ["dnd", "online"], other: ["dnd"], friend: ["dnd", "online"]}
