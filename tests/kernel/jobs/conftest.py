"""A queue on each database, on a clock that can be advanced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from tests.harness.databases import database, database_url, dialect, postgres_server  # noqa: F401

from flux.kernel.jobs import StoreJobs, migrations
from flux.kernel.store import Database, SandboxClock
from flux.kernel.store.migrations import MigrationSet
from flux.settings.jobs import JobSettings

Queues = Callable[..., StoreJobs]


@pytest.fixture(scope="session")
def migration_sets() -> Sequence[MigrationSet]:
    return (migrations(),)


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
async def queues(database: Database, clock: SandboxClock) -> AsyncIterator[Queues]:  # noqa: F811
    """Makes queues that never poll (unless told to), so that what runs was woken; closes them."""
    made: list[StoreJobs] = []

    def make(**settings: object) -> StoreJobs:
        chosen = {"poll_seconds": 100_000_000.0, "close_seconds": 0.5, **settings}
        queue = StoreJobs(database, clock, JobSettings(**chosen), jitter=lambda: 1.0)  # type: ignore[arg-type]
        made.append(queue)
        return queue

    yield make
    for queue in made:
        await queue.close()
