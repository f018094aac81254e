"""The published Python client, unmodified, as a bot on a real server: from registration to a dropped socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fluxer
import pytest
from tests.clients.proxy import CuttingProxy
from tests.community.actors import add_bot, bot, guild, person
from tests.community.houses import stopped, worker_behind, workers
from tests.harness.server import Server, serve


@asynccontextmanager
async def proxied(directory: Path, database: str, **more: Any) -> AsyncIterator[tuple[Server, CuttingProxy]]:
    """A server that tells clients to come to its gateway through a proxy."""
    async with CuttingProxy() as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/community/gateway"
        settings = {"community.realtime.public_url": url, "community.realtime.lending_answer_seconds": 20}
        async with serve(directory, database=database, settings=settings, **more) as server:
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


async def test_a_bot_resumes_at_another_process(tmp_path: Path) -> None:
    async with proxied(tmp_path, "postgres", workers=2) as (server, proxy):
        owner = await person(server)
        place = await guild(owner)
        _, application = await bot(owner)
        await add_bot(owner, application["id"], place.id)
        client = fluxer.Bot(command_prefix="!", api_url=f"{server.origin}/community/v1")
        told: list[str] = []

        @client.event
        async def on_ready() -> None:
            told.append("ready")

        @client.event
        async def on_resumed() -> None:
            told.append("resumed")

        @client.event
        async def on_message(message: fluxer.Message) -> None:
            told.append(message.content)

        running = asyncio.create_task(client.start(application["bot"]["token"]))
        try:
            await until(lambda: told == ["ready"], 60)
            at = worker_behind(server, proxy.ports()[0])
            for turn in range(2):
                there = next(each for each in workers(server) if each != at)
                with stopped([at] if at is not None else []):
                    proxy.cut()
                    await until(lambda there=there: there in behind(server, proxy), 60)
                await until(lambda turn=turn: told.count("resumed") == turn + 1, 60)
                await place.say(owner, f"at {turn}")
                await until(lambda turn=turn: f"at {turn}" in told, 60)
                at = there
            assert [each for each in told if each != "resumed"] == [
                "ready",
                *(f"at {turn}" for turn in range(2)),
            ]
        finally:
            await client.close()
            running.cancel()


def behind(server: Server, proxy: CuttingProxy) -> list[int | None]:
    return [worker_behind(server, port) for port in proxy.ports()]
