"""Growing and reading generations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from weakref import WeakSet

from flux.content.generations import repository
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction

_MOST_REMEMBERED = 50_000


async def advance(tx: Transaction, *scopes: str) -> None:
    """What is cached under the scopes is old from this commit on. In a fixed order, so that units do not deadlock.

    Its row stays locked until the unit ends: done first, it makes the changes of one scope wait for each other.
    """
    for scope in sorted(set(scopes)):
        await repository.advance(tx, scope)
    tx.after_commit(partial(_forget, scopes))


async def read_one(reader: Reader, scope: str) -> int:
    """As the database has it now; 0 for a scope that never changed."""
    return await repository.read_one(reader, scope)


class Generations:
    """Generations as caches ask for them, many times a second. One process owns a SQLite file, so that there they are
    remembered: a commit forgets what it changed before whoever made it is answered. Elsewhere they are always read.
    While a fault waits at the store, memory stands aside."""

    def __init__(self, house: House) -> None:
        self._db = house.db
        self._ports = house.ports
        self._remembers = house.db.dialect == "sqlite"
        self.remembered: dict[str, int] = {}
        _memories.add(self)

    def stand(self, depends: Iterable[tuple[str, int]]) -> bool | None:
        """Whether scopes have these generations, by memory alone; None when it cannot tell."""
        if self._ports.armed("store"):
            return None
        remembered = self.remembered
        for scope, generation in depends:
            known = remembered.get(scope)
            if known is None:
                return None
            if known != generation:
                return False
        return True

    async def of(self, scope: str) -> int:
        """0 for a scope that never changed."""
        known = self.remembered.get(scope)
        if known is not None and not self._ports.armed("store"):
            return known
        read = await repository.read_one(self._db, scope)
        if self._remembers:
            if len(self.remembered) >= _MOST_REMEMBERED:
                self.remembered.clear()
            self.remembered[scope] = read
        return read


_memories: WeakSet[Generations] = WeakSet()
"""Of every house in this process. Scopes are made up at random: forgetting one too many costs a read."""


def _forget(scopes: Sequence[str]) -> None:
    for memory in _memories:
        for scope in scopes:
            memory.remembered.pop(scope, None)
