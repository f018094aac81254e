"""What was committed is told by somebody, heard once, and struck out: two ends on one PostgreSQL and one NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.harness.databases import fresh_postgres_url
from tests.kernel.bus.hearing import Ear

from flux.kernel.bus import EmbeddedNats, migrations, open_bus
from flux.kernel.bus.heard import Heard
from flux.kernel.bus.remote import NatsBus
from flux.kernel.bus.untold import Untold
from flux.kernel.faults.ports import Mode, Ports
from flux.kernel.store import PostgresDatabase, SqliteDatabase, SystemClock, Transaction, migrate
from flux.settings.bus import BusSettings


@dataclass
class End:
    """One process. `untold` looks and confirms only when it is told to."""

    db: PostgresDatabase
    bus: NatsBus
    untold: Untold
    ports: Ports
    ear: Ear

    async def tell(self, *events: tuple[str, bytes]) -> None:
        async def work(tx: Transaction) -> None:
            for subject, payload in events:
                self.bus.tell(tx, subject, payload)

        await self.db.transact(work)

    async def look(self) -> int:
        """At what is a moment old."""
        await asyncio.sleep(0.01)
        return await self.untold.look()

    async def waiting(self) -> int:
        return int(await self.db.value("SELECT COUNT(*) FROM untold", {}))

    async def sent(self) -> None:
        """Everything told so far has come through, or was lost."""
        await self.bus.settle()


MakeEnd = Callable[..., Awaitable[End]]


@pytest.fixture
async def make_end(nats_server: EmbeddedNats) -> AsyncIterator[MakeEnd]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_postgres_url())

        async def make(**change: float) -> End:
            ports = Ports(enabled=True, deadline_seconds=0.05)
            told = {
                "retell_after_seconds": 0.001,
                "retell_lease_seconds": 0.001,
                "reconnect_wait_seconds": 0.02,
            }
            settings = BusSettings(url=nats_server.url, **told | change)  # type: ignore[arg-type]
            db = await PostgresDatabase.connect(url)
            stack.push_async_callback(db.close)
            await migrate(db, [migrations()])
            bus = await open_bus(settings, ports, db)
            stack.push_async_callback(bus.close)
            assert isinstance(bus, NatsBus)
            assert bus.untold is not None
            ear = Ear()
            bus.subscribe("room.1", ear)
            await bus.settle()
            return End(db, bus, bus.untold, ports, ear)

        yield make


async def marked(end: End, *ears: Ear) -> list[list[bytes]]:
    """What the ears heard until an event that comes last."""
    await end.sent()
    end.bus.publish("room.1", b"mark")
    async with asyncio.timeout(30):
        while not all(b"mark" in ear.payloads for ear in ears):
            await asyncio.sleep(0.005)
    return [[payload for payload in ear.payloads if payload != b"mark"] for ear in ears]


async def test_what_was_not_sent_is_told_by_another_and_once(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    one.ports.arm("bus", Mode.ERROR)
    await one.tell(("room.1", b"said"))
    await one.sent()
    assert (one.ear.payloads, await one.waiting()) == ([], 1)
    assert await other.look() == 1
    assert await marked(other, one.ear, other.ear) == [[b"said"], [b"said"]]
    assert await other.waiting() == 0
    assert await other.look() == 0


async def test_of_a_unit_that_was_told_in_part_only_the_rest_is_heard_again(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    one.ports.arm("bus", Mode.ERROR, count=1)
    await one.tell(("room.1", b"first"), ("room.1", b"second"))
    await one.untold.confirm()
    assert (one.ear.payloads, await one.waiting()) == ([b"second"], 1)
    await other.look()
    assert await marked(other, one.ear, other.ear) == [[b"second", b"first"]] * 2


async def test_a_publisher_that_is_only_slow_is_not_heard_twice(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    one.ports.arm("bus", Mode.DELAY, seconds=0.5)
    await one.tell(("room.1", b"said"))
    assert await other.look() == 1, "one has not confirmed it"
    await other.ear.wait_for(1)
    assert await marked(one, one.ear, other.ear) == [[b"said"], [b"said"]], "its own comes late"
    await one.tell(("room.1", b"said"))
    assert await marked(one, one.ear, other.ear) == [[b"said"] * 2] * 2, "the same words again are news"


async def test_what_was_told_is_struck_out_and_not_told_again(make_end: MakeEnd) -> None:
    one, other = await make_end(retell_after_seconds=60.0), await make_end(retell_after_seconds=60.0)
    for number in range(20):
        await one.tell(("room.1", b"%d" % number))
    assert await one.waiting() == 20
    assert await other.look() == 0, "too young"
    await one.untold.confirm()
    assert await one.waiting() == 0
    assert await marked(one, other.ear) == [[b"%d" % number for number in range(20)]]


async def test_a_unit_that_is_rolled_back_leaves_nothing(make_end: MakeEnd) -> None:
    one = await make_end()

    async def work(tx: Transaction) -> None:
        one.bus.tell(tx, "room.1", b"never")
        raise KeyError

    with pytest.raises(KeyError):
        await one.db.transact(work)
    assert await one.waiting() == 0
    assert await marked(one, one.ear) == [[]]


async def test_one_row_carries_every_event_of_a_unit(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    far = Ear()
    other.bus.subscribe("room.*", far)
    await other.bus.settle()
    one.ports.arm("bus", Mode.ERROR, count=4)
    payload = b"to many"
    await one.tell(("room.1", payload), ("room.2", payload), ("room.3", payload), ("room.1", b"'; DROP\x00"))
    await one.sent()
    assert await one.waiting() == 1
    await other.look()
    await far.wait_for(4)
    assert far.heard == [
        ("room.1", payload),
        ("room.2", payload),
        ("room.3", payload),
        ("room.1", b"'; DROP\x00"),
    ]
    assert await marked(other, other.ear) == [[payload, b"'; DROP\x00"]], "two patterns, each hears once"


async def test_who_knows_better_says_what_is_told_late(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    failing = True

    async def revise(subject: str, payload: bytes) -> bytes | None:
        if failing:
            raise RuntimeError("not now")
        return None if payload == b"gone" else payload.upper()

    other.bus.on_retold("room.", revise)
    one.ports.arm("bus", Mode.ERROR, count=2)
    await one.tell(("room.1", b"gone"), ("room.1", b"changed"))
    await one.sent()
    assert await other.look() == 1
    assert (await other.waiting(), other.ear.payloads) == (1, []), "it is tried again"
    failing = False
    assert await other.look() == 1
    assert await marked(other, one.ear) == [[b"CHANGED"]]
    assert await other.waiting() == 0


async def test_what_somebody_is_about_to_tell_is_left_to_them(make_end: MakeEnd) -> None:
    one, other, third = await make_end(), await make_end(retell_lease_seconds=60.0), await make_end()

    async def fail(subject: str, payload: bytes) -> bytes | None:
        raise RuntimeError("not now")

    other.bus.on_retold("room.", fail)
    one.ports.arm("bus", Mode.ERROR)
    await one.tell(("room.1", b"said"))
    await one.sent()
    assert await other.look() == 1
    assert await third.look() == 0
    assert await third.waiting() == 1


async def test_who_is_held_up_leaves_it_to_others(make_end: MakeEnd) -> None:
    one, other = await make_end(), await make_end()
    one.ports.arm("bus", Mode.DELAY, seconds=0.5)
    await one.tell(("room.1", b"said"))
    looking = asyncio.create_task(one.look())
    await asyncio.sleep(0.05)
    assert await other.look() == 1
    await other.ear.wait_for(1)
    assert await looking == 0
    assert await marked(one, other.ear) == [[b"said"]]


async def test_many_lookers_take_each_unit_once(make_end: MakeEnd) -> None:
    one = await make_end()
    others = [await make_end(retell_lease_seconds=60.0) for _ in range(3)]
    one.ports.arm("bus", Mode.ERROR, count=50)
    for number in range(50):
        await one.tell(("room.1", b"%d" % number))
    await one.sent()
    await asyncio.sleep(0.01)
    assert sum(await asyncio.gather(*(each.look() for each in others))) == 50
    assert [sorted(each) for each in await marked(others[0], one.ear)] == [
        sorted(b"%d" % n for n in range(50))
    ]
    assert await one.waiting() == 0


async def test_what_is_too_old_is_dropped_also_while_the_bus_is_away(
    make_end: MakeEnd, nats_server: EmbeddedNats
) -> None:
    one = await make_end()
    nats_server.stop()
    async with asyncio.timeout(30):
        while await one.bus.passable():
            await asyncio.sleep(0.005)
    await one.tell(("room.1", b"held"))
    assert await one.look() == 0
    assert await one.waiting() == 1, "there is nobody to tell"
    impatient = BusSettings(retell_after_seconds=0.001, retell_within_seconds=0.001)
    await asyncio.sleep(0.01)
    await Untold(one.db, one.bus, SystemClock(), impatient).look()
    assert await one.waiting() == 0


async def test_what_did_not_fit_into_the_buffer_is_told_later(make_end: MakeEnd) -> None:
    one, other = await make_end(buffer_events=1), await make_end()
    one.ports.arm("bus", Mode.DELAY, seconds=0.1)
    await one.tell(("room.1", b"fits"), ("room.1", b"does not"))
    await one.untold.confirm()
    assert (one.bus.dropped, await one.waiting()) == (1, 1)
    await other.look()
    assert await marked(other, other.ear) == [[b"fits", b"does not"]]


async def test_a_process_that_ends_in_order_leaves_no_row(make_end: MakeEnd) -> None:
    one = await make_end()
    await one.bus.start()
    await one.tell(("room.1", b"last"))
    await one.bus.close()
    assert await one.waiting() == 0


async def test_one_process_alone_writes_nothing_down(nats_server: EmbeddedNats, tmp_path: Path) -> None:
    settings = BusSettings(url=nats_server.url)
    db = SqliteDatabase(tmp_path / "flux.db")
    await migrate(db, [migrations()])
    bus = await open_bus(settings, Ports(), db)
    ear = Ear()
    bus.subscribe("room.1", ear)
    await bus.settle()

    async def work(tx: Transaction) -> None:
        bus.tell(tx, "room.1", b"said")

    await db.transact(work)
    await ear.wait_for(1)
    assert await db.value("SELECT COUNT(*) FROM untold", {}) == 0
    await bus.close()
    await db.close()


def test_what_is_remembered_is_bounded() -> None:
    heard = Heard(100)
    assert heard.first("a", "1.0")
    assert not heard.first("a", "1.0")
    assert heard.first("b", "1.0"), "another pattern has listeners of its own"
    for number in range(2, 150):
        assert heard.first("a", f"{number}.0")
    assert not heard.first("a", "149.0")
    assert not heard.first("a", "60.0"), "two generations"
    for number in range(150, 500):
        heard.first("a", f"{number}.0")
    assert heard.first("a", "1.0"), "forgotten"
    assert len(heard._young) + len(heard._old) <= 200
