"""Checks of the database: reachable, migrated, and of one mind with us about the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from flux.kernel.faults import Mode, PortFailure
from flux.kernel.store import Clock, iso
from flux.kernel.store.migrations import MigrationError, MigrationSet, load
from flux.kernel.store.opening import EMBEDDED, default_url, open_database
from flux.kernel.store.port import Database
from flux.kernel.store.sqlite_connection import DatabaseInUse
from flux.kernel.watch.findings import Finding, fail, ok, warn
from flux.kernel.watch.logs import redact
from flux.kernel.watch.repository import applied_migrations, damage, database_now_ms
from flux.settings import Settings

DRIFT_WARN_MS, DRIFT_FAIL_MS = 2_000, 60_000
EARLIEST_MS = 1_735_689_600_000
"""2025-01-01: a clock before this was never set."""
_CONNECT_SECONDS = 10.0
_RESTORE = "Stop Flux, keep a copy of the file and its -wal as they are, and restore a backup."


async def check_database(
    settings: Settings, data_dir: Path, migrations: Sequence[MigrationSet], clock: Clock
) -> list[Finding]:
    """Reachable, migrated, and of one mind with us about the time."""
    url = settings.store.database or default_url(data_dir)
    if url == EMBEDDED:
        made = "on" if (data_dir / "postgres").exists() else "made in"
        return [
            ok("database", f"an embedded PostgreSQL, {made} {data_dir / 'postgres'}, runs while Flux does")
        ]
    if not await asyncio.to_thread(_exists, url):
        return [ok("database", "the SQLite file is made at the first start")]
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            database = await open_database(settings.store, data_dir)
    except DatabaseInUse:
        return [ok("database", "a running Flux has it open")]
    except ValueError as problem:
        return [fail("database", redact(str(problem)), "Correct store.database.")]
    except (PortFailure, TimeoutError, OSError) as problem:
        return [_unopened(problem, is_file=url.startswith("sqlite:"))]
    try:
        if database.dialect == "sqlite" and (damaged := await _damage(database)) is not None:
            return [damaged]
        return [
            await _guarded("migrations", lambda: _migrated(database, migrations)),
            await _guarded("clock", lambda: _clocks(database, clock)),
        ]
    finally:
        await database.close()


def _unopened(problem: Exception, *, is_file: bool) -> Finding:
    reason = redact(str(problem.__cause__ or problem)) or f"no answer within {_CONNECT_SECONDS:g} seconds"
    advice = "Check store.database, that the server runs, and that the account may connect."
    return fail("database", f"it cannot be opened: {reason}", _RESTORE if is_file else advice)


async def _damage(database: Database) -> Finding | None:
    try:
        found = await damage(database)
    except PortFailure as problem:
        if problem.mode is Mode.TIMEOUT:
            return None  # so large that only the owner should say when to read all of it
        found = redact(str(problem.__cause__ or problem))
    if found is None:
        return None
    return fail("database", f"the SQLite file is damaged: {' '.join(found.split())[:200]}", _RESTORE)


def _exists(url: str) -> bool:
    """False only for a SQLite file that is not there: opening it would make it."""
    return not url.startswith("sqlite:") or Path(unquote(urlsplit(url).path)).exists()


async def _guarded(subject: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except PortFailure as problem:
        return fail(subject, redact(str(problem)), "Look at the database's own log.")


async def _migrated(database: Database, migrations: Sequence[MigrationSet]) -> Finding:
    applied = await applied_migrations(database)
    if applied is None:
        advice = "The first start, or flux migrate, prepares it."
        return warn("database", f"{database.dialect} answers and is empty", advice)
    try:
        wanted = {
            (one.set_name, one.number): one.checksum
            for each in migrations
            for one in load(each, database.dialect)
        }
    except MigrationError as problem:
        return fail("database", str(problem), "Install Flux again: its files are incomplete.")
    found = migration_finding(applied, wanted, {each.name for each in migrations})
    return found or ok("database", f"{database.dialect} answers; {len(applied)} migrations applied")


Checksums = Mapping[tuple[str, int], str]


def migration_finding(applied: Checksums, wanted: Checksums, sets: set[str]) -> Finding | None:
    """Where database and files differ; None where they do not. `sets` are the ones this program knows."""
    changed = [key for key in wanted if applied.get(key, wanted[key]) != wanted[key]]
    if changed:
        message = f"migrations differ from what was applied: {_named(changed)}"
        return fail("database", message, "Use the version of Flux this database belongs to.")
    newer = [key for key in applied if key[0] in sets and key not in wanted]
    if newer:
        message = f"a newer Flux applied {_named(newer)}"
        return fail("database", message, "Use that version, or restore a backup.")
    if pending := len(wanted.keys() - applied.keys()):
        advice = "The next start, or flux migrate, applies them; make a backup first."
        return warn("database", f"{pending} migrations wait", advice)
    return None


def _named(keys: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name}/{number:04d}" for name, number in keys)


async def _clocks(database: Database, clock: Clock) -> Finding:
    before = clock.now_ms()
    theirs = await database_now_ms(database)
    ours = (before + clock.now_ms()) // 2
    return clock_finding(ours, theirs)


def clock_finding(ours: int, theirs: int) -> Finding:
    """Unix milliseconds here and at the database."""
    advice = "Run a time service (chrony, systemd-timesyncd) on both machines."
    if ours < EARLIEST_MS:
        return fail("clock", f"this machine believes it is {iso(ours)}", advice)
    drift = abs(ours - theirs)
    if drift >= DRIFT_WARN_MS:
        level: Literal["warn", "fail"] = "fail" if drift >= DRIFT_FAIL_MS else "warn"
        return Finding(level, "clock", f"{drift / 1000:.1f} seconds apart from the database", advice)
    return ok("clock", f"{iso(ours)}, as the database says")
