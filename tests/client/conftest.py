from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.client.peer import Caller, FakeTime, Peer


@pytest.fixture(scope="session")
def running_peer() -> Iterator[Peer]:
    peer = Peer()
    peer.start()
    yield peer
    peer.stop()


@pytest.fixture
def peer(running_peer: Peer) -> Peer:
    running_peer.script()
    return running_peer


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, peer: Peer, fake_time: FakeTime) -> Caller:
    return Caller(request.param, peer.origin, fake_time)
