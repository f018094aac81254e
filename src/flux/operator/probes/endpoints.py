"""`/health`, `/ready`, `/metrics` and `/openapi/{plane}.json`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from flux.kernel.watch import Metrics, Readiness, Report
from flux.kernel.wire import Call, Raw, Routes
from flux.operator import faults
from flux.operator.envelope import RETRY_SECONDS
from flux.operator.probes.gathering import Gathering

routes = Routes(tag="probes")
FRESH = {"Cache-Control": "no-store"}


class Documents:
    """The OpenAPI document of each plane, encoded; `find` gives None for a plane there is not."""

    def __init__(self, find: Callable[[str], bytes | None]) -> None:
        self.find = find


class Health(Struct, frozen=True):
    status: str = "ok"


@routes.get("/health")
async def health(call: Call) -> Health:
    """Whether the process runs: 200 at once, whatever else is broken."""
    call.reply_headers.update(FRESH)
    return Health()


@routes.get("/ready", raises=[faults.NOT_READY])
async def ready(call: Call) -> Report:
    """Whether this process can serve: each check with how it went; 503 when a required one failed."""
    call.reply_headers.update(FRESH)
    report = await call.use(Readiness).report()
    if not report.ready:
        raise faults.NOT_READY(retry_after=RETRY_SECONDS, extra=msgspec.to_builtins(report))
    return report


@routes.get("/metrics")
async def metrics(call: Call) -> Raw:
    """Counts and durations of every worker behind this port, for Prometheus."""
    text = await call.use(Gathering).text()
    return Raw(text, Metrics.content_type, headers=FRESH)


@routes.get("/openapi/{plane}.json", raises=[faults.NOT_FOUND])
async def openapi(call: Call, plane: str) -> Raw:
    """The OpenAPI 3.1 document of one plane."""
    document = call.use(Documents).find(plane)
    if document is None:
        raise faults.NOT_FOUND()
    return Raw(document)
