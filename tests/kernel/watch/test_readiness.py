from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from flux.kernel.bus import LocalBus
from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.store.sqlite import SqliteDatabase
from flux.kernel.watch import NotReady, Readiness, watch_bus, watch_store


async def fine() -> None:
    return None


async def test_no_check_at_all_is_ready() -> None:
    report = await Readiness().report()
    assert report.ready and report.status == "ok" and report.checks == {}


async def test_each_check_is_named_with_its_outcome() -> None:
    async def broken() -> None:
        raise NotReady("no node answers")

    readiness = Readiness()
    readiness.add("store", fine)
    readiness.add("paygate.chain.base", broken)
    report = await readiness.report()
    assert not report.ready and report.status == "unavailable"
    assert report.checks["store"].status == "ok" and report.checks["store"].reason == ""
    assert report.checks["paygate.chain.base"].reason == "no node answers"
    readiness.remove("paygate.chain.base")
    assert (await readiness.report()).status == "ok"


async def test_an_optional_check_only_degrades() -> None:
    async def broken() -> None:
        raise PortFailure("captcha", Mode.UNAVAILABLE)

    readiness = Readiness()
    readiness.add("store", fine)
    readiness.add("captcha", broken, required=False)
    report = await readiness.report()
    assert report.ready and report.status == "degraded"
    assert report.checks["captcha"].reason == "captcha: unavailable" and not report.checks["captcha"].required


async def test_checks_run_side_by_side_each_within_its_deadline() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    readiness = Readiness(deadline_seconds=0.1)
    for number in range(20):
        readiness.add(f"slow.{number}", never)
    readiness.add("own", never, seconds=0.02)
    began = asyncio.get_running_loop().time()
    report = await readiness.report()
    assert asyncio.get_running_loop().time() - began < 1.0
    assert report.checks["slow.7"].reason == "no answer within 0.1 seconds"
    assert report.checks["own"].reason == "no answer within 0.02 seconds"


async def test_the_text_of_an_unforeseen_failure_goes_to_the_log_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> None:
        raise RuntimeError("postgres://flux:pw@db is down")

    readiness = Readiness()
    readiness.add("store", broken)
    with caplog.at_level(logging.WARNING, "flux.watch"):
        report = await readiness.report()
    assert "postgres" not in report.checks["store"].reason and report.checks["store"].reason
    assert caplog.records[0].exc_info is not None


async def test_askers_share_one_run_and_one_who_leaves_takes_nothing_away() -> None:
    runs, go = 0, asyncio.Event()

    async def counted() -> None:
        nonlocal runs
        runs += 1
        await go.wait()

    readiness = Readiness()
    readiness.add("store", counted)
    askers = [asyncio.create_task(readiness.report()) for _ in range(10)]
    await asyncio.sleep(0.01)
    askers[0].cancel()
    await asyncio.sleep(0)
    go.set()
    reports = await asyncio.gather(*askers[1:])
    assert runs == 1 and all(report.ready for report in reports)
    await readiness.report()
    assert runs == 2


async def test_store_and_bus_are_asked_through_their_ports(tmp_path: Path) -> None:
    ports = Ports(enabled=True)
    db, bus = SqliteDatabase(tmp_path / "flux.db", ports=ports), LocalBus(ports)
    readiness = Readiness(deadline_seconds=0.2)
    readiness.add("store", watch_store(db))
    readiness.add("bus", watch_bus(bus))
    assert (await readiness.report()).status == "ok"
    ports.arm("store", Mode.ERROR)
    ports.arm("bus", Mode.UNAVAILABLE)
    report = await readiness.report()
    assert report.checks["store"].reason == "store: error (injected)"
    assert report.checks["bus"].reason == "no answer within 0.2 seconds"
    assert (await readiness.report()).status == "ok"
    await bus.close()
    await db.close()
