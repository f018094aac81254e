"""What several rooms' endpoints answer with."""

from __future__ import annotations

from flux.kernel.wire import Call, Reply
from flux.paygate.words import Wallet


def viewer(call: Call) -> str | None:
    """The wallet that is logged in, if any."""
    return call.principal.address if isinstance(call.principal, Wallet) else None


def not_modified(call: Call, etag: str) -> Reply | None:
    """304 when the caller already has this version."""
    tags = [
        tag.strip().removeprefix("W/") for tag in ",".join(call.header_values("if-none-match")).split(",")
    ]
    if etag in tags or "*" in tags:
        return Reply(None, 304, {"ETag": etag})
    return None
