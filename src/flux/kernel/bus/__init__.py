"""What just happened, told to whoever listens in any process.

port.py        `Bus`, `Listener`, `Subscription`: what rooms are written against
subjects.py    who listens to what in this process
local.py       the bus of one process
remote.py      the bus of many, over NATS
untold.py      what was committed is told, even when its process is killed in between
heard.py       what was heard is not heard again
repository.py  the table `untold`
embedded.py    a NATS server from the wheel, for `--workers` and tests

Every room may tell what its units of work did, publish what no unit stands behind, and listen.
Start at port.py; `open_bus` chooses.
"""

from pathlib import Path

from flux.kernel.bus.embedded import EmbeddedNats
from flux.kernel.bus.local import LocalBus
from flux.kernel.bus.port import Bus, Listener, Reviser, Subscription
from flux.kernel.bus.untold import Untold
from flux.kernel.faults.ports import Ports
from flux.kernel.store.clock import SystemClock
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.store.port import Database
from flux.settings.bus import BusSettings


def migrations() -> MigrationSet:
    return MigrationSet("bus", Path(__file__).parent / "migrations")


async def open_bus(settings: BusSettings, ports: Ports, db: Database | None = None) -> Bus:
    """The bus the settings ask for, with the table of what was not told where other processes share both it and the database.
    Raises `PortFailure` when NATS cannot be reached."""
    if not settings.url:
        return LocalBus(ports)
    from flux.kernel.bus.remote import NatsBus  # the library takes as long to import as three planes

    bus = await NatsBus.connect(settings, ports)
    if db is not None and db.dialect == "postgres":
        # The system's clock, since rows must not grow old when a sandbox's clock is advanced.
        bus.untold = Untold(db, bus, SystemClock(), settings)
    return bus


__all__ = [
    "Bus",
    "EmbeddedNats",
    "Listener",
    "LocalBus",
    "Reviser",
    "Subscription",
    "migrations",
    "open_bus",
]
