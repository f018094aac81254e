"""Growing and reading generations."""

from __future__ import annotations

from collections.abc import Sequence

from flux.content.generations import repository
from flux.kernel.store import Reader, Transaction


async def advance(tx: Transaction, *scopes: str) -> None:
    """What is cached under the scopes is old from this commit on. In a fixed order, so that units do not deadlock.

    Its row stays locked until the unit ends: done first, it makes the changes of one scope wait for each other.
    """
    for scope in sorted(set(scopes)):
        await repository.advance(tx, scope)


async def read_one(reader: Reader, scope: str) -> int:
    """0 for a scope that never changed."""
    return await repository.read_one(reader, scope)


async def read(reader: Reader, scopes: Sequence[str]) -> dict[str, int]:
    """0 for a scope that never changed."""
    found = await repository.read(reader, scopes)
    return {scope: found.get(scope, 0) for scope in scopes}
