"""What the scenarios of the published Python client stand on: a guild, its owner, a bot that may do everything."""

from __future__ import annotations

import base64
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import fluxer
import fluxer.client
from fluxer.http import HTTPClient, Route
from tests.community.actors import API, Actor, Guild, Person, add_bot, bot, guild, person, unlimited
from tests.harness.server import Server

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
ADMINISTRATOR = "8"


@dataclass
class World:
    """`http` is the client's own HTTP client, with a bot that administers `place`; `guest` is a plain member."""

    server: Server
    http: HTTPClient
    owner: Person
    guest: Person
    place: Guild
    robot: Actor
    token: str

    @property
    def api_url(self) -> str:
        return self.server.origin + API

    async def say(self, content: str = "hello", **more: Any) -> dict[str, Any]:
        return dict(await self.http.send_message(self.place.text, content=content, **more))

    async def channel(self, name: str = "room", **more: Any) -> str:
        return str((await self.http.create_guild_channel(self.place.id, name=name, **more))["id"])

    async def role(self, **more: Any) -> str:
        return str((await self.http.create_guild_role(self.place.id, name="role", **more))["id"])

    async def member(self) -> Person:
        """Somebody new in the guild."""
        someone = await person(self.server)
        await self.place.admit(someone)
        return someone


@asynccontextmanager
async def made(server: Server) -> AsyncIterator[World]:
    owner, guest = await unlimited(await person(server)), await person(server)
    place = await guild(owner)
    await place.admit(guest)
    robot, application = await bot(owner)
    await add_bot(owner, application["id"], place.id, ADMINISTRATOR)
    await unlimited(robot)  # type: ignore[arg-type]
    token = application["bot"]["token"]
    async with HTTPClient(token, api_url=server.origin + API, max_retries=0) as http:
        yield World(server, http, owner, guest, place, robot, token)


Scenario = Callable[[World], Awaitable[None]]


class Table:
    """Scenarios by the name of what they show; `@table` registers one by its function's name."""

    def __init__(self) -> None:
        self.scenarios: dict[str, Scenario] = {}

    def __call__(self, scenario: Scenario) -> Scenario:
        assert scenario.__name__ not in self.scenarios
        self.scenarios[scenario.__name__] = scenario
        return scenario


def methods() -> set[str]:
    """Every public method of the client's HTTP client."""
    found = inspect.getmembers(HTTPClient, inspect.isfunction)
    return {name for name, _ in found if not name.startswith("_")}


def handlers() -> set[str]:
    """Every event handler the client knows by name (any other event is handed to `on_<event>` as it came)."""
    return set(re.findall(r'_fire\(\s*"(on_\w+)"', inspect.getsource(fluxer.client.Client)))


@asynccontextmanager
async def sent_to(api_url: str) -> AsyncIterator[None]:
    """The calls for which the client forgets its own `api_url` go to this one: the client's Route has a default."""
    usual = Route.__init__.__defaults__
    Route.__init__.__defaults__ = (api_url,)
    try:
        yield
    finally:
        Route.__init__.__defaults__ = usual


async def refused(status: int, call: Awaitable[Any]) -> fluxer.HTTPException:
    """The client's own exception for a refusal."""
    try:
        await call
    except fluxer.HTTPException as refusal:
        assert refusal.status == status, refusal
        return refusal
    raise AssertionError("it was not refused")
