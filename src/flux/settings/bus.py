"""Where events travel between processes."""

from __future__ import annotations

from typing import Annotated

import msgspec


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    url: Annotated[
        str,
        msgspec.Meta(
            description="Address of a NATS server, `nats://token@host:4222` or `tls://user:password@host:4222`; several are "
            "separated by commas. Empty: events stay in this process."
        ),
    ] = ""
    connect_seconds: Annotated[
        float, msgspec.Meta(gt=0, description="How long to try to reach NATS at start before giving up.")
    ] = 5.0
    reconnect_wait_seconds: Annotated[
        float,
        msgspec.Meta(ge=0, description="Pause between two attempts to reach a NATS server that went away."),
    ] = 0.25
    buffer_events: Annotated[
        int,
        msgspec.Meta(
            ge=1, description="Events held for a slow or absent NATS server; what comes after is dropped."
        ),
    ] = 65_536
    buffer_bytes: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            description="Bytes of events held for a slow or absent NATS server; what comes after is dropped.",
        ),
    ] = 64 * 1024 * 1024
