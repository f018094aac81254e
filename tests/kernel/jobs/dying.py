"""A process of its own that dies, as by kill -9, in the middle of a job. Arguments: the database's URL."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from tests.harness.databases import open_url

from flux.kernel.jobs import StoreJobs
from flux.kernel.store import SystemClock


async def die(payload: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    database = await open_url(sys.argv[1])
    queue = StoreJobs(database, SystemClock())
    queue.handle("room.verb", die)
    await queue.start()
    await database.transact(lambda tx: queue.enqueue(tx, "room.verb", {"n": 1}))
    await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(main())
