"""Several workers on one bus hear what one of them was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from flux.kernel.bus import Bus, EmbeddedNats, LocalBus
from flux.kernel.bus.remote import NatsBus
from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.faults.dns import SandboxDns
from flux.kernel.store import SandboxClock
from flux.operator.control.relay import Relay
from flux.operator.control.schemas import DnsRecords, FaultArm, MaintenanceSwitch, PortName
from flux.operator.control.service import CLOCK, FAULTS, Maintenance, Sandbox
from flux.settings.bus import BusSettings


class Worker:
    def __init__(self, bus: Bus, ports: Ports | None = None) -> None:
        self.bus, self.ports = bus, ports or Ports(enabled=True)
        self.clock, self.dns, self.closed = SandboxClock(), SandboxDns(), set[str]()
        self.relay = Relay(bus)
        self.maintenance = Maintenance(self.closed, lambda: ["community", "content", "paygate"], self.relay)
        self.sandbox = Sandbox(self.clock, self.ports, self.no_letters, self.dns, self.relay)

    @staticmethod
    async def no_letters(to: str | None) -> list[Any]:
        return []

    async def started(self) -> Worker:
        await self.relay.start()
        return self

    @property
    def ahead(self) -> int:
        return round((self.clock.now_ms() - SandboxClock().now_ms()) / 1000)

    def armed(self) -> list[str]:
        return [str(port["port"]) for port in self.ports.state() if port["armed"]]


Hire = Callable[[], Any]


@pytest.fixture(params=["local", "nats"])
async def hire(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Hire]:
    buses: list[Bus] = []
    if request.param == "local":
        shared = LocalBus(Ports())

        async def local() -> Worker:
            buses.append(shared)
            return await Worker(shared).started()

        yield local
        await shared.close()
        return
    with EmbeddedNats.start(tmp_path / "nats") as server:

        async def remote() -> Worker:
            ports = Ports(enabled=True)
            buses.append(await NatsBus.connect(BusSettings(url=server.url), ports))
            worker = await Worker(buses[-1], ports).started()
            await worker.relay.carried()
            return worker

        yield remote
        for bus in buses:
            await bus.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.005)


async def test_each_order_reaches_every_worker(hire: Hire) -> None:
    one, two, three = await hire(), await hire(), await hire()
    one.sandbox.advance(100)
    two.sandbox.advance(50)
    two.maintenance.switch(MaintenanceSwitch(["content"], on=True))
    three.sandbox.resolve(DnsRecords("a.b", ["x"]))
    await one.sandbox.arm(FaultArm(PortName("mail"), Mode.ERROR, 5))
    workers = (one, two, three)
    await until(lambda: all(worker.ahead == 150 for worker in workers))
    await until(lambda: all(worker.closed == {"content"} for worker in workers))
    await until(lambda: all(worker.dns.txt("a.b") == ["x"] for worker in workers))
    await until(lambda: all(worker.armed() == ["mail"] for worker in workers))
    three.sandbox.disarm()
    one.maintenance.switch(MaintenanceSwitch(["content"], on=False))
    await until(lambda: not any(worker.armed() or worker.closed for worker in workers))


async def test_a_worker_that_starts_later_catches_up(hire: Hire) -> None:
    one = await hire()
    one.sandbox.advance(3600)
    one.maintenance.switch(MaintenanceSwitch(["paygate"], on=True))
    one.sandbox.resolve(DnsRecords("a.b", ["x"]))
    await one.sandbox.arm(FaultArm(PortName("mail"), Mode.CRASH))
    two, three = await hire(), await hire()
    for late in (two, three):
        await until(
            lambda late=late: (
                late.ahead == 3600 and late.closed == {"paygate"} and late.dns.txt("a.b") == ["x"]
            )
        )
        assert late.armed() == []
    assert one.ahead == 3600
    two.sandbox.advance(10)
    await until(lambda: [worker.ahead for worker in (one, two, three)] == [3610] * 3)


async def test_a_fault_of_the_bus_reaches_the_others_before_it_strikes(hire: Hire) -> None:
    one, two = await hire(), await hire()
    await one.sandbox.arm(FaultArm(PortName("bus"), Mode.UNAVAILABLE, 1))
    assert one.armed() == ["bus"]
    await until(lambda: two.armed() == ["bus"])


async def test_a_fault_that_is_spent_is_not_armed_again_by_its_echo(hire: Hire) -> None:
    one = await hire()
    await one.sandbox.arm(FaultArm(PortName("mail"), Mode.ERROR, 1))
    with pytest.raises(PortFailure):
        await one.ports.strike("mail")
    await one.relay.carried()
    assert one.armed() == []


async def test_nonsense_on_the_bus_harms_nobody() -> None:
    bus = LocalBus(Ports())
    worker = await Worker(bus).started()
    for subject in (CLOCK, FAULTS, "operator.hello", "operator.maintenance", "operator.dns"):
        for payload in (
            b"",
            b"{",
            b"\xff",
            b"[]",
            b'{"origin":"x","say":{"totals":{"a":"b"}}}',
            b'{"origin":"x","say":{"port":"moon"}}',
        ):
            bus.publish(subject, payload)
    bus.publish(CLOCK, b'{"origin":"x","say":{"totals":{"x":1e300}}}')
    assert worker.armed() == [] and worker.ahead < 2_000_000_000
    worker.clock.now_ms()
    await worker.relay.stop()
    bus.publish(CLOCK, b'{"origin":"x","say":{"totals":{"x":9}}}')
    assert worker.ahead == 0


async def test_alone_it_says_nothing() -> None:
    bus = LocalBus(Ports())
    heard: list[str] = []
    bus.subscribe("operator.>", lambda subject, payload: heard.append(subject))
    relay = Relay(bus, alone=True)
    await relay.start()
    relay.tell(CLOCK, None)
    await relay.carried()
    assert heard == []
