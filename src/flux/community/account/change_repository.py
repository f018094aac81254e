"""The SQL of changes of address or password that are on their way."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class ChangeRow(Struct, frozen=True):
    ticket_hash: bytes
    user_id: int
    proof_hash: bytes | None
    new_email: str | None


COLUMNS = "ticket_hash, user_id, proof_hash, new_email"
LIVE = "user_id = :user_id AND kind = :kind AND expires_at > :now"
ADD = """
INSERT INTO community_changes (ticket_hash, user_id, kind, proof_hash, expires_at)
VALUES (:hash, :user_id, :kind, :proof_hash, :expires_at)
"""
DROP_OLD = "DELETE FROM community_changes WHERE user_id = :user_id AND kind = :kind"
FIND = f"SELECT {COLUMNS} FROM community_changes WHERE ticket_hash = :hash AND {LIVE}"
SET_PROOF = f"UPDATE community_changes SET proof_hash = :proof_hash WHERE ticket_hash = :hash AND {LIVE}"
SET_EMAIL = f"""
UPDATE community_changes SET new_email = :new_email, token_hash = NULL WHERE ticket_hash = :hash AND {LIVE}
"""
SET_TOKEN = f"""
UPDATE community_changes SET token_hash = :token_hash WHERE ticket_hash = :hash AND new_email = :new_email AND {LIVE}
"""
USE = f"DELETE FROM community_changes WHERE ticket_hash = :hash AND proof_hash = :proof_hash AND {LIVE}"
USE_TOKEN = f"DELETE FROM community_changes WHERE token_hash = :hash AND {LIVE} RETURNING new_email"
SWEEP = "DELETE FROM community_changes WHERE expires_at < :now"


async def add(tx: Transaction, values: dict[str, Any]) -> None:
    """The account's only change of that kind: an earlier one is given up."""
    await tx.run(DROP_OLD, {"user_id": values["user_id"], "kind": values["kind"]})
    await tx.run(ADD, values)


async def find(reader: Reader, where: dict[str, Any]) -> ChangeRow | None:
    """`where` is {hash, user_id, kind, now}, here and below."""
    return await reader.one(FIND, where, ChangeRow)


async def set_proof(tx: Transaction, where: dict[str, Any], proof_hash: bytes) -> None:
    await tx.run(SET_PROOF, {**where, "proof_hash": proof_hash})


async def set_email(tx: Transaction, where: dict[str, Any], new_email: str) -> None:
    await tx.run(SET_EMAIL, {**where, "new_email": new_email})


async def set_token(tx: Transaction, where: dict[str, Any], new_email: str, token_hash: bytes) -> bool:
    """False when the new address has changed meanwhile."""
    return await tx.run(SET_TOKEN, {**where, "new_email": new_email, "token_hash": token_hash}) > 0


async def use(tx: Transaction, where: dict[str, Any], proof_hash: bytes) -> bool:
    """Each ticket works once."""
    return await tx.run(USE, {**where, "proof_hash": proof_hash}) > 0


async def use_token(tx: Transaction, where: dict[str, Any]) -> str | None:
    """The new address behind a token, which works once; its hash is `where`'s."""
    found: str | None = await tx.value(USE_TOKEN, where)
    return found


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
