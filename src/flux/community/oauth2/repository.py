"""The SQL of applications, codes and tokens."""

from __future__ import annotations

from typing import Any

from flux.community.oauth2.records import APPLICATION_COLUMNS, ApplicationRow, CodeRow, GrantRow
from flux.kernel.store import Reader, Transaction

FIND = f"SELECT {APPLICATION_COLUMNS} FROM community_applications a WHERE a.id = :id"
OWNED = f"SELECT {APPLICATION_COLUMNS} FROM community_applications a WHERE a.owner_id = :owner_id ORDER BY a.id LIMIT 200"
INSERT = """
INSERT INTO community_applications (id, owner_id, bot_user_id, name, redirect_uris, bot_public, bot_require_code_grant,
    secret_hash, bot_token_hash, created_at)
VALUES (:id, :owner_id, :bot_user_id, :name, :redirect_uris, :bot_public, :bot_require_code_grant, :secret_hash,
    :bot_token_hash, :created_at)
"""
DELETE = "DELETE FROM community_applications WHERE id = :id"
_CHANGEABLE = frozenset(
    {"name", "redirect_uris", "bot_public", "bot_require_code_grant", "secret_hash", "bot_token_hash"}
)

ADD_CODE = """
INSERT INTO community_oauth_codes (code_hash, application_id, user_id, redirect_uri, scopes, expires_at)
VALUES (:code_hash, :application_id, :user_id, :redirect_uri, :scopes, :expires_at)
"""
USE_CODE = """
DELETE FROM community_oauth_codes WHERE code_hash = :hash AND application_id = :application_id
RETURNING application_id, user_id, redirect_uri, scopes, expires_at
"""
FORGET = (
    "DELETE FROM community_oauth_codes WHERE user_id = :user_id",
    "DELETE FROM community_oauth_tokens WHERE user_id = :user_id",
)
AUTHORIZED = f"""
SELECT {APPLICATION_COLUMNS}, t.scopes, t.created_at FROM community_oauth_tokens t
JOIN community_applications a ON a.id = t.application_id WHERE t.user_id = :user_id ORDER BY t.created_at LIMIT 1000
"""
APPLICATION_WIDTH = len(ApplicationRow.__struct_fields__)
WITHDRAW = (
    "DELETE FROM community_oauth_codes WHERE user_id = :user_id AND application_id = :application_id",
    "DELETE FROM community_oauth_tokens WHERE user_id = :user_id AND application_id = :application_id",
)
SWEEP_CODES = "DELETE FROM community_oauth_codes WHERE expires_at < :now"
ADD_GRANT = """
INSERT INTO community_oauth_tokens (access_hash, refresh_hash, application_id, user_id, scopes, created_at, expires_at)
VALUES (:access_hash, :refresh_hash, :application_id, :user_id, :scopes, :created_at, :expires_at)
"""
GRANT_COLUMNS = "application_id, user_id, scopes, created_at, expires_at"
BY_ACCESS = f"SELECT {GRANT_COLUMNS} FROM community_oauth_tokens WHERE access_hash = :hash"
USE_REFRESH = f"""
DELETE FROM community_oauth_tokens WHERE refresh_hash = :hash AND application_id = :application_id RETURNING {GRANT_COLUMNS}
"""
REVOKE = """
DELETE FROM community_oauth_tokens WHERE application_id = :application_id AND (access_hash = :hash OR refresh_hash = :hash)
"""


async def find(reader: Reader, application_id: int) -> ApplicationRow | None:
    return await reader.one(FIND, {"id": application_id}, ApplicationRow)


async def owned(reader: Reader, owner_id: int) -> list[ApplicationRow]:
    return await reader.all(OWNED, {"owner_id": owner_id}, ApplicationRow)


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def update(tx: Transaction, application_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(
        f"UPDATE community_applications SET {assignments} WHERE id = :id", {**values, "id": application_id}
    )


async def delete(tx: Transaction, application_id: int) -> None:
    await tx.run(DELETE, {"id": application_id})


async def add_code(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD_CODE, values)


async def use_code(tx: Transaction, application_id: int, code_hash: bytes) -> CodeRow | None:
    """Each code works once; of two that use it at the same time only one gets it."""
    return await tx.one(USE_CODE, {"hash": code_hash, "application_id": application_id}, CodeRow)


async def add_token(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD_GRANT, values)


async def by_access(reader: Reader, access_hash: bytes) -> GrantRow | None:
    return await reader.one(BY_ACCESS, {"hash": access_hash}, GrantRow)


async def use_refresh(tx: Transaction, application_id: int, refresh_hash: bytes) -> GrantRow | None:
    return await tx.one(USE_REFRESH, {"hash": refresh_hash, "application_id": application_id}, GrantRow)


async def revoke(tx: Transaction, application_id: int, token_hash: bytes) -> None:
    """An access or refresh token, and the other of the pair."""
    await tx.run(REVOKE, {"application_id": application_id, "hash": token_hash})


async def authorized(reader: Reader, user_id: int) -> list[tuple[ApplicationRow, str, int]]:
    """The account's tokens, oldest first: whose they are, their scopes, since when."""
    rows = await reader.all(AUTHORIZED, {"user_id": user_id}, lambda *row: row)
    return [(ApplicationRow(*row[:APPLICATION_WIDTH]), *row[APPLICATION_WIDTH:]) for row in rows]


async def withdraw(tx: Transaction, user_id: int, application_id: int) -> bool:
    """What the account has granted one application; False for nothing."""
    values = {"user_id": user_id, "application_id": application_id}
    gone = [await tx.run(statement, values) for statement in WITHDRAW]
    return any(gone)


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP_CODES, {"now": now})


async def forget(tx: Transaction, user_id: int) -> None:
    """What the account has granted."""
    for statement in FORGET:
        await tx.run(statement, {"user_id": user_id})
