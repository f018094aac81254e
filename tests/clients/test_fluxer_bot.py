"""The published Python client, unmodified, as a bot on a real server: from registration to a dropped socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import fluxer
import pytest
from tests.clients.proxy import CuttingProxy
from tests.community.actors import add_bot, bot, guild, person
from tests.harness.server import Server, serve


@asynccontextmanager
async def proxied(directory: Path, database: str) -> AsyncIterator[tuple[Server, CuttingProxy]]:
    """A server that tells clients to come to its gateway through a proxy."""
    async with CuttingProxy() as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/community/gateway"
        settings = {"community.realtime.public_url": url}
        async with serve(directory, database=database, settings=settings) as server:
            where = urlsplit(server.origin)
            proxy.target = (where.hostname or "", where.port or 0)
            yield server, proxy


async def until(condition: object, seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_a_bot_answers_and_survives_a_dropped_socket(tmp_path: Path, database: str) -> None:
    async with proxied(tmp_path, database) as (server, proxy):
        owner = await person(server)
        place = await guild(owner)
        robot, application = await bot(owner)
        await add_bot(owner, application["id"], place.id)

        client = fluxer.Bot(command_prefix="!", api_url=f"{server.origin}/community/v1")
        heard: list[str] = []
        resumed = asyncio.Event()
        ready = asyncio.Event()

        @client.event
        async def on_ready() -> None:
            ready.set()

        @client.event
        async def on_resumed() -> None:
            resumed.set()

        @client.event
        async def on_message(message: fluxer.Message) -> None:
            heard.append(message.content)

        @client.command()
        async def ping(context: fluxer.Message) -> None:
            await context.reply("Pong!")

        running = asyncio.create_task(client.start(application["bot"]["token"]))
        try:
            await asyncio.wait_for(ready.wait(), 20)
            await until(lambda: client.guilds)
            assert [str(each.id) for each in client.guilds] == [place.id]

            await place.say(owner, "!ping")
            await until(lambda: "Pong!" in heard)
            answers = await owner.ok("GET", f"/channels/{place.text}/messages")
            assert answers[0]["content"] == "Pong!"
            assert answers[0]["author"]["id"] == robot.id
            assert answers[0]["referenced_message"]["content"] == "!ping"

            heard.clear()
            await place.say(owner, "before")
            await until(lambda: heard == ["before"])
            proxy.cut()
            for number in range(5):
                await place.say(owner, f"while away {number}")
            await asyncio.wait_for(resumed.wait(), 20)
            await place.say(owner, "after")
            await until(lambda: "after" in heard)
            assert heard == ["before", *(f"while away {number}" for number in range(5)), "after"]

            heard.clear()
            proxy.cut()
            resumed.clear()
            await asyncio.wait_for(resumed.wait(), 20)
            await place.say(owner, "again")
            await until(lambda: heard)
            await asyncio.sleep(0.2)
            assert heard == ["again"], "a second resume repeats nothing"
        finally:
            await client.close()
            running.cancel()
