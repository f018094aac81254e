"""A process that writes as fast as it can and prints each id once it is acknowledged. Killed by its test.

python writer.py <database url> <tasks>
"""

from __future__ import annotations

import asyncio
import os
import sys

from tests.harness.databases import open_url

from flux.kernel.store import Transaction, Work


def inserting(number: int) -> Work[int]:
    async def work(tx: Transaction) -> int:
        await tx.run("INSERT INTO things (id, body) VALUES (:id, :body)", {"id": number, "body": b"x" * 200})
        return number

    return work


async def main() -> None:
    database = await open_url(sys.argv[1])
    last = 0

    async def write() -> None:
        nonlocal last
        while True:
            last += 1
            number = last
            done = await database.transact(inserting(number))
            os.write(1, b"%d\n" % done)

    await asyncio.gather(*(write() for _ in range(int(sys.argv[2]))))


asyncio.run(main())
