"""Steward (steward.py) at work on a live server: everything it can do, asked for by people in a channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from tests.clients.fluxer_world import World, made
from tests.clients.steward import BACK, DIGITS, FORTH, Order, Steward, steward
from tests.community.actors import Actor
from tests.harness.server import Server

SECONDS = 30.0


@dataclass
class Stage:
    """A room with the bot in it; `asks` says something there and gives the bot's answer."""

    world: World
    bot: Steward
    room: str

    @property
    def where(self) -> str:
        return f"/channels/{self.room}/messages"

    async def tells(self, by: Actor, text: str, **more: Any) -> dict[str, Any]:
        return dict(await by.ok("POST", self.where, {"content": text, **more}))

    async def asks(self, by: Actor, text: str, **more: Any) -> dict[str, Any]:
        said = await self.tells(by, text, **more)

        def answers(message: dict[str, Any]) -> bool:
            return bool((message.get("message_reference") or {}).get("message_id") == said["id"])

        return await self.sees(answers)

    async def sees(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The newest message that fits, as soon as there is one."""
        async with asyncio.timeout(SECONDS):
            while True:
                for message in await self.world.owner.ok("GET", self.where):
                    if fits(message):
                        return dict(message)
                await asyncio.sleep(0.05)

    async def until(self, there: Callable[[], Any]) -> None:
        async with asyncio.timeout(SECONDS):
            while not await there():
                await asyncio.sleep(0.05)

    async def card(self, message_id: str) -> dict[str, Any]:
        shown = await self.world.owner.ok("GET", f"{self.where}/{message_id}")
        return dict(shown["embeds"][0])


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[Steward]:
    bot = steward(world.api_url)
    ready = asyncio.Event()
    bot.on("guild_join")(lambda _: _set(ready))
    running = asyncio.create_task(bot.start(world.token))
    try:
        await asyncio.wait_for(ready.wait(), SECONDS)
        yield bot
    finally:
        await bot.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running


async def _set(event: asyncio.Event) -> None:
    event.set()


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    async with made(server) as found:
        yield found


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    async with at_work(world) as bot:
        yield Stage(world, bot, await world.channel("stage"))


async def test_it_introduces_itself(stage: Stage) -> None:
    assert "!poll" in (await stage.asks(stage.world.guest, "!help"))["content"]
    card = (await stage.asks(stage.world.guest, "!about"))["embeds"][0]
    assert (card["title"], card["color"]) == ("Steward", 0x5865F2)
    assert {"!ban", "!purge", "!tally"} <= {each["name"] for each in card["fields"]}


async def test_a_poll_counts_its_votes_page_by_page(stage: Stage) -> None:
    owner, guest = stage.world.owner, stage.world.guest
    assert "two to five" in (await stage.asks(guest, "!poll What? | one"))["content"]
    await stage.tells(guest, "!poll Tea? | yes | no")

    def complete(message: dict[str, Any]) -> bool:
        return message["content"] == "Vote!" and len(message.get("reactions", [])) == 2

    shown = await stage.sees(complete)
    assert [each["value"] for each in shown["embeds"][0]["fields"]] == ["yes", "no"]
    voters = [owner, guest, await stage.world.member()]
    for voter in voters:
        await voter.ok("PUT", f"{stage.where}/{shown['id']}/reactions/{quote(DIGITS[0])}/@me")
    assert (await stage.asks(guest, f"!tally {shown['id']}"))["content"] == "yes: 3\nno: 0"
    left = await owner.ok("GET", f"{stage.where}/{shown['id']}")
    assert not left.get("reactions")
    assert "no such poll" in (await stage.asks(guest, "!tally 1"))["content"]


async def test_it_turns_pages_when_somebody_reacts(stage: Stage) -> None:
    owner = stage.world.owner
    for number in range(11):
        await stage.tells(owner, f"line {number}")
    shown = await stage.asks(owner, "!log 12")
    assert "line 0" in shown["embeds"][0]["description"]

    async def footer() -> str:
        return str((await stage.card(shown["id"]))["footer"]["text"])

    async def press(arrow: str, expected: str) -> None:
        await owner.ok("PUT", f"{stage.where}/{shown['id']}/reactions/{quote(arrow)}/@me")

        async def turned() -> bool:
            message = await owner.ok("GET", f"{stage.where}/{shown['id']}")
            mine = [each for each in message["reactions"] if each.get("me")]
            return message["embeds"][0]["footer"]["text"] == expected and not mine

        await stage.until(turned)

    assert await footer() == "page 1 of 3"
    await stage.until(lambda: _both_arrows(stage, shown["id"]))
    await press(FORTH, "page 2 of 3")
    await press(FORTH, "page 3 of 3")
    await press(FORTH, "page 3 of 3")
    await press(BACK, "page 2 of 3")


async def _both_arrows(stage: Stage, message_id: str) -> bool:
    message = await stage.world.owner.ok("GET", f"{stage.where}/{message_id}")
    return len(message.get("reactions", [])) == 2


async def test_it_hands_out_a_file(stage: Stage) -> None:
    await stage.tells(stage.world.owner, "to be kept")
    answer = await stage.asks(stage.world.owner, "!export 5")
    (paper,) = answer["attachments"]
    assert paper["filename"] == "log.txt"
    assert "to be kept" in (await stage.world.server.http.get(paper["url"])).text


async def test_it_pins_what_it_is_shown(stage: Stage) -> None:
    owner = stage.world.owner
    said = await stage.tells(owner, "important")
    await stage.tells(owner, "!pin", message_reference={"message_id": said["id"]})

    async def pinned() -> bool:
        return [each["id"] for each in await owner.ok("GET", f"/channels/{stage.room}/pins")] == [said["id"]]

    await stage.until(pinned)


async def test_it_moderates_for_those_who_may(stage: Stage) -> None:
    owner, guest = stage.world.owner, stage.world.guest
    someone = await stage.world.member()
    mention = f"<@{someone.id}>"
    for command in (
        f"!warn {mention} loud",
        f"!mute {mention} 5",
        f"!kick {mention}",
        f"!ban {mention}",
        "!purge 5",
    ):
        assert "don't have permission" in (await stage.asks(guest, command))["content"]

    async def obeyed(command: str) -> str:
        return str((await stage.asks(owner, command))["embeds"][0]["description"])

    assert await obeyed(f"!warn {mention} too loud") == f"warned {someone.username} (1)"
    (conversation,) = [each for each in await someone.ok("GET", "/users/@me/channels") if each["type"] == 1]
    letters = await someone.ok("GET", f"/channels/{conversation['id']}/messages")
    assert letters[0]["content"] == "You were warned: too loud"
    await obeyed(f"!mute {mention} 5")
    silenced = await someone.call("POST", stage.where, {"content": "hm"})
    assert silenced.json()["code"] == "COMMUNICATION_DISABLED"
    await obeyed(f"!unmute {mention}")
    await stage.tells(someone, "hm")
    where = f"/guilds/{stage.world.place.id}"
    assert (await obeyed(f"!role {mention} Helper")).startswith("gave Helper")
    helper = [each["id"] for each in await owner.ok("GET", f"{where}/roles") if each["name"] == "Helper"]
    assert (await owner.ok("GET", f"{where}/members/{someone.id}"))["roles"] == helper
    assert (await obeyed(f"!role {mention} Helper")).startswith("took Helper")
    assert (await owner.ok("GET", f"{where}/members/{someone.id}"))["roles"] == []
    await obeyed(f"!kick {mention}")
    assert "no such thing" in (await stage.asks(owner, f"!kick {mention}"))["content"]
    await stage.world.place.admit(someone)
    await obeyed(f"!ban {mention}")
    code = await stage.world.place.invite()
    assert (await someone.call("POST", f"/invites/{code}")).status_code == 403
    await obeyed(f"!unban {someone.id}")
    await stage.world.place.admit(someone)
    assert "not allowed" in (await stage.asks(owner, f"!kick <@{owner.id}>"))["content"]


async def test_it_clears_a_channel_and_writes_it_down(stage: Stage) -> None:
    owner = stage.world.owner
    for number in range(4):
        await stage.tells(owner, f"noise {number}")
    assert (await stage.asks(owner, "!purge 4"))["embeds"][0]["description"] == "purged 4"
    left = [each["content"] for each in await owner.ok("GET", stage.where)]
    assert not [each for each in left if each.startswith("noise")]
    said = await stage.tells(owner, "oops")
    await owner.ok("DELETE", f"{stage.where}/{said['id']}")
    order = stage.bot.cogs["Order"]
    assert isinstance(order, Order)

    async def noted() -> bool:
        return f"deleted {said['id']}" in order.ledger.entries

    await stage.until(noted)


async def test_it_welcomes_those_who_join(stage: Stage) -> None:
    someone = await stage.world.member()
    where = f"/channels/{stage.world.place.text}/messages"

    async def welcomed() -> bool:
        said = [each["content"] for each in await stage.world.owner.ok("GET", where)]
        return f"Welcome, <@{someone.id}>!" in said

    await stage.until(welcomed)
