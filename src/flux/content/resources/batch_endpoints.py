"""…/resources/batch and …/resources/export: many resources at once, for imports and exports."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.content import faults
from flux.content.access import needs
from flux.content.folders.service import Folders
from flux.content.problems import problem
from flux.content.resources.batching import Batches
from flux.content.resources.endpoints import AT, WRITES
from flux.content.resources.schemas import BatchBody, BatchView, PortableView
from flux.content.settled import Settled
from flux.content.spellings import both_spellings
from flux.kernel.wire import Call, Routes

routes = Routes(tag="resources")
CREATE, READ, _, _ = needs("collection-items")


class ExportQuery(Struct):
    """`after` is the `next` of the answer before."""

    after: Annotated[str, Meta(max_length=100)] = ""
    limit: Annotated[int, Meta(ge=1)] = 100


@both_spellings(routes, "POST", AT + "/batch", auth=CREATE, raises=WRITES)
async def write_batch(call: Call, env: str, folder: str, body: BatchBody) -> BatchView:
    """Create or change up to `content.max_batch_items` resources, all or none; what is the same already stays."""
    most = call.use(Settled).content.max_batch_items
    if len(body.items) > most:
        details = f"At most {most} items are allowed"
        raise faults.VALIDATION_ERROR(detail=[problem("too_long", "items", details)])
    found = await call.use(Folders).find(None, env, folder)
    return BatchView(await call.use(Batches).write(found, body.items))


@both_spellings(routes, "GET", AT + "/export", auth=READ, raises=[faults.FOLDER_NOT_FOUND])
async def export_resources(call: Call, env: str, folder: str, query: ExportQuery) -> PortableView:
    """Resources of a folder in the order of their keys, as `batch` takes them."""
    found = await call.use(Folders).find(None, env, folder)
    most = call.use(Settled).content.max_batch_items
    return PortableView(*await call.use(Batches).portable(found, query.after, min(query.limit, most)))
