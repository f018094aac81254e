"""What every SQLite connection of the house has in common: settings, list parameters, and errors by our names."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import apsw
import msgspec

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.port import ForeignKeyViolation, UniqueViolation

_UNIQUE = frozenset(
    (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID)
)
_REFUSED = (apsw.BusyError, apsw.LockedError, apsw.ConnectionClosedError)
_BROKEN = (
    apsw.FullError,
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NoMemError,
    apsw.ProtocolError,
    apsw.PermissionsError,
)

_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX
"""Without a lock around each value that is read, a third of what reading rows costs: a connection of the house is never
in two threads at once (the writer's is the committing thread's or the loop's, each waiting for the other)."""

Prepare = Callable[[apsw.Connection], None]
"""Called with every new connection, to load extensions or register functions."""


class DatabaseInUse(RuntimeError):
    """Another process owns this SQLite file. One process writes a SQLite file; many need PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How connections are opened. Sizes in MiB, times in milliseconds."""

    cache_mib: int = 32
    mmap_mib: int = 65_536
    busy_timeout_ms: int = 1000
    checkpoint_pages: int = 4000
    """The log is folded back into the file at this many pages (4 KiB each)."""
    vfs: str | None = None
    """A registered SQLite VFS; tests break the disk through it."""
    prepare: Prepare | None = None


def open_connection(path: Path, tuning: Tuning, *, writer: bool) -> apsw.Connection:
    """A connection with the house's settings; readers cannot write."""
    try:
        connection = apsw.Connection(str(path), flags=_FLAGS, vfs=tuning.vfs, statementcachesize=512)
    except apsw.Error as error:
        fail(error)
    try:
        connection.set_busy_timeout(tuning.busy_timeout_ms)
        connection.convert_binding = _bind_list
        # Else each binding of a join's parameters makes SQLite prepare the statement again, which costs many times what
        # running it does.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        if writer:
            _claim_log(connection, path)
        settings = {
            "synchronous": "FULL",
            "foreign_keys": "ON",
            "cache_size": -1024 * tuning.cache_mib,
            "mmap_size": tuning.mmap_mib << 20,
            "temp_store": "MEMORY",
            "wal_autocheckpoint": tuning.checkpoint_pages,
            "journal_size_limit": 64 << 20,
            "trusted_schema": "OFF",
            "query_only": "OFF" if writer else "ON",
        }
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name}={value}").fetchall()
        if tuning.prepare is not None:
            tuning.prepare(connection)
    except apsw.Error as error:
        connection.close(True)
        fail(error)
    except BaseException:
        connection.close(True)
        raise
    return connection


def _claim_log(connection: apsw.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchall()[0][0]
    if mode != "wal":
        raise RuntimeError(
            f"{path} cannot keep a write-ahead log (journal mode {mode}): is it on a network disk?"
        )


_list_encoder = msgspec.json.Encoder(enc_hook=int)
"""msgspec knows no kinds of int, and ids are of one."""


def _bind_list(_cursor: apsw.Cursor, _number: int, value: Any) -> Any:
    """SQLite has no arrays: the list of an `IN :name` crosses as JSON. apsw asks only for types it does not know."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return _list_encoder.encode(value).decode()
    raise TypeError(f"a {type(value).__name__} cannot be a SQL parameter")


def translated(error: BaseException) -> BaseException:
    """The port's error for one of apsw's, or the same error when it is a bug in the statement."""
    if isinstance(error, apsw.ConstraintError):
        code: int = getattr(error, "extendedresult", 0)  # set by apsw, unknown to its stubs
        if code in _UNIQUE:
            return UniqueViolation(str(error).removeprefix("UNIQUE constraint failed: "))
        if code == apsw.SQLITE_CONSTRAINT_FOREIGNKEY:
            return ForeignKeyViolation(str(error))
        return error
    if isinstance(error, _BROKEN):
        return PortFailure("store", Mode.ERROR, "disk")
    if isinstance(error, _REFUSED):
        return PortFailure("store", Mode.UNAVAILABLE, "busy")
    if isinstance(error, apsw.InterruptError):
        return PortFailure("store", Mode.TIMEOUT, "interrupted")
    return error


def fail(error: BaseException) -> NoReturn:
    """Raise the port's error with apsw's as its cause."""
    known = translated(error)
    if known is error:
        raise error
    raise known from error


class FileLock:
    """Exclusive ownership of a database file, let go when the process ends however it ends."""

    def __init__(self, path: Path) -> None:
        lock = path.with_name(path.name + ".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise DatabaseInUse(
                f"{path} is in use by process {owner}. SQLite has one writing process: stop the other one, "
                "or use PostgreSQL for several."
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two different files of the same name.
        os.close(self._file)
