"""The durable truth.

port.py        `Database`, `Transaction`, `Sql`: what repositories are written against
sqlite.py      one writer with group commit, readers in the loop and in threads (apsw)
postgres.py    a pool of asyncpg connections, retried on conflict
migrations.py  forward-only numbered SQL files a dialect, with checksums
ids.py         snowflakes and random keys
clock.py       time, injected

Start at port.py.
"""

from flux.kernel.store.clock import Clock, SandboxClock, SystemClock, Timer, iso
from flux.kernel.store.ids import ALPHANUMERIC, LOWER, Snowflakes, random_key, snowflake_ms, time_sortable_key
from flux.kernel.store.port import (
    Database,
    Dialect,
    ForeignKeyViolation,
    Params,
    Reader,
    Sql,
    Statement,
    Transaction,
    UniqueViolation,
    UnitSuspended,
)

__all__ = [
    "ALPHANUMERIC",
    "LOWER",
    "Clock",
    "Database",
    "Dialect",
    "ForeignKeyViolation",
    "Params",
    "Reader",
    "SandboxClock",
    "Snowflakes",
    "Sql",
    "Statement",
    "SystemClock",
    "Timer",
    "Transaction",
    "UniqueViolation",
    "UnitSuspended",
    "iso",
    "random_key",
    "snowflake_ms",
    "time_sortable_key",
]
