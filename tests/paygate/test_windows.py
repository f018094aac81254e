"""Windows and bans shared by processes: what becomes of them while the database does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.paygate.test_monitor import migration_sets as migration_sets

from flux.kernel.bus.local import LocalBus
from flux.kernel.faults import Mode, Ports
from flux.kernel.quota import Rate
from flux.kernel.store import MigrationSet, SandboxClock, SqliteDatabase, migrate
from flux.paygate.access import repository, windows
from flux.paygate.access.windows import SharedWindows


async def test_a_ban_is_told_once_the_database_is_back(
    tmp_path: Path, migration_sets: Sequence[MigrationSet]
) -> None:
    ports = Ports(enabled=True)
    database = SqliteDatabase(tmp_path / "flux.db", ports=ports)
    await migrate(database, migration_sets)
    clock, bus = SandboxClock(), LocalBus(Ports())
    here, there = (SharedWindows(database, bus, clock) for _ in range(2))
    for process in (here, there):
        await process.start()
    ports.arm("store", Mode.ERROR, count=2)
    here.count("gateway:192.0.2.1", Rate(5, 60))
    here.ban("ip:192.0.2.1", clock.now_ms() + 60_000)
    async with asyncio.timeout(20):
        while "ip:192.0.2.1" not in there.bans:
            await asyncio.sleep(0.02)
    assert not ports.armed("store")
    assert [banned for banned, _ in await repository.bans(database, clock.now_ms())] == ["ip:192.0.2.1"]
    for process in (here, there):
        await process.stop()
    await database.close()


def test_bans_that_are_over_make_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(windows, "CAPACITY", 10)
    clock = SandboxClock()
    database = SqliteDatabase(tmp_path / "flux.db")
    shared = SharedWindows(database, LocalBus(Ports()), clock)
    now = clock.now_ms()
    for number in range(10):
        shared.ban(f"ip:{number}", now + (60_000 if number == 3 else -1))
    shared.ban("ip:new", now + 60_000)
    assert set(shared.bans) == {"ip:3", "ip:new"}
