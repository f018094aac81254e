"""What both buses promise."""

from __future__ import annotations

import asyncio
import logging

import pytest
from tests.kernel.bus.hearing import Ear

from flux.kernel.bus import Bus, LocalBus, open_bus
from flux.kernel.bus.remote import NatsBus
from flux.kernel.faults.ports import Mode, Ports
from flux.settings.bus import BusSettings

AnyBus = LocalBus | NatsBus


async def test_patterns_match_as_documented(bus: AnyBus) -> None:
    ears = {pattern: Ear() for pattern in ("a.b", "a.*", "a.>", "a.b.*", "a.b.>", "x.y", "a")}
    for pattern, ear in ears.items():
        bus.subscribe(pattern, ear)
    for subject in ("a", "a.b", "a.c", "a.b.c", "a.b.c.d", "ab.c"):
        bus.publish(subject, subject.encode())
    await ears["a.>"].wait_for(4)
    await ears["a"].wait_for(1)
    await ears["a.b.>"].wait_for(2)
    await bus.settle()
    heard = {pattern: [subject for subject, _ in ear.heard] for pattern, ear in ears.items()}
    assert heard == {
        "a.b": ["a.b"],
        "a.*": ["a.b", "a.c"],
        "a.>": ["a.b", "a.c", "a.b.c", "a.b.c.d"],
        "a.b.*": ["a.b.c"],
        "a.b.>": ["a.b.c", "a.b.c.d"],
        "x.y": [],
        "a": ["a"],
    }


async def test_each_listener_hears_each_event_once_and_in_order(bus: AnyBus) -> None:
    first, second, wide = Ear(), Ear(), Ear()
    bus.subscribe("room.1", first)
    bus.subscribe("room.1", second)
    bus.subscribe("room.*", wide)
    expected = [str(number).encode() for number in range(3000)]
    for payload in expected:
        bus.publish("room.1", payload)
    for ear in (first, second, wide):
        await ear.wait_for(3000)
    bus.publish("room.1", b"last")
    for ear in (first, second, wide):
        await ear.wait_for(3001)
        assert ear.payloads == [*expected, b"last"]


async def test_a_raising_listener_is_logged_and_hurts_nobody(
    bus: AnyBus, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(subject: str, payload: bytes) -> None:
        raise RuntimeError("a listener's bug")

    ear = Ear()
    bus.subscribe("room.1", broken)
    bus.subscribe("room.1", ear)
    with caplog.at_level(logging.ERROR, "flux.bus"):
        bus.publish("room.1", b"one")
        bus.publish("room.1", b"two")
        await ear.wait_for(2)
    assert ear.payloads == [b"one", b"two"]
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info] == [
        ("a listener's bug",)
    ] * 2


async def test_a_cancelled_listener_hears_no_more_and_others_do(bus: AnyBus) -> None:
    leaver, stayer = Ear(), Ear()
    subscription = bus.subscribe("room.1", leaver)
    bus.subscribe("room.1", stayer)
    bus.publish("room.1", b"one")
    await leaver.wait_for(1)
    subscription.cancel()
    subscription.cancel()
    bus.publish("room.1", b"two")
    await stayer.wait_for(2)
    assert leaver.payloads == [b"one"]


async def test_the_last_one_out_and_in_again(bus: AnyBus) -> None:
    first, again = Ear(), Ear()
    bus.subscribe("room.1", first).cancel()
    await bus.settle()
    bus.publish("room.1", b"nobody")
    bus.subscribe("room.1", again)
    bus.publish("room.1", b"again")
    await again.wait_for(1)
    assert (first.payloads, again.payloads) == ([], [b"again"])


async def test_a_listener_may_cancel_another_while_the_event_goes_round(bus: AnyBus) -> None:
    second = Ear()
    done = Ear()

    def first(subject: str, payload: bytes) -> None:
        later.cancel()

    bus.subscribe("room.1", first)
    later = bus.subscribe("room.1", second)
    bus.subscribe("room.1", done)
    bus.publish("room.1", b"one")
    await done.wait_for(1)
    assert second.payloads == []


async def test_what_a_listener_publishes_comes_after_the_event_at_hand(bus: AnyBus) -> None:
    def answer(subject: str, payload: bytes) -> None:
        if payload == b"question":
            bus.publish(subject, b"answer")

    late = Ear()
    bus.subscribe("room.1", answer)
    bus.subscribe("room.1", late)
    bus.publish("room.1", b"question")
    await late.wait_for(2)
    assert late.payloads == [b"question", b"answer"]


async def test_a_bad_subject_is_a_bug_on_either_bus(bus: AnyBus) -> None:
    for subject in ("", "a b", "a\r\nPUB x", "a.*", "a.>", "*", ".a", "a.", "a..b"):
        with pytest.raises(ValueError, match="subject"):
            bus.publish(subject, b"")


async def test_a_wildcard_stands_at_the_end_or_nowhere(bus: AnyBus) -> None:
    for pattern in ("", "*", ">", "a.*.b", "a.>.b", "a*", "*.a", "a..>"):
        with pytest.raises(ValueError, match="subject"):
            bus.subscribe(pattern, Ear())


@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.GARBAGE, Mode.UNAVAILABLE, Mode.TIMEOUT])
async def test_a_bus_fault_loses_that_event_and_no_other(bus: AnyBus, mode: Mode) -> None:
    ear = Ear()
    bus.subscribe("room.1", ear)
    bus._ports.arm("bus", mode, count=2)
    for payload in (b"one", b"two", b"three", b"four"):
        bus.publish("room.1", payload)
    await ear.wait_for(2)
    assert ear.payloads == [b"three", b"four"]
    assert bus.dropped == 2


async def test_a_delayed_bus_keeps_the_order(bus: AnyBus) -> None:
    ear = Ear()
    bus.subscribe("room.1", ear)
    bus._ports.arm("bus", Mode.DELAY, seconds=0.1)
    started = asyncio.get_running_loop().time()
    for payload in (b"one", b"two", b"three"):
        bus.publish("room.1", payload)
    assert ear.payloads == []
    await ear.wait_for(3)
    assert ear.payloads == [b"one", b"two", b"three"]
    assert asyncio.get_running_loop().time() - started >= 0.09


async def test_a_closed_bus_takes_events_and_forgets_them(bus: AnyBus) -> None:
    ear = Ear()
    bus.subscribe("room.1", ear)
    await bus.close()
    bus.publish("room.1", b"late")
    await asyncio.sleep(0.05)
    assert ear.payloads == []


async def test_the_default_is_this_process_alone() -> None:
    bus: Bus = await open_bus(BusSettings(), Ports())
    assert isinstance(bus, LocalBus)
    ear = Ear()
    bus.subscribe("a.b", ear)
    bus.publish("a.b", b"now")
    assert ear.payloads == [b"now"], "the local bus tells its listeners inside publish"
