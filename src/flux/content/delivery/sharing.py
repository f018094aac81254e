"""Which origins' pages may read an API: its own `cors_origins`, for reads only. Nothing else of the plane is shared."""

from __future__ import annotations

import msgspec

from flux.content.delivery.door import Door, reads
from flux.content.delivery.served import ApiServed
from flux.content.families import is_management
from flux.kernel.wire import Call, Cors

READING = "GET, HEAD, OPTIONS"
SEARCHING = "GET, HEAD, POST, OPTIONS"


async def introduce(call: Call) -> None:
    """Before a preflight, which passes no gate: find out which API it is about. An unknown one shares nothing."""
    if not is_management(call):
        await call.use(Door).locate(call)


def policy(call: Call) -> Cors | None:
    """Of the API that the door found the request to be about; None for writes and everything else."""
    api: ApiServed | None = call.state.get("api")
    if api is None:
        return None
    origins: list[str] = msgspec.json.decode(api.api.cors_origins)
    if not origins or not _read_wanted(call):
        return None
    posted = call.path.endswith(("/_search", "/_mcp"))
    return Cors(
        origins=("*",) if "*" in origins else tuple(one.rstrip("/") for one in origins),
        methods=SEARCHING if posted else READING,
        expose_headers="ETag, Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
    )


def _read_wanted(call: Call) -> bool:
    """Of a preflight, the request that it announces."""
    method = call.method
    if method == "OPTIONS":
        method = call.header("access-control-request-method") or "GET"
    return reads(method, call.path)
