"""A session is resumed through any process: what its client hears and says then goes by way of the other one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from tests.community.actors import guild, person
from tests.community.gateway import PROPERTIES, Closed, GatewayClient
from tests.community.houses import at, connect, move, workers
from tests.harness.server import Server, serve

PATIENT = {
    "community.rate_limits.enabled": False,
    "community.realtime.lending_answer_seconds": 30,
    "community.realtime.lending_silence_seconds": 60,
}
"""On a busy machine processes wait for each other; what is about that has a server of its own."""

MESSAGES = 500


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    directory: Path = tmp_path_factory.mktemp("handover")
    async with serve(directory, database="postgres", workers=2, settings=PATIENT) as running:
        yield running


async def heard(client: GatewayClient, until: str) -> list[dict[str, Any]]:
    """Events of messages, and the one with which it ends."""
    found = []
    async with asyncio.timeout(30):
        while True:
            payload = await client.receive(30)
            if payload["op"] == 0 and payload["t"] in ("MESSAGE_CREATE", until):
                found.append(payload)
                if payload["t"] == until:
                    return found


@pytest.mark.parametrize("compress", ["", "zlib-stream", "zstd-stream"])
async def test_a_session_is_resumed_at_the_other_process(two: Server, compress: str) -> None:
    owner = await person(two)
    place = await guild(owner)
    first, second = workers(two)
    client = await at(two, owner, first, compress=compress)
    await client.identify()
    witness = await at(two, owner, first)
    await witness.identify()
    await place.say(owner, "one")
    await client.event("MESSAGE_CREATE", 30)
    last = client.sequence or 0
    client.drop()
    for content in ("two", "three"):
        await place.say(owner, content)
    while said(witness)[-1:] != ["three"]:
        await witness.receive(30)
    await connect(two, client, second)
    await client.resume(last)
    replayed = await heard(client, "RESUMED")
    assert [(each["s"], (each["d"] or {}).get("content")) for each in replayed] == [
        (last + 1, "two"), (last + 2, "three"), (last + 2, None),
    ]  # fmt: skip
    await place.say(owner, "four")
    assert (await client.event("MESSAGE_CREATE", 30))["content"] == "four"
    assert client.sequence == last + 3
    await client.heartbeat()
    for mine in (client, witness):
        await mine.close()


async def test_what_the_client_says_reaches_its_session(two: Server) -> None:
    owner, member = await person(two), await person(two)
    place = await guild(owner)
    await place.admit(member)
    first, second = workers(two)
    witness = await at(two, member, first)
    await witness.identify()
    client = await at(two, owner, first)
    await client.identify()
    await move(two, client, second)
    await client.event("RESUMED", 30)
    await client.send(8, {"guild_id": place.id, "query": "", "limit": 0, "nonce": "here"})
    chunk = await client.event("GUILD_MEMBERS_CHUNK", 30)
    assert (chunk["nonce"], {each["user"]["id"] for each in chunk["members"]}) == (
        "here",
        {owner.id, member.id},
    )
    await client.send(14, {"subscriptions": {place.id: {"sync": True}}})
    assert (await client.event("GUILD_SYNC", 30))["id"] == place.id
    await client.send(3, {"status": "dnd"})
    async with asyncio.timeout(30):
        while (await witness.event("PRESENCE_UPDATE", 30))["status"] != "dnd":
            pass
    await client.send(4, {"guild_id": place.id, "channel_id": place.voice})
    while (answer := await client.receive(30))["op"] != 12:
        pass
    assert answer["d"]["code"] == "UNKNOWN_ERROR"
    await client.heartbeat()
    for mine in (client, witness):
        await mine.close()


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "x", "properties": PROPERTIES}, 4005), (6, {"token": "x", "session_id": "x", "seq": 0}, 4005), (7, None, 4001),
        (1, 10_000, 4007), (1, "x" * 5000, 4002), (8, {"guild_id": []}, 4002),
    ],
)  # fmt: skip
async def test_what_closes_a_connection_does_so_at_either_process(
    two: Server, op: int, data: Any, code: int
) -> None:
    client = await handed_over(two)
    await client.send(op, data)
    assert await client.closed_with() == code
    await client.close()


async def handed_over(server: Server) -> GatewayClient:
    first, second = workers(server)
    client = await at(server, await person(server), first)
    await client.identify()
    await move(server, client, second)
    await client.event("RESUMED", 30)
    return client


async def test_payloads_are_counted_where_they_come_in(two: Server) -> None:
    client = await handed_over(two)
    # The resume was the first.
    for _ in range(119):
        await client.send(1)
    for _ in range(119):
        while (await client.receive(30))["op"] != 11:
            pass
    await client.send(1)
    assert await client.closed_with() == 4008
    await connect(two, client, workers(two)[0])
    await client.resume()
    await client.event("RESUMED", 30)
    await client.close()


async def test_who_may_not_resume_here_may_not_resume_there(two: Server) -> None:
    owner, thief = await person(two), await person(two)
    first, second = workers(two)
    client = await at(two, owner, first)
    await client.identify()
    other = await at(two, thief, second)
    other.session_id, other.sequence = client.session_id, client.sequence
    await other.resume()
    assert await other.closed_with() == 4004
    await connect(two, other, second)
    await other.send(6, {"token": "no token", "session_id": client.session_id, "seq": 1})
    assert await other.closed_with() == 4004
    await client.heartbeat()
    client.drop()
    await connect(two, client, second)
    await client.resume(after=1000)
    assert await client.closed_with() == 4007
    # Nobody has such a session; on the same connection the right one is resumed.
    await connect(two, client, second)
    for nobodys in (
        client.session_id[:8] + "0" * 24,
        "x" * 32,
        client.session_id[:8],
        client.session_id + "0",
    ):
        await client.send(6, {"token": client.token, "session_id": nobodys, "seq": 1})
        assert await client.receive(30) == {"op": 9, "d": False}
    await client.resume()
    await client.event("RESUMED", 30)
    await client.heartbeat()
    await move(two, client, first)
    await client.event("RESUMED", 30)
    client.drop()
    await connect(two, client, second)
    await client.resume(after=0)
    assert await client.receive(30) == {"op": 9, "d": False}, "what was acknowledged is forgotten"
    await client.identify()
    for mine in (client, other):
        await mine.close()


async def test_a_clean_goodbye_ends_the_session_from_afar(two: Server) -> None:
    client = await handed_over(two)
    await client.socket.close(code=1000)
    for pid in workers(two):
        await connect(two, client, pid)
        await client.resume()
        assert await client.receive(30) == {"op": 9, "d": False}
        await client.close()


async def test_a_revoked_session_is_closed_with_4004_from_afar(two: Server) -> None:
    client = await handed_over(two)
    await client.actor.ok("POST", "/auth/logout")
    assert await client.closed_with() == 4004
    await client.close()


async def test_taken_over_again_and_again(two: Server) -> None:
    """Each time the one before is closed, wherever its connection is; what is said meanwhile is heard once."""
    owner = await person(two)
    place = await guild(owner)
    first, second = workers(two)
    clients = [await at(two, owner, first)]
    await clients[0].identify()
    for turn, pid in enumerate((second, second, first, second)):
        old = clients[-1]
        new = await at(two, owner, pid)
        new.session_id, new.sequence = old.session_id, old.sequence
        await place.say(owner, f"turn {turn}")
        await new.resume()
        # What was said may still be on its way to the session's process.
        async with asyncio.timeout(30):
            while not (said(new) and any(each.get("t") == "RESUMED" for each in new.seen)):
                await new.receive(30)
        assert said(new) == [f"turn {turn}"]
        assert await old.closed_with() == 4000
        clients.append(new)
    for client in clients:
        await client.close()


async def test_of_two_resumes_at_once_one_wins(two: Server) -> None:
    owner = await person(two)
    place = await guild(owner)
    first, second = workers(two)
    client = await at(two, owner, first)
    await client.identify()
    client.drop()
    await place.say(owner, "meanwhile")
    rivals = [await at(two, owner, pid) for pid in (first, second, second, first)]
    for rival in rivals:
        rival.session_id, rival.sequence = client.session_id, client.sequence
    await asyncio.gather(*(rival.resume() for rival in rivals))
    reading = [asyncio.create_task(rival.closed_with()) for rival in rivals]
    async with asyncio.timeout(30):
        while len(still := [each for each in reading if not each.done()]) > 1:
            await asyncio.wait(still, return_when=asyncio.FIRST_COMPLETED)
    assert [each.result() for each in reading if each.done()] == [4000] * 3
    winner = rivals[reading.index(still[0])]
    still[0].cancel()
    await asyncio.wait(still)
    await place.say(owner, "afterwards")
    async with asyncio.timeout(30):
        while said(winner)[-1:] != ["afterwards"]:
            await winner.receive(30)
    assert said(winner) == ["meanwhile", "afterwards"]
    for rival in rivals:
        await rival.close()


def said(client: GatewayClient) -> list[str]:
    """The messages it was told of since the last one that was read."""
    return [each["d"]["content"] for each in client.seen if each.get("t") == "MESSAGE_CREATE"]


class Nomad:
    """Loses its connection again and again and resumes at whichever process."""

    def __init__(
        self, server: Server, client: GatewayClient, dice: random.Random, turn: asyncio.Lock
    ) -> None:
        self.turn = turn
        """Whoever connects stops the other process: only one at a time may."""
        self.server = server
        self.client = client
        self.dice = dice
        self.home = 0
        self.strayed = 0

    async def begin(self) -> None:
        self.home = self.dice.choice(workers(self.server))
        await connect(self.server, self.client, self.home)
        await self.client.identify()

    async def live(self, until: str) -> list[str]:
        """What was said, until that was."""
        while said(self.client)[-1:] != [until]:
            loop = asyncio.get_running_loop()
            end = loop.time() + self.dice.uniform(0.0, 0.3)
            with contextlib.suppress(TimeoutError, Closed):
                while (rest := end - loop.time()) > 0:
                    assert (await self.client.receive(rest))["op"] == 0
            pid = self.dice.choice(workers(self.server))
            self.strayed += pid != self.home
            if not self.client.socket.closed:
                self.client.drop()
            async with self.turn:
                await connect(self.server, self.client, pid)
            await self.client.resume()
        return said(self.client)


async def test_whoever_moves_about_loses_and_repeats_nothing(two: Server) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    owner = await person(two)
    place = await guild(owner)
    turn = asyncio.Lock()
    nomads = [
        Nomad(two, GatewayClient(owner, compress=compress), random.Random(dice.random()), turn)
        for compress in ("", "zlib-stream", "zstd-stream")
    ]
    for nomad in nomads:
        await nomad.begin()
    living = [asyncio.create_task(nomad.live(str(MESSAGES - 1))) for nomad in nomads]
    try:
        for number in range(MESSAGES):
            await place.say(owner, str(number))
        async with asyncio.timeout(60):
            found = await asyncio.gather(*living)
    finally:
        for task in living:
            task.cancel()
        for nomad in nomads:
            await nomad.client.close()
    print([nomad.strayed for nomad in nomads])
    for contents, nomad in zip(found, nomads, strict=True):
        assert contents == [str(number) for number in range(MESSAGES)]
        assert nomad.strayed > 2


# -- what fails -----------------------------------------------------------------------------------------------


def narrow(where: Any) -> socket.socket:
    """A socket that takes little at once."""
    made = socket.socket(*where[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return made


async def test_a_reader_that_does_not_read_is_dropped_from_afar_and_can_resume(tmp_path: Path) -> None:
    settings = {
        **PATIENT,
        "community.realtime.queue_bytes": 200_000,
        "community.realtime.buffer_bytes": 64_000_000,
        "community.limits.message_length": 10_000,
    }
    async with serve(tmp_path, database="postgres", workers=2, settings=settings) as server:
        owner = await person(server)
        place = await guild(owner)
        first, second = workers(server)
        client = await at(server, owner, first)
        await client.identify()
        client.drop()
        slow = GatewayClient(owner)
        slow._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=narrow))
        await connect(server, slow, second)
        slow.session_id, slow.sequence = client.session_id, client.sequence
        await slow.resume()
        await slow.event("RESUMED", 30)
        sent = 250
        for number in range(sent):
            await place.say(owner, f"{number} " + "€" * 9000)
        # None: who reads nothing for very long may find the connection at its end before the close frame.
        assert await slow.closed_with() in (4000, 1006, None)
        assert 0 < len(said(slow)) < sent
        await connect(server, slow, second)
        await slow.resume()
        while len(said(slow)) < sent:
            await slow.receive(30)
        assert [int(each.split()[0]) for each in said(slow)] == list(range(sent))
        await slow.close()


async def test_processes_that_end(tmp_path: Path) -> None:
    """The one with the connection, and the one with the session: told to stop, and killed."""
    settings = PATIENT | {
        "community.realtime.lending_answer_seconds": 4,
        "community.realtime.lending_silence_seconds": 5,
    }
    async with serve(tmp_path, database="postgres", workers=2, settings=settings) as server:
        owner = await person(server)
        place = await guild(owner)
        home, other = workers(server)
        client = await at(server, owner, home)
        await client.identify()
        await move(server, client, other)
        await client.event("RESUMED", 30)
        os.kill(other, signal.SIGKILL)
        await client.closed_with()
        async with asyncio.timeout(30):
            # A connection that was kept for the next request may lead to the dead.
            while "one" not in said(client):
                with contextlib.suppress(httpx.TransportError):
                    await place.say(owner, "one")
                    await connect(server, client, home)
                    await client.resume()
                    await client.event("MESSAGE_CREATE", 30)
        other = await newcomer(server, home, other)
        await move(server, client, other)
        await client.event("RESUMED", 30)
        os.kill(other, signal.SIGTERM)
        assert await client.closed_with() == 4000
        assert client.seen[-1]["op"] == 7
        other = await newcomer(server, home, other)
        await connect(server, client, other)
        await client.resume()
        await client.event("RESUMED", 30)
        os.kill(home, signal.SIGKILL)
        async with asyncio.timeout(30):
            assert await client.closed_with() == 4000
        await connect(server, client, other)
        await client.resume()
        assert await client.receive(30) == {"op": 9, "d": False}
        await client.identify()
        await move(server, client, home := await newcomer(server, home, other))
        await client.event("RESUMED", 30)
        os.kill(other, signal.SIGTERM)
        assert await client.closed_with() == 4000
        assert client.seen[-1]["op"] == 7
        await connect(server, client, home)
        await client.resume()
        assert await client.receive(30) == {"op": 9, "d": False}
        await client.close()


async def newcomer(server: Server, *known: int) -> int:
    """The process that came for one of those."""
    async with asyncio.timeout(60):
        while not (new := set(workers(server)) - set(known)):
            await asyncio.sleep(0.05)
        return new.pop()
