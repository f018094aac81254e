"""SQL of slots, as readers need them."""

from __future__ import annotations

from collections.abc import Mapping

from flux.kernel.store import Database

Slots = Mapping[tuple[str, str, str], int]
"""The numbers of a folder's slots by component, path and locale."""


async def of_folder(db: Database, folder: str) -> Slots:
    sql = "SELECT component, path, locale, id FROM content_slots WHERE folder = :folder"
    rows = await db.all(
        sql, {"folder": folder}, lambda component, path, locale, id_: ((component, path, locale), id_)
    )
    return dict(rows)
