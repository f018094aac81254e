"""The table `untold`. Nobody else reads or writes it. A row's id sorts by the time it was made (`time_sortable_key`)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flux.kernel.store.port import Reader, Transaction


class Late(Struct, frozen=True):
    """A unit of work that was taken to be told again."""

    id: str
    events: bytes


def note(key: str, events: bytes) -> str:
    """As a text without parameters, since it goes with the COMMIT. Nothing in it can end a literal: a key is letters and digits, the
    rest hexadecimal."""
    return f"INSERT INTO untold (id, events) VALUES ('{key}', decode('{events.hex()}', 'hex'))"


_ANY = "SELECT id FROM untold WHERE id < :before ORDER BY id LIMIT 1"
_EXPIRE = "DELETE FROM untold WHERE id < :oldest"
_TAKE = """
WITH late AS MATERIALIZED (
    SELECT id FROM untold WHERE id < :before AND again_at <= :now ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
)
UPDATE untold SET again_at = :until FROM late WHERE untold.id = late.id RETURNING untold.id, untold.events
"""
_DONE = "DELETE FROM untold WHERE id IN :ids"


async def any_before(reader: Reader, before: str) -> bool:
    return await reader.value(_ANY, {"before": before}) is not None


async def expire(tx: Transaction, oldest: str) -> int:
    return await tx.run(_EXPIRE, {"oldest": oldest})


async def take(tx: Transaction, before: str, *, now: int, until: int, most: int) -> list[Late]:
    """The oldest first; until then nobody else takes them."""
    params = {"before": before, "now": now, "until": until, "most": most}
    return sorted(await tx.all(_TAKE, params, Late), key=lambda late: late.id)


async def done(tx: Transaction, ids: Sequence[str]) -> None:
    await tx.run(_DONE, {"ids": list(ids)})
