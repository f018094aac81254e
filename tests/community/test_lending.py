"""Two processes in one: a session in one of them, its connection in the other, and a bus that loses letters."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from flux.community.realtime.borrowing import BorrowedSocket
from flux.community.realtime.connection import Connection
from flux.community.realtime.lending import Lent
from flux.community.realtime.letters import PIECE, Ask
from flux.community.realtime.neighbours import Neighbours
from flux.community.realtime.protocol import Frame, Refused
from flux.community.realtime.session import Session
from flux.community.users.records import UserRow
from flux.kernel.bus.port import Bus
from flux.kernel.bus.subjects import Subjects
from flux.kernel.store import SystemClock
from flux.kernel.wire import SocketClosed
from flux.settings.community import Realtime

SWEEP = 2.0


class LossyBus:
    """Delivers in order, in a later turn of the loop; `loses` says what does not arrive."""

    shared = True

    def __init__(self) -> None:
        self.loses: Callable[[], bool] = lambda: False
        self.lost = 0
        self.largest = 0
        self._subjects = Subjects()

    def publish(self, subject: str, payload: bytes) -> None:
        self.largest = max(self.largest, len(payload))
        if self.loses():
            self.lost += 1
        else:
            asyncio.get_running_loop().call_soon(self._subjects.tell, subject, payload)

    def subscribe(self, subject: str, listener: Any) -> Any:
        return self._subjects.add(subject, listener)

    def on_loss(self, listener: Callable[[], None]) -> None:
        """It does not know."""


class Client:
    """The socket of a client that reads when it is told to."""

    def __init__(self) -> None:
        self.read: list[dict[str, Any]] = []
        self.code = 0
        self.room = 1_000_000
        self._reads: asyncio.Future[None] | None = None

    async def receive(self) -> bytes:
        raise NotImplementedError

    def send_now(self, message: str | bytes) -> bool:
        assert isinstance(message, str)
        if self.room > 0:
            self.room -= 1
            self.read.append(json.loads(message))
            return True
        return False

    async def send_text(self, text: str) -> None:
        while not self.send_now(text):
            self._reads = asyncio.get_running_loop().create_future()
            await self._reads

    async def send_bytes(self, data: bytes) -> None:
        raise NotImplementedError

    def reads(self, count: int) -> None:
        self.room += count
        if self._reads is not None and not self._reads.done():
            self._reads.set_result(None)

    async def close(self, code: int, reason: str = "") -> None:
        self.code = code


class Somebody:
    id = 1
    bot = 0


class Scene:
    """The session's process, and the one clients come to."""

    def __init__(self, **limits: Any) -> None:
        self.bus = LossyBus()
        self.limits = Realtime(**limits)
        bus = cast(Bus, self.bus)
        self.owner = Neighbours(bus, SystemClock(), self.limits)
        self.lender = Neighbours(bus, SystemClock(), self.limits)
        self.owner.hosting = self._host
        user = cast(UserRow, Somebody())
        self.session = Session(self.owner.new_session_id(), user, b"hash", None, self.limits)
        self.session.hold()
        self.session.welcome(Frame.of("READY", {}))
        self.session.release()
        self.socket: BorrowedSocket | None = None
        self.heard: list[bytes] = []
        self.codes: list[int] = []
        self._following: set[asyncio.Task[None]] = set()

    def _host(self, socket: BorrowedSocket, ask: Ask) -> None:
        if ask.session_id != self.session.id or not self.session.can_resume_after(ask.seq):
            socket.refuse()
            return
        if ask.token_hash != self.session.token_hash:
            socket.refuse(4004, "not yours")
            return
        socket.accept()
        self.socket = socket
        self.session.attach(Connection(socket, None, 0.0), after=ask.seq)
        task = asyncio.create_task(self._follow(socket))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _follow(self, socket: BorrowedSocket) -> None:
        connection = self.session.connection
        try:
            while True:
                self.heard.append(await socket.receive())
        except SocketClosed as closed:
            self.codes.append(closed.code)
            if self.session.connection is connection:
                self.session.detach(0.0)

    async def resume(self, seq: int) -> tuple[Client, Lent | None]:
        client = Client()
        connection = Connection(client, None, 0.0)
        return client, await self.lender.lend(connection, self.session.id, b"hash", seq)

    def push(self, number: int, size: int = 0) -> None:
        self.session.push(Frame.of("E", {"n": number, "x": "ü" * size}))

    def tick(self) -> None:
        self.owner.tick(SWEEP)
        self.lender.tick(SWEEP)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene(lending_window=10_000)
    yield made
    for task in list(made._following):
        task.cancel()


async def test_payloads_of_any_length_arrive_whole(scene: Scene) -> None:
    client, lent = await scene.resume(1)
    for number, size in enumerate((0, PIECE - 1, PIECE, 9 * PIECE + 7, 1)):
        scene.push(number, size)
        await turns()
        assert (client.read[-1]["d"]["n"], len(client.read[-1]["d"]["x"])) == (number, size)
    assert scene.bus.largest < 1_000_000, "what NATS takes where nothing else is set"
    assert lent is not None
    lent.hear('{"op":1}')
    await turns()
    assert scene.heard == [b'{"op":1}']


