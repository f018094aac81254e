"""The verbs of the operator. Each takes effect here at once, and on every other worker as soon as the bus tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from flux.kernel.faults import Ports
from flux.kernel.faults.dns import SandboxDns
from flux.kernel.store import SandboxClock
from flux.operator.control import rules
from flux.operator.control.relay import Relay
from flux.operator.control.schemas import (
    ClockTotals,
    DnsRecords,
    FaultArm,
    FaultNote,
    MaintenanceSwitch,
)
from flux.operator.envelope import invalid

MAINTENANCE = "operator.maintenance"
CLOCK = "operator.clock"
FAULTS = "operator.faults"
DNS = "operator.dns"
Outbox = Callable[[str | None], Awaitable[list[Any]]]


class Maintenance:
    """Which planes answer 503 to everybody; `closed` is the house's own set."""

    def __init__(self, closed: set[str], planes: Callable[[], list[str]], relay: Relay) -> None:
        self._closed = closed
        self._planes = planes
        self._relay = relay
        relay.topic(MAINTENANCE, MaintenanceSwitch, self._apply, self._still)

    def planes(self) -> list[str]:
        return sorted(self._closed)

    def switch(self, wanted: MaintenanceSwitch) -> None:
        """Raises INVALID_REQUEST for a name that is no plane's."""
        if problems := rules.plane_problems(wanted.planes, self._planes()):
            raise invalid(problems)
        self._apply(wanted)
        self._relay.tell(MAINTENANCE, wanted)

    def _apply(self, wanted: MaintenanceSwitch) -> None:
        if wanted.on:
            self._closed.update(wanted.planes)
        else:
            self._closed.difference_update(wanted.planes)

    def _still(self) -> Iterable[MaintenanceSwitch]:
        if self._closed:
            yield MaintenanceSwitch(self.planes(), on=True)


class Sandbox:
    """Time, mail, failures and names of a test instance."""

    def __init__(
        self, clock: SandboxClock, ports: Ports, outbox: Outbox, dns: SandboxDns, relay: Relay
    ) -> None:
        self.outbox = outbox
        self._clock = clock
        self._ports = ports
        self._dns = dns
        self._relay = relay
        self._totals: dict[str, float] = {}
        relay.topic(CLOCK, ClockTotals, self._catch_up, self._advanced)
        relay.topic(FAULTS, FaultNote, self._apply_fault)
        relay.topic(DNS, DnsRecords, self._apply_dns, self._known_dns)

    def advance(self, seconds: float) -> int:
        """Every plane's time, forward; Unix milliseconds afterwards. Raises INVALID_REQUEST beyond the year 2080."""
        if problems := rules.clock_problems(self._clock.now_ms(), seconds):
            raise invalid(problems)
        mine = self._totals.get(self._relay.origin, 0.0) + seconds
        self._catch_up(ClockTotals({self._relay.origin: mine}))
        for totals in self._advanced():
            self._relay.tell(CLOCK, totals)
        return self._clock.now_ms()

    def _catch_up(self, told: ClockTotals) -> None:
        ahead = rules.unseen(self._totals, told.totals)
        if rules.clock_problems(self._clock.now_ms(), ahead):
            raise ValueError("told to advance beyond the year 2080")
        for origin, total in told.totals.items():
            self._totals[origin] = max(total, self._totals.get(origin, 0.0))
        if ahead > 0:
            self._clock.advance(ahead)

    def _advanced(self) -> Iterable[ClockTotals]:
        if self._totals:
            yield ClockTotals(dict(self._totals))

    def ports(self) -> list[dict[str, object]]:
        return self._ports.state()

    async def arm(self, wanted: FaultArm) -> None:
        """Raises INVALID_REQUEST for a combination that means nothing."""
        if problems := rules.fault_problems(wanted):
            raise invalid(problems)
        note = FaultNote(str(wanted.port), wanted.mode, wanted.count, wanted.seconds)
        self._relay.tell(FAULTS, note)
        if wanted.port == "bus":
            # The message to the other workers crosses the very port that is about to break: let it pass first.
            await self._relay.carried()
        self._apply_fault(note)

    def disarm(self) -> None:
        note = FaultNote()
        self._apply_fault(note)
        self._relay.tell(FAULTS, note)

    def _apply_fault(self, note: FaultNote) -> None:
        if note.port is None:
            self._ports.disarm()
        else:
            self._ports.arm(note.port, note.mode, note.count, note.seconds)

    def resolve(self, records: DnsRecords) -> None:
        """What the resolver sees from now on."""
        self._apply_dns(records)
        self._relay.tell(DNS, records)

    def _apply_dns(self, records: DnsRecords) -> None:
        self._dns.put(records.name, records.txt)

    def _known_dns(self) -> Iterable[DnsRecords]:
        return [DnsRecords(name, list(txt)) for name, txt in self._dns]
