"""SQL of users, their refresh tokens and the signing secret."""

from __future__ import annotations

from flux.content.accounts.rows import User
from flux.content.repository import columns
from flux.content.repository import insert as insert_row
from flux.kernel.store import Reader, Transaction

_COLUMNS = columns(User)


async def by_key(reader: Reader, key: str) -> User | None:
    return await reader.one(f"SELECT {_COLUMNS} FROM content_users WHERE key = :key", {"key": key}, User)


async def by_email(reader: Reader, email: str) -> User | None:
    return await reader.one(
        f"SELECT {_COLUMNS} FROM content_users WHERE email = :email", {"email": email}, User
    )


async def update_password(tx: Transaction, email: str, password_hash: str) -> None:
    sql = "UPDATE content_users SET password_hash = :hash WHERE email = :email"
    await tx.run(sql, {"hash": password_hash, "email": email})


async def insert(tx: Transaction, user: User) -> None:
    """Raises `UniqueViolation` when the e-mail is taken."""
    await insert_row(tx, "content_users", user)


async def insert_refresh(tx: Transaction, jti: str, user_key: str, expires_at: int, family: str) -> None:
    await tx.run(
        "INSERT INTO content_refresh_tokens (jti, user_key, used, expires_at, family) "
        "VALUES (:jti, :user_key, 0, :expires_at, :family)",
        {"jti": jti, "user_key": user_key, "expires_at": expires_at, "family": family},
    )


async def use_refresh(tx: Transaction, jti: str, now: int) -> str | None:
    """Its family; None when it was used before or is not ours."""
    sql = "UPDATE content_refresh_tokens SET used = 1, used_at = :now WHERE jti = :jti AND used = 0 RETURNING family"
    found = await tx.value(sql, {"jti": jti, "now": now})
    return None if found is None else str(found)


async def end_family(tx: Transaction, jti: str, used_before: int) -> None:
    """Of a token that was used before that time: all of its family are used up."""
    sql = (
        "UPDATE content_refresh_tokens SET used = 1 WHERE family = (SELECT t.family FROM content_refresh_tokens t "
        "WHERE t.jti = :jti AND t.used_at IS NOT NULL AND t.used_at < :before)"
    )
    await tx.run(sql, {"jti": jti, "before": used_before})


async def forget_refresh(tx: Transaction, before_ms: int) -> None:
    await tx.run("DELETE FROM content_refresh_tokens WHERE expires_at < :before", {"before": before_ms})
