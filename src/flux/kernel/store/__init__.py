"""The durable truth.

port.py        `Database`, `Transaction`, `Sql`: what repositories are written against
statements.py  the neutral SQL form (`:name`, `IN :list`) in each driver's own
sqlite.py      the port on one SQLite file (apsw); its parts:
               sqlite_writer (group commit), sqlite_scans (reader threads), sqlite_connection
memory.py      what was made of rows, kept until they may be others
postgres.py    the port on a pool of asyncpg connections, retried on conflict
embedded.py    a PostgreSQL of our own under a data directory
migrations.py  forward-only numbered SQL files, with checksums
opening.py     from the settings to an open database
ids.py         snowflakes and random keys
clock.py       time, injected

Start at port.py.
"""

from flux.kernel.store.clock import Clock, SandboxClock, SystemClock, Timer, iso
from flux.kernel.store.embedded import EmbeddedPostgres, EmbeddedPostgresError
from flux.kernel.store.ids import (
    ALPHANUMERIC,
    LOWER,
    Snowflakes,
    neighbouring_keys,
    random_key,
    snowflake_ms,
    time_sortable_key,
)
from flux.kernel.store.memory import Memory
from flux.kernel.store.migrations import Migration, MigrationError, MigrationSet, migrate
from flux.kernel.store.opening import EMBEDDED, open_database
from flux.kernel.store.port import (
    Closing,
    Database,
    Dialect,
    ForeignKeyViolation,
    Params,
    Reader,
    Row,
    Sql,
    Statement,
    Transaction,
    UniqueViolation,
    UnitSuspended,
    Work,
    as_read,
)
from flux.kernel.store.postgres import PostgresDatabase
from flux.kernel.store.postgres_errors import UnstorableText
from flux.kernel.store.sqlite import SqliteDatabase
from flux.kernel.store.sqlite_connection import DatabaseInUse, Tuning

__all__ = [
    "ALPHANUMERIC",
    "EMBEDDED",
    "LOWER",
    "Clock",
    "Closing",
    "Database",
    "DatabaseInUse",
    "Dialect",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "ForeignKeyViolation",
    "Memory",
    "Migration",
    "MigrationError",
    "MigrationSet",
    "Params",
    "PostgresDatabase",
    "Reader",
    "Row",
    "SandboxClock",
    "Snowflakes",
    "Sql",
    "SqliteDatabase",
    "Statement",
    "SystemClock",
    "Timer",
    "Transaction",
    "Tuning",
    "UniqueViolation",
    "UnitSuspended",
    "UnstorableText",
    "Work",
    "as_read",
    "iso",
    "migrate",
    "neighbouring_keys",
    "open_database",
    "random_key",
    "snowflake_ms",
    "time_sortable_key",
]
