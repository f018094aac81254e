"""Both buses, with a real NATS server each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flux.kernel.bus import EmbeddedNats, LocalBus, NatsBus
from flux.kernel.faults.ports import Ports
from flux.settings.bus import BusSettings


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    server = EmbeddedNats(tmp_path / "nats")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(params=["local", "nats"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalBus | NatsBus]:
    """One bus of each kind, with injectable faults."""
    ports = Ports(enabled=True, deadline_seconds=0.05)
    server = EmbeddedNats(tmp_path / "nats")
    made = (
        LocalBus(ports)
        if request.param == "local"
        else await NatsBus.connect(BusSettings(url=await server.start()), ports)
    )
    yield made
    await made.close()
    await server.stop()
