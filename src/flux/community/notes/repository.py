"""The SQL of notes."""

from __future__ import annotations

from flux.kernel.store import Reader, Transaction

LIST = "SELECT target_id, note FROM community_notes WHERE user_id = :user_id ORDER BY target_id"
FIND = "SELECT note FROM community_notes WHERE user_id = :user_id AND target_id = :target_id"
PUT = """
INSERT INTO community_notes (user_id, target_id, note) VALUES (:user_id, :target_id, :note)
ON CONFLICT (user_id, target_id) DO UPDATE SET note = excluded.note
"""
DROP = "DELETE FROM community_notes WHERE user_id = :user_id AND target_id = :target_id"


async def list_of(reader: Reader, user_id: int) -> dict[int, str]:
    rows: list[tuple[int, str]] = await reader.all(
        LIST, {"user_id": user_id}, lambda target, note: (target, note)
    )
    return dict(rows)


async def find(reader: Reader, user_id: int, target_id: int) -> str | None:
    found: str | None = await reader.value(FIND, {"user_id": user_id, "target_id": target_id})
    return found


async def put(tx: Transaction, user_id: int, target_id: int, note: str) -> None:
    """An empty note is none."""
    if note:
        await tx.run(PUT, {"user_id": user_id, "target_id": target_id, "note": note})
    else:
        await tx.run(DROP, {"user_id": user_id, "target_id": target_id})
