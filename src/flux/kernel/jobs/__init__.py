"""What must happen later: a durable queue and schedule in the store.

port.py        `Jobs`, `Handler`: what rooms are written against
queue.py       `StoreJobs`, the queue on either database
worker.py      claims what is due by lease, runs it, retries with backoff, buries what keeps failing
schedules.py   what happens every so often, once over all processes
repository.py  the tables `jobs` and `schedules`

Every room may queue jobs in its units of work and handle its own kinds (`room.verb`); handlers run at least once.
Start at port.py.
"""

from pathlib import Path

from flux.kernel.jobs.port import Handler, Jobs
from flux.kernel.jobs.queue import StoreJobs
from flux.kernel.jobs.repository import DeadJob
from flux.kernel.store.migrations import MigrationSet


def migrations() -> MigrationSet:
    return MigrationSet("jobs", Path(__file__).parent / "migrations")


__all__ = ["DeadJob", "Handler", "Jobs", "StoreJobs", "migrations"]
