"""The one door to the durable truth: what a database is to the rest of the house.

SQL is hand-written in one dialect-neutral form: `:name` parameters, `RETURNING`, `ON CONFLICT`, `CAST(x AS t)`
(never `::`). Where the dialects really differ, write `Sql(sqlite="…", postgres="…")`. Only repositories hold SQL.

Values cross as int (64 bit; booleans are 0/1 in INTEGER/SMALLINT columns, times are Unix milliseconds), float,
str, bytes (JSON is stored as bytes) and None. `x IN :list` and `x NOT IN :list` take a list of int or str (an empty
one matches nothing, or everything). A statement that fails dooms its unit even if the body catches the error. Rows come back through `into`: a callable taking the selected
columns in order, usually a msgspec Struct class, so `tx.one(SQL, {...}, Message)` is a `Message | None`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from flux.kernel.store.memory import Memory

T = TypeVar("T")
Dialect = Literal["sqlite", "postgres"]
Params = Mapping[str, Any]
Row = tuple[Any, ...]


def as_read(*columns: Any) -> tuple[Any, ...]:
    """An `into` for rows as the database gives them, of which SQLite's are not even looked at."""
    return columns


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement in two dialects, for the places where they differ."""

    sqlite: str
    postgres: str


Statement = str | Sql


class UniqueViolation(Exception):
    """A unique or primary key was already taken. `constraint` names the table's index or its columns."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class ForeignKeyViolation(Exception):
    """A row that others point at is missing, or a row that others point at would go."""


class Reader(Protocol):
    """Reads. On a `Database` each call sees the latest commit; inside a unit of work it sees the unit's own writes."""

    async def one(self, sql: Statement, params: Params, into: Callable[..., T]) -> T | None:
        """The first row, or None."""

    async def all(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        """Every row. For keyed or small bounded reads; use `Database.scan` for the rest."""

    async def value(self, sql: Statement, params: Params) -> Any:
        """The first column of the first row, or None."""


class Closing(Protocol):
    """What is written down in the same breath as the COMMIT."""

    def text(self) -> str:
        """SQL without parameters. Called once, when the body has ended."""


class Transaction(Reader, Protocol):
    """A unit of work: everything in it happens, or nothing."""

    closing: Closing | None
    """For the one who sets it, on PostgreSQL only: it shares a round trip with the COMMIT. SQLite saves nothing by it."""

    async def run(self, sql: Statement, params: Params) -> int:
        """Execute; the number of rows changed."""

    async def run_many(self, sql: Statement, params: Sequence[Params] | Sequence[Row]) -> None:
        """Execute once for each set of parameters, all by name or all as rows: the values in the order in which the statement
        names them, each once."""

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call `act` once the commit is durable, in the order of the calls; never when the unit rolls back."""


Work = Callable[[Transaction], Awaitable[T]]


class Database(Reader, Protocol):
    dialect: Dialect

    async def transact(self, work: Work[T], *, serializable: bool = False) -> T:
        """Run `work` as one unit and return its result after the commit is durable.

        Any exception rolls the whole unit back and leaves unchanged. On SQLite the body must only await the
        transaction it was given (anything else raises `UnitSuspended`); it may run again on PostgreSQL when
        the database reports a conflict, so it must not have effects outside `tx`.
        """

    async def transact_through(self, work: Work[T]) -> T:
        """As `transact`, and to its end even when the caller is cancelled meanwhile."""

    async def scan(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T]:
        """A long read (search, listing, aggregate): off the loop on SQLite, cancelled with its task."""

    async def glance(self, sql: Statement, params: Params, into: Callable[..., T]) -> list[T] | None:
        """As `all`, for what is most often short: None when it turns out to take longer than about a millisecond. Only SQLite
        can tell; elsewhere it is read to its end, so that its text has to bound it."""

    def remember(self, *statements: Statement) -> Memory[Any, Any]:
        """An empty memory for what is made of what these statements read. They must be of tables that are there already, and
        of ordinary ones. Where others commit too, it keeps nothing: there each thing is read again."""

    @property
    def settled(self) -> bool:
        """True when the acts after every commit that a read can see have been called. Never where others commit too."""

    async def close(self) -> None: ...


class UnitSuspended(RuntimeError):
    """A unit of work awaited something other than its transaction."""
