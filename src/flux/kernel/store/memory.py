"""What was made of rows, kept until those rows may be others.

    names = db.remember(CARDS)
    found = names.get(user_id)
    if found is None:
        turn = names.turn
        found = made_of(await db.one(CARDS, {"id": user_id}, Card))
        names.put(user_id, found, turn)

Which tables and columns a statement reads and which another one writes, with everything that follows from it by triggers and
foreign keys, SQLite says itself when it prepares them. Nothing has to be declared, so nothing can be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import apsw

from flux.kernel.faults.ports import Ports

K = TypeVar("K")
V = TypeVar("V")

_CHANGES = (apsw.SQLITE_INSERT, apsw.SQLITE_DELETE, apsw.SQLITE_UPDATE)
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
_MOST_TEXTS = 4096

_Told = tuple[int, str | None, str | None]
Column = tuple[str, str]
"""A table and a column of it; of the table itself, its rows coming and going, the column is empty."""


class Memory(Generic[K, V]):
    """At most so many things by key, all of them forgotten before anybody hears of a commit that may have changed one.

    For what is small, dear to make and seldom changed. What it gives out is shared: it must not be changed. Inside a unit of work
    it says nothing of what the unit wrote.
    """

    __slots__ = ("_kept", "_most", "_ports", "turn")

    def __init__(self, most: int, ports: Ports) -> None:
        self._kept: dict[K, V] = {}
        self._most = most
        self._ports = ports
        self.turn = 0
        """How often everything was forgotten."""

    def get(self, key: K) -> V | None:
        if self._ports.enabled and self._ports.armed("store"):
            return None
        return self._kept.get(key)

    def put(self, key: K, value: V, turn: int) -> None:
        """`turn` is what it was before the first of the reads that `value` was made of: what was read of an earlier state
        is not kept."""
        if turn != self.turn or not self._most:
            return
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = value

    def forget(self) -> None:
        self._kept.clear()
        self.turn += 1


class Memories:
    """All of one database, and which of them a statement makes forget."""

    def __init__(self) -> None:
        self._sources: dict[Memory[Any, Any], frozenset[Column]] = {}
        self._heard: list[_Told] | None = None
        self.touched: dict[str, tuple[Memory[Any, Any], ...]] = {}
        """By the text of a statement that was run inside a unit of work."""
        self.due: set[Memory[Any, Any]] = set()
        """Touched by a batch that is not settled yet."""
        self._version: object = None

    def attend(self, connection: apsw.Connection) -> None:
        """From now on its statements can be asked about. Called when it is opened: later it would lose what it has prepared."""
        connection.authorizer = self._hear

    def add(self, memory: Memory[Any, Any], connection: apsw.Connection, texts: Sequence[str]) -> None:
        heard = [each for text in texts for each in self._told(connection, text)]
        self._sources[memory] = frozenset(
            (table, column)
            for act, table, name in heard
            if act == apsw.SQLITE_READ and table
            for column in ("", name or "")
        )
        self.touched.clear()
        # What is under way was run before it was known whom it touches.
        self.due.add(memory)

    def learn(self, connection: apsw.Connection, text: str) -> tuple[Memory[Any, Any], ...]:
        """Whom a statement touches that was not seen before."""
        if len(self.touched) >= _MOST_TEXTS:
            self.touched.clear()
        touched = self.touched[text] = tuple(self._touched_by(connection, text))
        return touched

    def _touched_by(self, connection: apsw.Connection, text: str) -> list[Memory[Any, Any]]:
        words = [word.upper() for word in text.split(None, 2)[:2]]
        if not self._sources or words[:1] == ["SELECT"]:
            return []
        if words[:1] == [] or words[0] not in _WRITING or words == ["UPDATE", "OR"]:
            # Of an UPDATE OR REPLACE it is not told whose rows go.
            return list(self._sources)
        try:
            heard = self._told(connection, text)
        except apsw.Error:
            # The statement itself will say what is wrong with it.
            return list(self._sources)
        written = {
            (table, name or "" if act == apsw.SQLITE_UPDATE else "")
            for act, table, name in heard
            if act in _CHANGES and table
        }
        return [memory for memory, columns in self._sources.items() if not written.isdisjoint(columns)]

    def compare(self, version: object) -> None:
        """`version` is another one than before when somebody else has written, which nobody should. It is noticed no later than by
        the house's next unit of work."""
        if version != self._version:
            self._version = version
            self.due.update(self._sources)

    def settle(self) -> None:
        """The batch is durable, or undone, and nobody has heard of it yet."""
        if self.due:
            for memory in self.due:
                memory.forget()
            self.due.clear()

    def _told(self, connection: apsw.Connection, text: str) -> list[_Told]:
        heard: list[_Told] = []
        self._heard = heard
        try:
            connection.execute(f"EXPLAIN {text}", _Nothing(), can_cache=False).close()
        finally:
            self._heard = None
        return heard

    def _hear(
        self, act: int, first: str | None, second: str | None, _database: str | None, _source: str | None
    ) -> int:
        if self._heard is not None:
            self._heard.append((act, first, second))
        return apsw.SQLITE_OK


class _Nothing(dict[str, Any]):
    """A value for each parameter of a statement that is not run."""

    def __missing__(self, name: str) -> None:
        return None
