"""The knobs of the durable truth."""

from __future__ import annotations

from typing import Annotated

import msgspec


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the database is and how it is opened."""

    database: Annotated[
        str,
        msgspec.Meta(
            description="Database URL: `sqlite:///absolute/path`, `postgres://user@host/name`, or "
            "`embedded-postgres` for a PostgreSQL under the data directory. Empty: SQLite in the data directory."
        ),
    ] = ""
    reader_threads: Annotated[
        int, msgspec.Meta(ge=1, le=64, description="SQLite: threads for scans, search and other long reads.")
    ] = 2
    cache_mib: Annotated[
        int, msgspec.Meta(ge=1, description="SQLite: page cache of each connection, in MiB.")
    ] = 32
    mmap_mib: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            description="SQLite: how much of the file is read through memory maps, in MiB. They take no memory of their own: "
            "what is in the system's cache already is shown, and counted, as the process's.",
        ),
    ] = 65_536
    remembered: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            description="SQLite: how many things of each kind are remembered until something changes them (whose token it is, what "
            "somebody may in a channel, how an account shows), about a kilobyte each. 0: everything is read each time.",
        ),
    ] = 10_000
    busy_timeout_seconds: Annotated[
        float,
        msgspec.Meta(ge=0, description="SQLite: how long to wait for a lock held by an outside program."),
    ] = 1.0
    pool_size: Annotated[
        int, msgspec.Meta(ge=1, le=1000, description="PostgreSQL: most connections of this process.")
    ] = 10
    statement_timeout_seconds: Annotated[
        float,
        msgspec.Meta(gt=0, description="A scan, or on PostgreSQL any statement, is given up after this."),
    ] = 30.0
