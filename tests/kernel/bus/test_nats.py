"""What only the bus between processes has to prove: two ends, a server that goes away, a buffer that fills."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.kernel.bus.hearing import Ear

from flux.kernel.bus import EmbeddedNats, open_bus
from flux.kernel.bus.remote import NatsBus, _within
from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.settings.bus import BusSettings


async def joined(url: str, **settings: object) -> NatsBus:
    bus = await open_bus(BusSettings(url=url, reconnect_wait_seconds=0.02, **settings), Ports())  # type: ignore[arg-type]
    assert isinstance(bus, NatsBus)
    return bus


def port_of(server: EmbeddedNats) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


async def test_an_event_crosses_from_one_bus_to_the_other(nats_server: EmbeddedNats) -> None:
    here, there = await joined(nats_server.url), await joined(nats_server.url)
    near, far = Ear(), Ear()
    here.subscribe("room.1", near)
    there.subscribe("room.>", far)
    await asyncio.gather(here.settle(), there.settle())
    for number in range(2000):
        here.publish("room.1", str(number).encode())
    await near.wait_for(2000)
    await far.wait_for(2000)
    assert near.payloads == far.payloads == [str(number).encode() for number in range(2000)]
    await here.close()
    await there.close()


async def test_closing_sends_what_is_still_held(nats_server: EmbeddedNats) -> None:
    here, there = await joined(nats_server.url), await joined(nats_server.url)
    far = Ear()
    there.subscribe("room.1", far)
    await there.settle()
    for _ in range(5000):
        here.publish("room.1", b"x")
    await here.close()
    await far.wait_for(5000)
    await there.close()


async def test_events_held_while_the_server_is_away_arrive_after_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedNats.start(tmp_path / "nats")
    bus = await joined(server.url, buffer_events=10)
    ear = Ear()
    bus.subscribe("room.1", ear)
    bus.publish("room.1", b"before")
    await ear.wait_for(1)
    port, token = port_of(server), urlsplit(server.url).username or ""
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    async with asyncio.timeout(30):
        while bus._client.is_connected:
            await asyncio.sleep(0.005)
    for number in range(15):
        bus.publish("room.1", str(number).encode())
    assert bus.dropped == 5
    with EmbeddedNats.start(tmp_path / "nats", port=port, token=token):
        await ear.wait_for(11)
        kept = [str(number).encode() for number in range(10)]
        assert ear.payloads == [b"before", *kept], "the oldest are kept, in order"
        bus.publish("room.1", b"after")
        await ear.wait_for(12)
        await bus.close()


async def test_a_full_buffer_drops_the_newest_says_so_and_never_blocks(
    nats_server: EmbeddedNats, caplog: pytest.LogCaptureFixture
) -> None:
    bus = await joined(nats_server.url, buffer_bytes=1000)
    ear = Ear()
    bus.subscribe("room.1", ear)
    await bus.settle()
    with caplog.at_level(logging.WARNING, "flux.bus"):
        for number in range(100):
            bus.publish("room.1", b"%03d" % number + b"x" * 91)
        await ear.wait_for(10)
        await bus.settle()
    assert [payload[:3] for payload in ear.payloads] == [b"%03d" % number for number in range(10)]
    assert bus.dropped == 90
    assert [record.getMessage() for record in caplog.records] == [
        "NATS does not keep up: 10 events are held, new ones are dropped",
        "NATS keeps up again; 90 events dropped since start",
    ]
    await bus.close()


async def test_an_event_too_large_for_the_server_is_counted_and_the_next_one_passes(
    nats_server: EmbeddedNats,
) -> None:
    bus = await joined(nats_server.url)
    ear = Ear()
    bus.subscribe("room.1", ear)
    bus.publish("room.1", b"x" * (9 * 1024 * 1024))
    bus.publish("room.1", b"small")
    await ear.wait_for(1)
    assert (ear.payloads, bus.dropped) == ([b"small"], 1)
    await bus.close()


async def test_no_server_is_an_unavailable_port(nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    nats_server.stop()
    with pytest.raises(PortFailure) as caught:
        await joined(url, connect_seconds=0.3)
    assert (caught.value.port, caught.value.mode) == ("bus", Mode.UNAVAILABLE)


async def test_a_wrong_token_is_refused_and_not_logged(
    nats_server: EmbeddedNats, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "flux.bus"), pytest.raises(PortFailure):
        await joined(f"nats://guessed@127.0.0.1:{port_of(nats_server)}", connect_seconds=0.3)
    assert caplog.records
    assert "guessed" not in caplog.text


async def test_the_embedded_server_keeps_its_token_to_itself(
    nats_server: EmbeddedNats, tmp_path: Path
) -> None:
    token = urlsplit(nats_server.url).username or ""
    assert len(token) == 32
    assert stat.S_IMODE((tmp_path / "nats" / "nats.conf").stat().st_mode) == 0o600
    assert token.encode() not in Path(f"/proc/{nats_server.pid}/cmdline").read_bytes()


def lives(pid: int) -> bool:
    """Not gone, and not waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while lives(pid):
            await asyncio.sleep(0.02)


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    server = EmbeddedNats.start(tmp_path / "nats")
    pid = server.pid
    assert lives(pid)
    server.stop()
    server.stop()
    assert not lives(pid)


OWNER = """
import os, signal, sys
from pathlib import Path
from flux.kernel.bus import EmbeddedNats
print(EmbeddedNats.start(Path(sys.argv[1])).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_the_server_does_not_outlive_an_owner_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "nats")]
    owner = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, check=False)
    assert owner.returncode == -signal.SIGKILL
    await gone(int(owner.stdout))


def test_a_port_that_is_taken_is_an_unavailable_port_at_once(
    nats_server: EmbeddedNats, tmp_path: Path
) -> None:
    with pytest.raises(PortFailure) as caught:
        EmbeddedNats.start(tmp_path / "second", port=port_of(nats_server))
    assert (caught.value.mode, caught.value.reason) == (Mode.UNAVAILABLE, "start")


async def test_a_server_left_behind_is_replaced(tmp_path: Path) -> None:
    lost = EmbeddedNats.start(tmp_path / "nats")
    with EmbeddedNats.start(tmp_path / "nats") as server:
        await gone(lost.pid)
        bus = await joined(server.url)
        await bus.settle()
        await bus.close()
    lost.stop()


async def test_who_does_not_hear_a_cancellation_is_asked_again() -> None:
    async def deaf() -> None:
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    async with asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await _within(0.01, deaf())
