"""PostgreSQL's errors by the port's names."""

from __future__ import annotations

from typing import NoReturn

import asyncpg

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.port import ForeignKeyViolation, UniqueViolation


class UnstorableText(ValueError):
    """PostgreSQL text cannot hold U+0000."""


CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""40001 and 40P01: the unit lost a race and may run again."""

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,  # what asyncpg says when the server goes between two messages
    OSError,
)
_BROKEN = (asyncpg.InsufficientResourcesError, asyncpg.PostgresIOError, asyncpg.DataCorruptedError)
_CLOSED = ("connection is closed", "pool is clos", "connection has been released", "connection was closed")


def translated(error: BaseException) -> BaseException:
    """The port's error for one of asyncpg's, or the same error when it is a conflict or a bug in the statement."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation(error.constraint_name or str(error))
    if isinstance(error, (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError)):
        return ForeignKeyViolation(str(error))
    if isinstance(error, (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)):
        return PortFailure("store", Mode.TIMEOUT, "statement")  # before OSError: TimeoutError is one
    if isinstance(error, _GONE):
        return PortFailure("store", Mode.UNAVAILABLE, "connection")
    if isinstance(error, _BROKEN):
        return PortFailure("store", Mode.ERROR, "server")
    if isinstance(error, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)):
        return UnstorableText("text with U+0000 cannot be stored")
    if isinstance(error, asyncpg.InterfaceError) and any(sign in str(error) for sign in _CLOSED):
        return PortFailure("store", Mode.UNAVAILABLE, "connection")
    return error


def fail(error: BaseException) -> NoReturn:
    """Raise the port's error with asyncpg's as its cause."""
    known = translated(error)
    if known is error:
        raise error
    raise known from error


def may_still_run(error: BaseException) -> bool:
    """True when the statement was abandoned rather than answered, so that its connection is not clean."""
    return not isinstance(error, Exception) or isinstance(
        error, (TimeoutError, OSError, asyncpg.InternalClientError)
    )
