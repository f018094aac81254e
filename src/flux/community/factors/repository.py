"""The SQL of backup codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class BackupRow(Struct, frozen=True):
    sealed: bytes
    consumed_at: int | None


LIST = "SELECT sealed, consumed_at FROM community_backup_codes WHERE user_id = :user_id ORDER BY place"
ADD = """
INSERT INTO community_backup_codes (user_id, code_hash, sealed, place) VALUES (:user_id, :code_hash, :sealed, :place)
"""
SPEND = """
UPDATE community_backup_codes SET consumed_at = :now
WHERE user_id = :user_id AND code_hash = :code_hash AND consumed_at IS NULL
"""
DROP_ALL = "DELETE FROM community_backup_codes WHERE user_id = :user_id"


async def backup_codes(reader: Reader, user_id: int) -> list[BackupRow]:
    return await reader.all(LIST, {"user_id": user_id}, BackupRow)


async def add_backup_codes(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    await tx.run_many(ADD, rows)


async def spend_backup_code(tx: Transaction, user_id: int, code_hash: bytes, now: int) -> bool:
    """Each works once; of two who use it at the same time one has it."""
    return await tx.run(SPEND, {"user_id": user_id, "code_hash": code_hash, "now": now}) > 0


async def drop_backup_codes(tx: Transaction, user_id: int) -> None:
    await tx.run(DROP_ALL, {"user_id": user_id})
