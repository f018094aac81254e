"""The operator surface as a plane at the root, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flux.kernel.faults.dns import SandboxDns
from flux.kernel.house import House
from flux.kernel.store import SandboxClock
from flux.kernel.watch import Metrics, Readiness, watch_bus, watch_store
from flux.kernel.wire import Cors, Limits, Plane, Routes
from flux.operator.control import endpoints as control
from flux.operator.control.relay import Relay
from flux.operator.control.service import Maintenance, Outbox, Sandbox
from flux.operator.envelope import OperatorEnvelope
from flux.operator.faults import operator
from flux.operator.gate import gate_for, implied
from flux.operator.pages import endpoints as pages
from flux.operator.probes import endpoints as probes
from flux.operator.probes.gathering import Gathering, siblings
from flux.operator.reference import Proofs
from flux.operator.reference import endpoints as errors

Documents = Callable[[str], bytes | None] | Mapping[str, bytes]


def routes(*, sandbox: bool) -> Routes:
    """Outside the sandbox its routes do not exist: their paths are unknown ones."""
    rooms = [pages.routes, probes.routes, errors.routes, control.operator]
    return Routes.joined([*rooms, control.sandbox] if sandbox else rooms)


def outline(*, sandbox: bool) -> Plane:
    """The surface without a house behind it: what the reference and the tests read."""
    return Plane(
        name="operator",
        mount="",
        routes=routes(sandbox=sandbox),
        faults=operator,
        envelope=OperatorEnvelope(),
        title="Operator surface",
        implied=implied,
        cors=Cors(),
    )


def build(
    house: House,
    planes: Callable[[], list[Plane]],
    *,
    outbox: Outbox,
    openapi: Documents,
    metrics: Metrics,
    readiness: Readiness,
    dns: SandboxDns | None = None,
    proofs: Proofs | None = None,
) -> Plane:
    """`planes` gives every plane once all are built, this one included or not. `outbox(to)` lists the messages of the
    sandbox, newest first. `openapi` finds a plane's document by its name. Adds the checks `store` and `bus`."""
    plane = outline(sandbox=house.sandbox)
    plane.gate = gate_for(house.operator)
    server = house.settings.server
    plane.limits = Limits(body_bytes=65_536, body_seconds=server.body_seconds, depth=server.depth)

    def all_planes() -> list[Plane]:
        return [*(one for one in planes() if one is not plane), plane]

    def mounted() -> list[str]:
        return [one.name for one in all_planes() if one is not plane]

    _watch(house, metrics, readiness)
    relay = Relay(house.bus, alone=not house.settings.bus.url)
    gathering = Gathering(house.bus, metrics, workers=server.workers, group=siblings())
    find = openapi.get if isinstance(openapi, Mapping) else openapi
    plane.provide(
        gathering,
        readiness,
        probes.Documents(find),
        pages.Welcome(all_planes, house.sandbox),
        errors.Reference(all_planes, proofs),
        Maintenance(house.maintenance, mounted, relay),
    )
    if house.sandbox and isinstance(house.clock, SandboxClock):
        plane.provide(Sandbox(house.clock, house.ports, outbox, dns or SandboxDns(), relay))
    plane.on_start += [relay.start, gathering.start]
    plane.on_stop += [relay.stop, gathering.stop]
    return plane


def _watch(house: House, metrics: Metrics, readiness: Readiness) -> None:
    """What every instance has to watch."""
    readiness.add("store", watch_store(house.db))
    readiness.add("bus", watch_bus(house.bus))

    def lost() -> float:
        # Buses count what they lose, and the port to them says nothing about it.
        return float(getattr(house.bus, "dropped", 0))

    metrics.read("flux_bus_dropped_total", "Events lost.", lost, kind="counter")
