"""Both buses, with a real NATS server each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from flux.kernel.bus import EmbeddedNats, LocalBus
from flux.kernel.bus.remote import NatsBus
from flux.kernel.faults.ports import Ports
from flux.settings.bus import BusSettings


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[EmbeddedNats]:
    with EmbeddedNats.start(tmp_path / "nats") as server:
        yield server


@pytest.fixture(params=["local", "nats"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[LocalBus | NatsBus]:
    """One bus of each kind, with injectable faults."""
    ports = Ports(enabled=True, deadline_seconds=0.05)
    made: LocalBus | NatsBus
    if request.param == "local":
        made = LocalBus(ports)
    else:
        made = await NatsBus.connect(BusSettings(url=request.getfixturevalue("nats_server").url), ports)
    yield made
    await made.close()
