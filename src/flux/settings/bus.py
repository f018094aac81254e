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
    confirm_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="How often a process strikes out which events NATS has (PostgreSQL with NATS only, as all that follows).",
        ),
    ] = 0.25
    look_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0, description="How often a process looks for events that another one did not come to tell."
        ),
    ] = 1.0
    retell_after_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="Age at which an event that was committed and not struck out is told by another process.",
        ),
    ] = 2.0
    retell_lease_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="How long a process has for telling late events before another one takes them over.",
        ),
    ] = 10.0
    retell_within_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="Age at which events that were not told are dropped. Processes remember for as long what they heard; sessions begin "
            "anew when NATS was away.",
        ),
    ] = 60.0
    retell_batch: Annotated[
        int,
        msgspec.Meta(
            ge=1, description="Units of work whose events a process takes at a time to tell them late."
        ),
    ] = 500
    remembered_events: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            description="Names of events a process remembers at least, so that none is heard twice; at most twice as many, of about 200 bytes.",
        ),
    ] = 100_000
