"""Walk with the client that is on the path, sync and async, and print what was done as JSON.

`python -m tests.clients.foxnose.walk ORIGIN OPERATOR.JSON`: so an older client is walked in a process of its own.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import foxnose_sdk
from foxnose_sdk.flux import AsyncFluxClient, FluxClient
from foxnose_sdk.management import AsyncManagementClient, ManagementClient
from tests.clients.foxnose.calling import Caller, a_name, flux_client, management_client
from tests.clients.foxnose.delivery import Shelf, delivery_walk
from tests.clients.foxnose.management import management_walk


async def walk(origin: str, content: dict[str, Any]) -> dict[str, Any]:
    """Everything with the client that is installed; the methods of each kind that were not called."""
    told: dict[str, Any] = {"at": str(Path(foxnose_sdk.__file__).parent), "missed": {}, "called": {}}
    for kind, delivering in ((ManagementClient, FluxClient), (AsyncManagementClient, AsyncFluxClient)):
        manage = Caller(management_client(kind, origin, content))
        await management_walk(manage, content["organization"])
        shelf = await Shelf.make(manage)
        await fifty_upserts(manage.client, shelf.folder)
        for auth in shelf.auths():
            reading = Caller(flux_client(delivering, origin, content, shelf.prefix, auth))
            await delivery_walk(reading, shelf)
            told["missed"][delivering.__name__] = sorted(reading.missed())
            told["called"][delivering.__name__] = len(reading.called)
            await reading.close()
        told["missed"][kind.__name__] = sorted(manage.missed())
        told["called"][kind.__name__] = len(manage.called)
        await manage.close()
    return told


async def fifty_upserts(client: Any, folder: str) -> None:
    """At once, of one external id, asynchronously or in threads: one resource and fifty revisions."""
    external = a_name("one")

    def upsert(number: int) -> Any:
        return client.upsert_resource(folder, {"data": {"title": f"T{number}"}}, external_id=external)

    async def one(number: int) -> Any:
        if inspect.iscoroutinefunction(client.upsert_resource):
            return await upsert(number)
        return await asyncio.to_thread(upsert, number)

    [key] = {made.key for made in await asyncio.gather(*(one(number) for number in range(50)))}
    told = client.list_revisions(folder, key)
    page = await told if inspect.isawaitable(told) else told
    assert page.count == 50 and sorted(one.number for one in page.results) == list(range(1, 51))


if __name__ == "__main__":
    json.dump(
        asyncio.run(walk(sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))["content"])),
        sys.stdout,
    )
