"""The composition root: the only file that knows every plane.

`open_house` opens the kernel's parts, `compose` builds the planes on them and the ASGI application around them. Declarations are
checked against the published references here: a missing, surplus or differing code stops the process.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import flux.community.plane as community
import flux.content.plane as content
import flux.operator.plane as operator
import flux.paygate.plane as paygate
from flux import __version__
from flux.kernel.blobs import open_blobs
from flux.kernel.bus import migrations as bus_migrations
from flux.kernel.bus import open_bus
from flux.kernel.faults import Ports, load_contract
from flux.kernel.faults.dns import SandboxDns
from flux.kernel.faults.recorder import Recorder
from flux.kernel.house import House
from flux.kernel.identity import Operator, Vault, instance_secret, token_hash
from flux.kernel.jobs import StoreJobs
from flux.kernel.jobs import migrations as job_migrations
from flux.kernel.post import Outbox, open_post
from flux.kernel.post import migrations as post_migrations
from flux.kernel.store import Clock, SandboxClock, Snowflakes, SystemClock
from flux.kernel.store.migrations import MigrationSet, migrate
from flux.kernel.store.opening import open_database
from flux.kernel.watch import Metrics, Readiness
from flux.kernel.wire import Plane
from flux.kernel.wire.openapi import encoded
from flux.kernel.wire.server import Application
from flux.operatorfile import OperatorFile
from flux.settings import Settings
from flux.starting import StartError

log = logging.getLogger("flux.app")
PLANES: dict[str, ModuleType] = {"community": community, "content": content, "paygate": paygate}


def migration_sets() -> list[MigrationSet]:
    return [
        job_migrations(),
        post_migrations(),
        bus_migrations(),
        *(plane.migrations() for plane in PLANES.values()),
    ]


@dataclass(slots=True)
class Opened:
    """A house with its doors open; `close` ends everything in reverse order."""

    house: House
    outbox: Outbox
    closers: list[Callable[[], Awaitable[None]]]

    async def close(self) -> None:
        await _close(self.closers)


async def open_house(
    settings: Settings, data_dir: Path, public_url: str, operator_file: OperatorFile, *, worker: int = 0
) -> Opened:
    """The kernel, opened: database migrated, bus connected. Nothing is served yet and no job runs."""
    sandbox = settings.server.sandbox
    clock, ports = _clock_and_ports(settings)
    vault = Vault(_instance_secret(data_dir, settings))
    closers: list[Callable[[], Awaitable[None]]] = []
    try:
        db = await open_database(settings.store, data_dir, ports)
        closers.append(db.close)
        await migrate(db, migration_sets(), clock)
        bus = await open_bus(settings.bus, ports, db)
        closers.append(bus.close)
        blobs = open_blobs(settings.blobs, data_dir, ports)
        closers.append(blobs.close)
        jobs = StoreJobs(db, clock, settings.jobs, ports)
        closers.append(jobs.close)
    except BaseException:
        await _close(closers)
        raise
    post, outbox = open_post(settings.post, db, jobs, clock, ports, sandbox=sandbox)
    house = House(
        settings=settings,
        data_dir=data_dir,
        public_url=public_url,
        db=db,
        bus=bus,
        blobs=blobs,
        jobs=jobs,
        post=post,
        clock=clock,
        ids=Snowflakes(clock, worker),
        ports=ports,
        dns=SandboxDns(),
        operator=Operator(token_hash(operator_file.admin_token)),
        vault=vault,
        sandbox=sandbox,
        worker=worker,
    )
    return Opened(house, outbox, closers)


def _clock_and_ports(settings: Settings) -> tuple[Clock, Ports]:
    server = settings.server
    clock = SandboxClock() if server.sandbox else SystemClock()
    return clock, Ports(enabled=server.sandbox, deadline_seconds=server.port_deadline_seconds)


async def _close(closers: list[Callable[[], Awaitable[None]]]) -> None:
    for closer in reversed(closers):
        try:
            await closer()
        except Exception:
            log.exception("a part of the house did not close")


def _instance_secret(data_dir: Path, settings: Settings) -> bytes:
    try:
        secret = instance_secret(data_dir, settings.server.secret)
    except ValueError:
        secret = b""
    if len(secret) < 32:
        raise StartError(
            f"{data_dir / 'secret.key'} is damaged: put a copy of it back. Without it, what was encrypted with it "
            "(TOTP seeds, upstream keys) cannot be read; on a new instance just remove it"
        )
    return secret


async def bootstrap(house: House, operator_file: OperatorFile, *, urls: bool = True) -> None:
    """First start: what each plane needs to exist, written to the operator's file. Later ones: what has grown old."""
    for name, plane in PLANES.items():
        first, again = getattr(plane, "bootstrap", None), getattr(plane, "renew", None)
        if first is not None and not operator_file.has(name):
            operator_file.put(name, await first(house))
        elif again is not None and operator_file.has(name):
            operator_file.put(name, await again(house, operator_file.content[name]))
    if urls:
        operator_file.put_urls(house.public_url, house.settings)
    operator_file.save()


def compose(opened: Opened) -> Application:
    house = opened.house
    metrics, readiness = Metrics(version=__version__, worker=house.worker), Readiness()
    planes: list[Plane] = [module.build(house) for module in PLANES.values()]
    for plane in planes:
        own = getattr(house.settings, plane.name)
        plane.host, plane.port = own.host, own.port
        for figure in plane.figures:
            metrics.read(figure.name, figure.meaning, figure.read, kind=figure.kind)

    @cache
    def document(name: str) -> bytes | None:
        # Made when first asked for: an instance that nobody asks need not hold the schemas of every body.
        plane = next((plane for plane in app.planes if plane.name == name), None)
        return encoded(plane, app.routers[name].compiled, house.public_url) if plane is not None else None

    surface = operator.build(
        house,
        planes=lambda: [*planes, surface],
        outbox=opened.outbox.messages,
        openapi=document,
        metrics=metrics,
        readiness=readiness,
        dns=house.dns,
    )
    for plane in (*planes, surface):
        plane.faults.check(load_contract(plane.name))
    server = house.settings.server
    app = Application(
        [*planes, surface],
        ports=house.ports,
        trusted_proxies=server.trusted_proxies,
        sandbox=house.sandbox,
        recorder=Recorder.from_environment(),
        meter=metrics,
        on_start=[house.bus.start, house.jobs.start],
    )
    return app


async def demo(house: House) -> list[str]:
    """Fill the house with a believable small example of each plane; lines to print."""
    lines: list[str] = []
    for module in PLANES.values():
        lines += await module.demo(house)
    return lines


__all__ = ["Opened", "bootstrap", "compose", "demo", "migration_sets", "open_house"]
