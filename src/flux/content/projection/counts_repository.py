"""SQL of the counts: how many documents a folder shows, and how many of them have a value in each slot.

They change in the unit that changes what they count, by what the database says was written and deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flux.kernel.store import Transaction

Held = Counter[tuple[str, int]]
"""By `numbers` or `strings` and the slot, how many more documents have a value there that lists may be sorted by."""


async def add_documents(tx: Transaction, folder: str, changes: Counter[str]) -> None:
    """By component, how many more there are."""
    sql = (
        "INSERT INTO content_counts (folder, component, documents) VALUES (:folder, :component, :more) "
        "ON CONFLICT (folder, component) DO UPDATE SET documents = content_counts.documents + excluded.documents"
    )
    rows = [(folder, component, more) for component, more in sorted(changes.items()) if more]
    if rows:
        await tx.run_many(sql, rows)


async def add_held(tx: Transaction, changes: Held) -> None:
    for family in ("numbers", "strings"):
        rows = sorted((slot, more) for (kind, slot), more in changes.items() if more and kind == family)
        if rows:
            sql = f"UPDATE content_slots SET {family} = {family} + :more WHERE id = :slot"
            await tx.run_many(sql, [{"slot": slot, "more": more} for slot, more in rows])


async def drop_folders(tx: Transaction, folders: Sequence[str]) -> None:
    await tx.run("DELETE FROM content_counts WHERE folder IN :folders", {"folders": list(folders)})
