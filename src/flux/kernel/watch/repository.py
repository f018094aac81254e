"""What the checks ask of a database: that it answers, what time it thinks it is, how far it is migrated."""

from __future__ import annotations

from flux.kernel.store import Database, Reader, Sql

_PING = "SELECT 1"
_NOW_MS = Sql(
    sqlite="SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    postgres="SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
)
_LEDGER_EXISTS = Sql(
    sqlite="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'flux_migrations'",
    postgres="SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('flux_migrations')",
)
_DAMAGE = "PRAGMA quick_check(1)"
_APPLIED = "SELECT set_name, number, checksum FROM flux_migrations"


async def ping(db: Reader) -> None:
    """Raises whatever the driver raises when the database does not answer."""
    await db.value(_PING, {})


async def database_now_ms(db: Reader) -> int:
    """Unix milliseconds on the database's own clock."""
    return int(await db.value(_NOW_MS, {}))


async def applied_migrations(db: Reader) -> dict[tuple[str, int], str] | None:
    """Checksums by set and number; None for a database that was never migrated."""
    if await db.value(_LEDGER_EXISTS, {}) is None:
        return None
    rows = await db.all(_APPLIED, {}, lambda name, number, checksum: ((name, number), checksum))
    return dict(rows)


async def damage(db: Database) -> str | None:
    """What SQLite finds wrong with the pages of its file; None when they are sound. Raises `PortFailure` when the file
    cannot even be read that far, or takes longer than a statement may."""
    [found] = await db.scan(_DAMAGE, {}, str)
    return None if found == "ok" else found