async def test_no_more_is_under_way_than_the_client_takes(scene: Scene) -> None:
    client, _ = await scene.resume(1)
    client.room = 3
    for number in range(2000):
        scene.push(number, 100)
        if number % 10 == 0:
            await turns()
    assert scene.session.sent < 200, "the rest waits in the session"
    while len(client.read) < 2001 and not client.code:
        client.reads(7)
        await turns()
    read = [each["d"]["n"] for each in client.read if each["t"] == "E"]
    assert read == list(range(len(read)))
    # Or it was too slow meanwhile; then nothing of what it got is missing either.
    assert client.code == 4000 or len(read) == 2000


async def test_many_events_go_in_one_letter(scene: Scene) -> None:
    client, _ = await scene.resume(1)
    published = 0

    def count() -> bool:
        nonlocal published
        published += 1
        return False

    scene.bus.loses = count
    for number in range(50):
        scene.push(number)
    await turns()
    assert len([each for each in client.read if each["t"] == "E"]) == 50
    assert published == 1


async def test_what_is_refused(scene: Scene) -> None:
    client = Client()
    connection = Connection(client, None, 0.0)
    with pytest.raises(Refused) as refused:
        await scene.lender.lend(connection, scene.session.id, b"other", 1)
    assert refused.value.code == 4004
    assert await scene.lender.lend(connection, scene.session.id, b"hash", -5) is None
    assert await scene.lender.lend(connection, scene.owner.key + "0" * 24, b"hash", 1) is None
    for nobodys in ("", "x" * 32, scene.session.id + "0", scene.lender.key + "0" * 24, "*" * 32, ".>" * 16):
        assert await scene.lender.lend(connection, nobodys, b"hash", 1) is None
    assert client.code == 0
    _, lent = await scene.resume(1)
    assert lent is not None


async def test_made_up_keys_leave_nothing_behind() -> None:
    scene = Scene(lending_answer_seconds=0.01)
    for number in range(20):
        answer = await scene.lender.lend(Connection(Client(), None, 0.0), f"{number:032x}", b"hash", 1)
        assert answer is None
    assert scene.lender._known == {}


async def test_a_clean_end_is_told_and_so_is_any_other(scene: Scene) -> None:
    for code in (1000, 1006):
        _, lent = await scene.resume(scene.session.sent)
        assert lent is not None
        lent.end(code)
        await turns()
        assert scene.codes[-1] == code
        assert scene.session.connection is None


async def test_a_lost_answer_is_noticed_by_what_follows_it(scene: Scene) -> None:
    client = Client()
    asked = asyncio.create_task(
        scene.lender.lend(Connection(client, None, 0.0), scene.session.id, b"hash", 1)
    )
    while scene.socket is None:
        await turns(1)
    scene.bus.loses = lambda: True
    await turns()
    scene.bus.loses = lambda: False
    assert (scene.bus.lost, asked.done()) == (1, False)
    scene.push(0)
    await turns()
    assert await asked is None
    assert (client.code, client.read, scene.session.connection) == (4000, [], None)


@pytest.mark.parametrize("silent", ["owner", "lender"])
async def test_silence_ends_what_is_between_two(scene: Scene, silent: str) -> None:
    client, _ = await scene.resume(1)
    for _ in range(20):
        scene.tick()
        await turns()
    assert client.code == 0
    one = scene.owner if silent == "lender" else scene.lender
    for _ in range(6):
        one.tick(SWEEP)
        await turns()
    assert client.code == 4000
    assert scene.session.connection is None


async def test_who_forgot_the_other_is_told(scene: Scene) -> None:
    """A process that knows of no connection says so, whichever end the other believes to hold."""
    client, _ = await scene.resume(1)
    scene.owner._known.clear()
    scene.lender.tick(SWEEP)
    await turns()
    assert client.code == 4000
    client, lent = await scene.resume(scene.session.sent)
    assert lent is not None
    scene.lender._known.clear()
    scene.owner.tick(SWEEP)
    await turns()
    assert scene.codes[-1] == 1006


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_is_lost_the_client_loses_and_repeats_nothing(seed: int) -> None:
    dice = random.Random(seed)
    scene = Scene(
        lending_window=3000, lending_answer_seconds=0.01, queue_events=100_000, buffer_events=100_000
    )
    scene.bus.loses = lambda: dice.random() < 0.03
    got: list[int] = []
    seq, pushed, resumes = 1, 0, 0
    while len(got) < 600:
        client, lent = await scene.resume(seq)
        resumes += 1
        if lent is None:
            continue
        client.room = dice.randrange(30)
        for _ in range(dice.randrange(5, 120)):
            if pushed < 600:
                scene.push(pushed, dice.choice((0, 10, 500)))
                pushed += 1
            if dice.random() < 0.3:
                client.reads(dice.randrange(10))
            if dice.random() < 0.2:
                scene.tick()
            await turns(dice.randrange(4))
            if client.code:
                break
        lent.end(1006)
        got += [each["d"]["n"] for each in client.read if each["t"] == "E"]
        assert got == list(range(len(got)))
        seq = 1 + len(got)
    assert got == list(range(600))
    assert scene.bus.lost
    assert resumes > 1
    scene.bus.loses = lambda: False
    for _ in range(8):
        scene.tick()
        await turns()
    assert not any(each.has_links() for part in (scene.owner, scene.lender) for each in part._known.values())
    for task in list(scene._following):
        task.cancel()
