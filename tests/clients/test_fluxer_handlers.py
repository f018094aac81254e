"""The published Python client, unmodified: every event handler it offers, provoked on a live server.

The list is the client's own: a handler without a scenario fails `test_every_handler_has_a_scenario`. Events it does not
know by name come as `on_<event>` with the data as it was sent; each event of this plane is provoked that way too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import fluxer
import pytest
from tests.clients.fluxer_world import PNG, World, handlers, made, sent_to
from tests.community.gateway import GatewayClient
from tests.harness.server import Server

THUMB = quote("👍")
VOICE = {"on_voice_state_update"}
"""Voice belongs to part two."""

Scenario = Callable[["Listener"], Awaitable[None]]
HANDLERS: dict[str, Scenario] = {}
EVENTS: dict[str, Scenario] = {}
SECONDS = 30.0


class Listener:
    """A connected bot of the client that keeps whatever its handlers were given."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = fluxer.Client(api_url=world.api_url)
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Condition()

    def listen(self, name: str) -> None:
        async def handler(*arguments: Any) -> None:
            async with self._news:
                self.heard.append((name, arguments[0] if arguments else None))
                self._news.notify_all()

        self.client.on(name.removeprefix("on_"))(handler)

    async def hears(self, name: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """What the handler `name` was given, the first that fits."""

        def found() -> list[Any]:
            return [given for heard, given in self.heard if heard == name and fits(given)]

        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(found)
        return found()[0]


@asynccontextmanager
async def connected(world: World, *names: str) -> AsyncIterator[Listener]:
    listener = Listener(world)
    for name in {*names, "on_guild_join"}:
        listener.listen(name)
    running = asyncio.create_task(listener.client.start(world.token))
    try:
        await listener.hears("on_guild_join", lambda given: str(given.id) == world.place.id)
        yield listener
    finally:
        await listener.client.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    async with made(server) as found:
        yield found


def handler(scenario: Scenario) -> Scenario:
    HANDLERS[scenario.__name__] = scenario
    return scenario


def event(scenario: Scenario) -> Scenario:
    EVENTS[scenario.__name__] = scenario
    return scenario


def test_every_handler_has_a_scenario() -> None:
    assert len(handlers()) > 15, "the client's handlers were not found"
    assert handlers() == set(HANDLERS) | VOICE


@pytest.mark.parametrize("name", sorted(handlers() - VOICE))
async def test_a_handler_by_name(world: World, name: str) -> None:
    async with connected(world, name) as listener:
        await HANDLERS[name](listener)


async def test_every_other_event_reaches_its_generic_handler(world: World) -> None:
    async with connected(world, *EVENTS) as listener:
        for scenario in EVENTS.values():
            await scenario(listener)


# -- the handlers it knows ------------------------------------------------------------------------------------


@handler
async def on_ready(bot: Listener) -> None:
    await bot.hears("on_ready")
    assert bot.client.user is not None
    assert str(bot.client.user.id) == bot.world.robot.id


@handler
async def on_resumed(bot: Listener) -> None:
    gateway = bot.client._gateway
    assert gateway is not None
    assert gateway._ws is not None
    connection = gateway._ws._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
    await bot.hears("on_resumed")


@handler
async def on_message(bot: Listener) -> None:
    said = await bot.world.place.say(bot.world.owner, "listen")
    heard = await bot.hears("on_message", lambda given: given.content == "listen")
    assert (str(heard.id), str(heard.author.id)) == (said["id"], bot.world.owner.id)
    assert (str(heard.guild_id), heard.channel.name) == (bot.world.place.id, "general")


@handler
async def on_message_edit(bot: Listener) -> None:
    world = bot.world
    said = await world.place.say(world.owner, "one")
    await world.owner.ok("PATCH", f"/channels/{world.place.text}/messages/{said['id']}", {"content": "two"})
    assert (await bot.hears("on_message_edit")).content == "two"


@handler
async def on_message_delete(bot: Listener) -> None:
    world = bot.world
    said = await world.place.say(world.owner)
    await world.owner.ok("DELETE", f"/channels/{world.place.text}/messages/{said['id']}")
    gone = await bot.hears("on_message_delete")
    assert (gone["id"], gone["channel_id"], gone["guild_id"]) == (
        said["id"],
        world.place.text,
        world.place.id,
    )


@handler
async def on_guild_join(bot: Listener) -> None:
    found = await bot.hears("on_guild_join", lambda given: str(given.id) == bot.world.place.id)
    assert (found.name, str(found.owner_id)) == ("Test guild", bot.world.owner.id)
    assert found.member_count >= 3


@handler
async def on_guild_remove(bot: Listener) -> None:
    made = await bot.world.http.create_guild(name="brief")
    await bot.hears("on_guild_join", lambda given: str(given.id) == made["id"])
    await bot.world.http.delete_guild(made["id"])
    assert (await bot.hears("on_guild_remove")).name == "brief"
    assert made["id"] not in {str(each.id) for each in bot.client.guilds}


@handler
async def on_member_join(bot: Listener) -> None:
    someone = await bot.world.member()
    heard = await bot.hears("on_member_join", lambda given: given["user"]["id"] == someone.id)
    assert fluxer.GuildMember.from_data(heard).guild_id == int(bot.world.place.id)


@handler
async def on_member_remove(bot: Listener) -> None:
    someone = await bot.world.member()
    await someone.ok("DELETE", f"/users/@me/guilds/{bot.world.place.id}")
    heard = await bot.hears("on_member_remove", lambda given: given["user"]["id"] == someone.id)
    assert heard["guild_id"] == bot.world.place.id


@handler
async def on_channel_create(bot: Listener) -> None:
    room = await bot.world.channel("fresh")
    heard = await bot.hears("on_channel_create", lambda given: str(given.id) == room)
    assert (heard.name, str(heard.guild.id)) == ("fresh", bot.world.place.id)


@handler
async def on_channel_update(bot: Listener) -> None:
    room = await bot.world.channel("before")
    await bot.world.http.modify_channel(room, name="after")
    assert (await bot.hears("on_channel_update", lambda given: str(given.id) == room)).name == "after"


@handler
async def on_channel_delete(bot: Listener) -> None:
    room = await bot.world.channel("short")
    await bot.world.http.delete_channel(room)
    assert (await bot.hears("on_channel_delete")).name == "short", "the client still knew the channel"


async def reacted(bot: Listener) -> tuple[str, str]:
    world = bot.world
    said = await world.place.say(world.owner)
    where = f"/channels/{world.place.text}/messages/{said['id']}/reactions"
    await world.guest.ok("PUT", f"{where}/{THUMB}/@me")
    return said["id"], where


@handler
async def on_raw_reaction_add(bot: Listener) -> None:
    message_id, _ = await reacted(bot)
    heard = await bot.hears("on_raw_reaction_add")
    assert (str(heard.message_id), str(heard.user_id)) == (message_id, bot.world.guest.id)
    assert (heard.emoji.unicode, str(heard.guild_id)) == ("👍", bot.world.place.id)


@handler
async def on_raw_reaction_remove(bot: Listener) -> None:
    message_id, where = await reacted(bot)
    await bot.world.guest.ok("DELETE", f"{where}/{THUMB}/@me")
    heard = await bot.hears("on_raw_reaction_remove")
    assert (str(heard.message_id), str(heard.user_id)) == (message_id, bot.world.guest.id)


@handler
async def on_raw_reaction_clear(bot: Listener) -> None:
    message_id, where = await reacted(bot)
    await bot.world.owner.ok("DELETE", where)
    assert str((await bot.hears("on_raw_reaction_clear")).message_id) == message_id


@handler
async def on_raw_reaction_clear_emoji(bot: Listener) -> None:
    message_id, where = await reacted(bot)
    await bot.world.owner.ok("DELETE", f"{where}/{THUMB}")
    heard = await bot.hears("on_raw_reaction_clear_emoji")
    assert (str(heard.message_id), heard.emoji.unicode) == (message_id, "👍")


# -- any other event, by its lower-case name ------------------------------------------------------------------


async def told(bot: Listener, name: str, /, **expected: Any) -> dict[str, Any]:
    return dict(await bot.hears(name, lambda given: expected.items() <= given.items()))


@event
async def on_guild_update(bot: Listener) -> None:
    made = await bot.world.http.create_guild(name="before")
    await bot.world.http.modify_guild(made["id"], name="after")
    await told(bot, "on_guild_update", id=made["id"], name="after")


@event
async def on_guild_member_update(bot: Listener) -> None:
    await bot.world.http.modify_guild_member(bot.world.place.id, bot.world.guest.id, nick="Nick")
    await told(bot, "on_guild_member_update", guild_id=bot.world.place.id, nick="Nick")


@event
async def on_guild_role_create(bot: Listener) -> None:
    role = await bot.world.role()
    heard = await bot.hears("on_guild_role_create", lambda given: given["role"]["id"] == role)
    assert heard["guild_id"] == bot.world.place.id


@event
async def on_guild_role_update(bot: Listener) -> None:
    role = await bot.world.role()
    await bot.world.http.modify_guild_role(bot.world.place.id, role, name="changed")
    await bot.hears("on_guild_role_update", lambda given: given["role"]["name"] == "changed")


@event
async def on_guild_role_update_bulk(bot: Listener) -> None:
    role = await bot.world.role()
    where = f"/guilds/{bot.world.place.id}/roles"
    await bot.world.owner.ok("PATCH", where, [{"id": role, "position": 1}])
    await bot.hears(
        "on_guild_role_update_bulk", lambda given: role in [each["id"] for each in given["roles"]]
    )


@event
async def on_guild_role_delete(bot: Listener) -> None:
    role = await bot.world.role()
    await bot.world.http.delete_guild_role(bot.world.place.id, role)
    await told(bot, "on_guild_role_delete", guild_id=bot.world.place.id, role_id=role)


@event
async def on_guild_ban_add(bot: Listener) -> None:
    someone = await bot.world.member()
    await bot.world.http.ban_guild_member(bot.world.place.id, someone.id)
    await bot.hears("on_guild_ban_add", lambda given: given["user"]["id"] == someone.id)


@event
async def on_guild_ban_remove(bot: Listener) -> None:
    someone = await bot.world.member()
    await bot.world.http.ban_guild_member(bot.world.place.id, someone.id)
    await bot.world.http.unban_guild_member(bot.world.place.id, someone.id)
    await bot.hears("on_guild_ban_remove", lambda given: given["user"]["id"] == someone.id)


@event
async def on_channel_pins_update(bot: Listener) -> None:
    said = await bot.world.say()
    await bot.world.http.pin_message(bot.world.place.text, said["id"])
    await told(bot, "on_channel_pins_update", channel_id=bot.world.place.text)


@event
async def on_message_delete_bulk(bot: Listener) -> None:
    ids = [(await bot.world.say())["id"] for _ in range(2)]
    await bot.world.http.delete_messages(bot.world.place.text, ids)
    await bot.hears("on_message_delete_bulk", lambda given: set(given["ids"]) == set(ids))


@event
async def on_typing_start(bot: Listener) -> None:
    await bot.world.owner.ok("POST", f"/channels/{bot.world.place.text}/typing")
    await told(bot, "on_typing_start", user_id=bot.world.owner.id, guild_id=bot.world.place.id)


@event
async def on_invite_create(bot: Listener) -> None:
    code = await bot.world.place.invite(max_uses=7)
    await bot.hears("on_invite_create", lambda given: given["code"] == code)


@event
async def on_invite_delete(bot: Listener) -> None:
    code = await bot.world.place.invite(max_uses=6)
    await bot.world.owner.ok("DELETE", f"/invites/{code}")
    await told(bot, "on_invite_delete", code=code)


@event
async def on_presence_update(bot: Listener) -> None:
    async with GatewayClient(bot.world.guest) as guest:
        await guest.identify(presence={"status": "dnd"})
        await bot.hears("on_presence_update", lambda given: given["user"]["id"] == bot.world.guest.id)


@event
async def on_user_update(bot: Listener) -> None:
    await bot.world.http.modify_current_user(username="renamedbot")
    await told(bot, "on_user_update", id=bot.world.robot.id, username="renamedbot")


@event
async def on_webhooks_update(bot: Listener) -> None:
    room = await bot.world.channel("hooked")
    await bot.world.http.create_webhook(room, name="hook")
    await told(bot, "on_webhooks_update", guild_id=bot.world.place.id, channel_id=room)


@event
async def on_guild_emojis_update(bot: Listener) -> None:
    made = await bot.world.http.create_guild_emoji(bot.world.place.id, name="dot", image=PNG)
    await bot.hears(
        "on_guild_emojis_update", lambda given: made["id"] in [each["id"] for each in given["emojis"]]
    )


@event
async def on_guild_stickers_update(bot: Listener) -> None:
    async with sent_to(bot.world.api_url):
        made = await bot.world.http.create_guild_sticker(bot.world.place.id, name="dotted", image=PNG)
    await bot.hears(
        "on_guild_stickers_update", lambda given: made["id"] in [each["id"] for each in given["stickers"]]
    )
