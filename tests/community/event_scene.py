"""A guild with a room that not everybody sees, and everybody there is, listening.

`owner` owns it; `seer` has the role that sees the secret room; `warden` moderates, yet does not see it; `blind` is a plain
member; `outsider` is no member, but the owner's friend and in a group conversation with them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.community.actors import Actor, Guild, Person, guild, person, unlimited
from tests.community.gateway import GatewayClient
from tests.harness.server import Server

from flux.community.standing import rules

SECONDS = 30.0
BEAT_SECONDS = 15.0
Fits = Callable[[Any], bool]
_numbers = itertools.count(1)


class Ear:
    """Somebody's client, reading all the time."""

    def __init__(self, who: Actor) -> None:
        self.who = who
        self.client = GatewayClient(who)
        self.ready: dict[str, Any] = {}
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Condition()

    async def open(self, stack: AsyncExitStack, **options: Any) -> None:
        await stack.enter_async_context(self.client)
        self.ready = await self.client.identify(**options)
        for work in (self._read(), self._beat()):
            stack.callback(asyncio.create_task(work).cancel)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.client.send(1, self.client.sequence)

    async def _read(self) -> None:
        while True:
            payload = await self.client.receive(3600)
            async with self._news:
                if payload["op"] == 0:
                    self.heard.append((payload["t"], payload["d"]))
                self._news.notify_all()

    def has_heard(self, name: str, fits: Fits) -> bool:
        return any(heard == name and fits(data) for heard, data in self.heard)

    async def hears(self, name: str, fits: Fits) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(lambda: self.has_heard(name, fits))

    async def catches_up(self) -> None:
        """Whatever was told to this session before has been heard."""
        note = f"mark {next(_numbers)}"
        await self.who.ok("PUT", f"/users/@me/notes/{self.who.id}", {"note": note})
        await self.hears("USER_NOTE_UPDATE", lambda data: data["note"] == note)

    async def asks(self, place: Guild, **wanted: Any) -> None:
        await self.client.send(14, {"subscriptions": {place.id: wanted}})


@dataclass
class Scene:
    place: Guild
    owner: Person
    seer: Person
    warden: Person
    blind: Person
    outsider: Person
    role: str = ""
    secret: str = ""
    group: str = ""
    ears: dict[str, Ear] = field(default_factory=dict)

    @property
    def people(self) -> dict[str, Person]:
        names = ("owner", "seer", "warden", "blind", "outsider")
        return {name: getattr(self, name) for name in names}

    async def readers(self, path: str) -> set[str]:
        """Who may read that by REST."""
        return {name for name, who in self.people.items() if (await who.call("GET", path)).is_success}

    async def in_secret(self) -> set[str]:
        return await self.readers(f"/channels/{self.secret}")

    async def in_guild(self, what: str = "") -> set[str]:
        return await self.readers(f"/guilds/{self.place.id}{what}")

    async def say(self, content: str = "psst", channel: str = "") -> str:
        where = f"/channels/{channel or self.secret}/messages"
        return str((await self.owner.ok("POST", where, {"content": content}))["id"])

    async def hidden_room(self, name: str = "room") -> str:
        seen = {"id": self.role, "type": 0, "allow": str(rules.VIEW_CHANNEL), "deny": "0"}
        closed = {"id": self.place.id, "type": 0, "allow": "0", "deny": str(rules.VIEW_CHANNEL)}
        body = {"name": name, "type": 0, "permission_overwrites": [seen, closed]}
        return str((await self.owner.ok("POST", f"/guilds/{self.place.id}/channels", body))["id"])


async def scene(server: Server, stack: AsyncExitStack) -> Scene:
    people = [await unlimited(await person(server)) for _ in range(5)]
    owner, seer, warden, blind, outsider = people
    place = await guild(owner)
    await place.admit(seer, warden, blind)
    made = Scene(place, owner, seer, warden, blind, outsider)
    made.role = await place.role(0, seer)
    await place.role(rules.BAN_MEMBERS | rules.MANAGE_GUILD, warden)
    made.secret = await made.hidden_room("secret")
    await owner.ok("POST", f"/users/@me/relationships/{outsider.id}")
    await outsider.ok("PUT", f"/users/@me/relationships/{owner.id}", {})
    group = await owner.ok("POST", "/users/@me/channels", {"recipients": [outsider.id]})
    made.group = group["id"]
    for name, who in made.people.items():
        made.ears[name] = Ear(who)
        await made.ears[name].open(stack)
    return made
