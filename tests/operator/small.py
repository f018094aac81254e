"""The operator surface on a small house, served by the real server in the test's own loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from tests.kernel.wire.small import serving as listening

from flux.kernel.bus import LocalBus
from flux.kernel.faults import Fault, FaultTable, Ports
from flux.kernel.faults.dns import SandboxDns
from flux.kernel.house import House
from flux.kernel.identity import Operator, token_hash
from flux.kernel.store import SandboxClock, Snowflakes
from flux.kernel.store.sqlite import SqliteDatabase
from flux.kernel.watch import Metrics, Readiness
from flux.kernel.wire import Call, Envelope, Plane, Route, Routes
from flux.kernel.wire.openapi import encoded
from flux.kernel.wire.server import Application
from flux.operator.envelope import OperatorEnvelope
from flux.operator.plane import build
from flux.operator.reference import Proof, Proofs
from flux.settings import load_settings

TOKEN = "the-admin-token-of-this-house"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
LETTERS = [
    {
        "id": "2",
        "channel": "sms",
        "to": "+15550100",
        "subject": "",
        "text": "Code 123",
        "data": {"code": "123"},
    },
    {"id": "1", "channel": "mail", "to": "ann@flux.invalid", "subject": "Hi", "text": "Welcome", "data": {}},
]


class Neighbour:
    """A made-up plane with the real faults of another: enough for the reference and for maintenance."""

    def __init__(
        self, table: FaultTable, envelope: Envelope, paths: Iterable[tuple[str, list[Fault]]]
    ) -> None:
        routes = Routes()
        for name, raised in paths:
            method, _, path = name.partition(" ")
            routes.route(method, path, raises=raised)(_nothing)
        everywhere = [fault for fault in table if fault.status >= 500]
        self.plane = Plane(
            table.plane,
            f"/{table.plane}",
            routes,
            table,
            envelope,
            title=f"The {table.plane} plane",
            implied=lambda route: everywhere,
        )


async def _nothing(call: Call) -> None:
    """Do nothing."""


def neighbours() -> list[Plane]:
    from flux.community.faults import community
    from flux.content.faults import content
    from flux.paygate.faults import paygate

    envelope = OperatorEnvelope()
    planes = []
    for table in (community, content, paygate):
        named = [fault for fault in table if fault.status < 500]
        paths = [(f"GET /things/{index}", named[index::5]) for index in range(5)]
        paths += [(f"POST /others/{index}", named[index::3]) for index in range(3)]
        planes.append(Neighbour(table, envelope, paths).plane)
    return planes


class Small:
    """A running instance and what the tests look at."""

    def __init__(
        self, house: House, plane: Plane, readiness: Readiness, metrics: Metrics, dns: SandboxDns
    ) -> None:
        self.house = house
        self.plane = plane
        self.readiness = readiness
        self.metrics = metrics
        self.dns = dns
        self.asked: list[str | None] = []
        self.origin = ""


@asynccontextmanager
async def serving(
    directory: Path,
    *,
    sandbox: bool = True,
    planes: Callable[[], list[Plane]] = neighbours,
    settings: dict[str, Any] | None = None,
) -> AsyncIterator[Small]:
    loaded = load_settings(None, {}, settings or {})
    ports = Ports(enabled=sandbox, deadline_seconds=0.2)
    db = SqliteDatabase(directory / "flux.db", ports=ports)
    bus, clock = LocalBus(ports), SandboxClock()
    absent = cast(Any, None)
    dns = SandboxDns()
    house = House(
        settings=loaded, data_dir=directory, public_url="http://127.0.0.1", db=db, bus=bus, blobs=absent, jobs=absent,
        post=absent, clock=clock, ids=Snowflakes(clock), ports=ports, dns=dns, operator=Operator(token_hash(TOKEN)), vault=absent,
        sandbox=sandbox,
    )  # fmt: skip
    metrics, readiness = Metrics(version="test"), Readiness(deadline_seconds=0.5)
    others = planes()
    documents: dict[str, bytes] = {}

    async def outbox(to: str | None) -> list[Any]:
        small.asked.append(to)
        await ports.strike("store")
        return [letter for letter in LETTERS if to in (None, letter["to"])]

    plane = build(
        house, lambda: others, outbox=outbox, openapi=documents, metrics=metrics, readiness=readiness, dns=dns,
        proofs=Proofs({"operator:NOT_FOUND@404": Proof("2026-02-19T19:34:23Z", "GET /nowhere", "curl http://127.0.0.1/nowhere")}),
    )  # fmt: skip
    small = Small(house, plane, readiness, metrics, dns)
    application = Application([*others, plane], ports=ports, sandbox=sandbox, meter=metrics)
    documents["operator"] = encoded(plane, application.routers["operator"].compiled, "http://127.0.0.1")
    async with listening(application) as small.origin:
        try:
            yield small
        finally:
            await bus.close()
            await db.close()


__all__ = ["ADMIN", "LETTERS", "TOKEN", "Route", "Small", "neighbours", "serving"]
