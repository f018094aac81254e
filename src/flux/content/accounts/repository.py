"""SQL of users, their refresh tokens and the signing secret."""

from __future__ import annotations

from msgspec import Struct

from flux.kernel.store import Database, Reader, Transaction


class User(Struct, frozen=True):
    key: str
    email: str
    password_hash: str
    first_name: str
    last_name: str
    created_at: int


_COLUMNS = ", ".join(User.__struct_fields__)


async def by_key(reader: Reader, key: str) -> User | None:
    return await reader.one(f"SELECT {_COLUMNS} FROM content_users WHERE key = :key", {"key": key}, User)


async def by_email(reader: Reader, email: str) -> User | None:
    return await reader.one(f"SELECT {_COLUMNS} FROM content_users WHERE email = :email", {"email": email}, User)


async def first(reader: Reader) -> User | None:
    """The oldest user: the one of the first start."""
    return await reader.one(f"SELECT {_COLUMNS} FROM content_users ORDER BY created_at, key LIMIT 1", {}, User)


async def insert(tx: Transaction, user: User) -> None:
    """Raises `UniqueViolation` when the e-mail is taken."""
    await tx.run(
        f"INSERT INTO content_users ({_COLUMNS}) VALUES (:key, :email, :password_hash, :first_name, :last_name, :created_at)",
        {name: getattr(user, name) for name in User.__struct_fields__},
    )


async def insert_refresh(tx: Transaction, jti: str, user_key: str, expires_at: int) -> None:
    await tx.run(
        "INSERT INTO content_refresh_tokens (jti, user_key, used, expires_at) VALUES (:jti, :user_key, 0, :expires_at)",
        {"jti": jti, "user_key": user_key, "expires_at": expires_at},
    )


async def use_refresh(tx: Transaction, jti: str) -> bool:
    """False when it was used before or is not ours."""
    return await tx.run("UPDATE content_refresh_tokens SET used = 1 WHERE jti = :jti AND used = 0", {"jti": jti}) == 1


async def forget_refresh(tx: Transaction, before_ms: int) -> None:
    await tx.run("DELETE FROM content_refresh_tokens WHERE expires_at < :before", {"before": before_ms})


async def secret(db: Database, name: str, fresh: bytes) -> bytes:
    """The stored secret of that name; `fresh` becomes it when there is none."""

    async def work(tx: Transaction) -> bytes:
        await tx.run(
            "INSERT INTO content_secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING",
            {"name": name, "value": fresh},
        )
        return bytes(await tx.value("SELECT value FROM content_secrets WHERE name = :name", {"name": name}))

    return await db.transact(work)
