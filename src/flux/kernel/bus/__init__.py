"""What just happened, told to whoever listens in any process.

port.py      `Bus`, `Listener`, `Subscription`: what rooms are written against
subjects.py  who listens to what in this process
local.py     the bus of one process
remote.py    the bus of many, over NATS
embedded.py  a NATS server from the wheel, for `--workers` and tests

Every room may publish (from `tx.after_commit`) and listen; nobody may rely on an event arriving.
Start at port.py; `open_bus` chooses.
"""

from flux.kernel.bus.embedded import EmbeddedNats
from flux.kernel.bus.local import LocalBus
from flux.kernel.bus.port import Bus, Listener, Subscription
from flux.kernel.faults.ports import Ports
from flux.settings.bus import BusSettings


async def open_bus(settings: BusSettings, ports: Ports) -> Bus:
    """The bus the settings ask for. Raises `PortFailure` when NATS cannot be reached."""
    if not settings.url:
        return LocalBus(ports)
    from flux.kernel.bus.remote import NatsBus  # the library takes as long to import as three planes

    return await NatsBus.connect(settings, ports)


__all__ = ["Bus", "EmbeddedNats", "Listener", "LocalBus", "Subscription", "open_bus"]
