"""The SQL of accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.community.users.records import CARD_COLUMNS, COLUMNS, UserCard, UserRow
from flux.kernel.store import Database, Memory, Reader, Sql, Transaction

BY_ID = f"SELECT {COLUMNS} FROM community_users u WHERE u.id = :id"
BY_IDS = f"SELECT {COLUMNS} FROM community_users u WHERE u.id IN :ids"
CARDS = f"SELECT {CARD_COLUMNS} FROM community_users u WHERE u.id IN :ids"
BY_EMAIL = f"SELECT {COLUMNS} FROM community_users u WHERE u.email_folded = :email"
BY_TAG = f"SELECT {COLUMNS} FROM community_users u WHERE u.username_folded = :username AND u.discriminator = :discriminator"
BY_SESSION = f"SELECT {COLUMNS} FROM community_sessions s JOIN community_users u ON u.id = s.user_id WHERE s.token_hash = :hash"
PHONE_HOLDER = "SELECT id FROM community_users WHERE phone = :phone"
TAKEN = "SELECT discriminator FROM community_users WHERE username_folded = :username"
ANYBODY = "SELECT id FROM community_users WHERE bot = 0 LIMIT 1"
INSERT = """
INSERT INTO community_users (id, username, username_folded, discriminator, global_name, email, email_folded, password_hash,
    password_changed_at, date_of_birth, bot, flags, acls, avatar_color, last_address, created_at)
VALUES (:id, :username, :username_folded, :discriminator, :global_name, :email, :email_folded, :password_hash,
    :password_changed_at, :date_of_birth, :bot, :flags, :acls, :avatar_color, :last_address, :created_at)
"""
SETTINGS = "SELECT settings FROM community_user_settings WHERE user_id = :user_id"
PUT_SETTINGS = """
INSERT INTO community_user_settings (user_id, settings) VALUES (:user_id, :settings)
ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings
"""
LOCK = Sql(
    sqlite="SELECT id FROM community_users WHERE id = :id",
    postgres="SELECT id FROM community_users WHERE id = :id FOR NO KEY UPDATE",
)
SET_TOTP = (
    "UPDATE community_users SET totp_secret = :sealed, totp_step = 0 WHERE id = :id AND totp_secret IS NULL"
)
SPEND_STEP = "UPDATE community_users SET totp_step = :step WHERE id = :id AND totp_step < :step"
SMS_ON = """
UPDATE community_users SET sms_mfa = 1 WHERE id = :id AND totp_secret IS NOT NULL AND phone IS NOT NULL
"""
ADD_PASSKEY = "UPDATE community_users SET passkeys = passkeys + 1 WHERE id = :id AND passkeys < :most"
DROP_PASSKEY = "UPDATE community_users SET passkeys = passkeys - 1 WHERE id = :id AND passkeys > 0"
DROP_SETTINGS = "DELETE FROM community_user_settings WHERE user_id = :user_id"
_CHANGEABLE = frozenset(
    {
        "username", "username_folded", "discriminator", "global_name", "email", "email_folded", "email_verified",
        "password_hash", "password_changed_at", "bio", "pronouns", "accent_color", "avatar", "banner", "flags",
        "suspicious_flags", "acls", "disabled_by", "deletion_by", "deletion_at", "banned_until", "last_address", "phone",
        "totp_secret", "sms_mfa", "passkeys", "totp_step", "date_of_birth",
        "withdrawal_at", "withdrawal_channels", "withdrawal_messages",
    }
)  # fmt: skip


async def find(reader: Reader, user_id: int) -> UserRow | None:
    return await reader.one(BY_ID, {"id": user_id}, UserRow)


async def find_many(reader: Reader, user_ids: Iterable[int]) -> dict[int, UserRow]:
    """Those that exist."""
    wanted = list(set(user_ids))
    if not wanted:
        return {}
    return {row.id: row for row in await reader.all(BY_IDS, {"ids": wanted}, UserRow)}


def remembered_cards(db: Database) -> Memory[int, bytes]:
    """For JSON made of `cards`, by account."""
    return db.remember(CARDS)


def remembered_holders(db: Database) -> Memory[bytes, UserRow]:
    """For what `find_by_session` finds, by hash."""
    return db.remember(BY_SESSION)


async def cards(reader: Reader, user_ids: Iterable[int]) -> list[UserCard]:
    """Of those that exist."""
    return await reader.all(CARDS, {"ids": list(user_ids)}, UserCard)


async def find_by_email(reader: Reader, email_folded: str) -> UserRow | None:
    return await reader.one(BY_EMAIL, {"email": email_folded}, UserRow)


async def find_by_tag(reader: Reader, username_folded: str, discriminator: int) -> UserRow | None:
    return await reader.one(BY_TAG, {"username": username_folded, "discriminator": discriminator}, UserRow)


async def find_by_session(reader: Reader, token_hash: bytes) -> UserRow | None:
    return await reader.one(BY_SESSION, {"hash": token_hash}, UserRow)


async def phone_holder(reader: Reader, phone: str) -> int | None:
    found: int | None = await reader.value(PHONE_HOLDER, {"phone": phone})
    return found


async def taken_discriminators(reader: Reader, username_folded: str) -> set[int]:
    return set(await reader.all(TAKEN, {"username": username_folded}, int))


async def anybody_here(reader: Reader) -> bool:
    return await reader.value(ANYBODY, {}) is not None


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    """Raises `UniqueViolation` on the tag or the address."""
    await tx.run(INSERT, values)


async def update(tx: Transaction, user_id: int, values: dict[str, Any]) -> None:
    """Set the named columns. Raises `UniqueViolation`."""
    if not values:
        return
    if strangers := values.keys() - _CHANGEABLE:
        raise ValueError(f"not a column that changes: {strangers}")
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(
        f"UPDATE community_users SET {assignments} WHERE id = :user_id", {**values, "user_id": user_id}
    )


async def lock(tx: Transaction, user_id: int) -> None:
    """Nobody else changes the account before this unit ends. SQLite has one writer anyway."""
    await tx.value(LOCK, {"id": user_id})


async def set_totp(tx: Transaction, user_id: int, sealed: bytes) -> bool:
    """False when the account has a secret already."""
    return await tx.run(SET_TOTP, {"id": user_id, "sealed": sealed}) > 0


async def spend_totp_step(tx: Transaction, user_id: int, step: int) -> bool:
    """False when a code of that time or a later one was used before."""
    return await tx.run(SPEND_STEP, {"id": user_id, "step": step}) > 0


async def switch_sms_on(tx: Transaction, user_id: int) -> bool:
    return await tx.run(SMS_ON, {"id": user_id}) > 0


async def add_passkey(tx: Transaction, user_id: int, most: int) -> bool:
    """False when the account has that many."""
    return await tx.run(ADD_PASSKEY, {"id": user_id, "most": most}) > 0


async def drop_passkey(tx: Transaction, user_id: int) -> None:
    await tx.run(DROP_PASSKEY, {"id": user_id})


async def settings(reader: Reader, user_id: int) -> bytes | None:
    found: bytes | None = await reader.value(SETTINGS, {"user_id": user_id})
    return found


async def put_settings(tx: Transaction, user_id: int, encoded: bytes) -> None:
    await tx.run(PUT_SETTINGS, {"user_id": user_id, "settings": encoded})


async def drop_settings(tx: Transaction, user_id: int) -> None:
    await tx.run(DROP_SETTINGS, {"user_id": user_id})
