"""The SQL of passkeys and challenges."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class PasskeyRow(Struct, frozen=True):
    credential_id: str
    user_id: int
    public_key: bytes
    sign_count: int
    name: str
    transports: bytes
    created_at: int
    last_used_at: int | None


COLUMNS = "credential_id, user_id, public_key, sign_count, name, transports, created_at, last_used_at"
FIND = f"SELECT {COLUMNS} FROM community_passkeys WHERE credential_id = :credential_id"
LIST = f"SELECT {COLUMNS} FROM community_passkeys WHERE user_id = :user_id ORDER BY created_at, credential_id"
ADD = """
INSERT INTO community_passkeys (credential_id, user_id, public_key, sign_count, name, transports, created_at)
VALUES (:credential_id, :user_id, :public_key, :sign_count, :name, :transports, :now)
"""
RENAME = (
    "UPDATE community_passkeys SET name = :name WHERE credential_id = :credential_id AND user_id = :user_id"
)
DROP = "DELETE FROM community_passkeys WHERE credential_id = :credential_id AND user_id = :user_id"
DROP_ALL = "DELETE FROM community_passkeys WHERE user_id = :user_id"
USED = """
UPDATE community_passkeys SET sign_count = :sign_count, last_used_at = :now
WHERE credential_id = :credential_id AND (sign_count < :sign_count OR (sign_count = 0 AND :sign_count = 0))
"""
ASK = """
INSERT INTO community_challenges (challenge_hash, purpose, user_id, expires_at)
VALUES (:hash, :purpose, :user_id, :expires_at)
"""
TAKE = """
DELETE FROM community_challenges WHERE challenge_hash = :hash AND purpose = :purpose AND user_id = :user_id
RETURNING expires_at
"""
SWEEP = "DELETE FROM community_challenges WHERE expires_at < :now"


async def find(reader: Reader, credential_id: str) -> PasskeyRow | None:
    return await reader.one(FIND, {"credential_id": credential_id}, PasskeyRow)


async def list_of(reader: Reader, user_id: int) -> list[PasskeyRow]:
    return await reader.all(LIST, {"user_id": user_id}, PasskeyRow)


async def add(tx: Transaction, values: dict[str, Any]) -> None:
    """Raises `UniqueViolation` for a credential that somebody has registered."""
    await tx.run(ADD, values)


async def rename(tx: Transaction, user_id: int, credential_id: str, name: str) -> bool:
    return await tx.run(RENAME, {"user_id": user_id, "credential_id": credential_id, "name": name}) > 0


async def drop(tx: Transaction, user_id: int, credential_id: str) -> bool:
    return await tx.run(DROP, {"user_id": user_id, "credential_id": credential_id}) > 0


async def drop_all(tx: Transaction, user_id: int) -> None:
    await tx.run(DROP_ALL, {"user_id": user_id})


async def used(tx: Transaction, credential_id: str, sign_count: int, now: int) -> bool:
    """False when the authenticator's counter did not go up: the key was copied, or the answer sent twice."""
    return await tx.run(USED, {"credential_id": credential_id, "sign_count": sign_count, "now": now}) > 0


async def ask(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ASK, values)


async def take(tx: Transaction, challenge_hash: bytes, purpose: str, user_id: int) -> int | None:
    """Use the challenge up; when it expires, or None when there is no such one."""
    found: int | None = await tx.value(TAKE, {"hash": challenge_hash, "purpose": purpose, "user_id": user_id})
    return found


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
