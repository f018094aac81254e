"""Tokens and passwords: made strong, stored hashed, compared in constant time, never logged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$COjAdfCP2EKPdJn6RKsDZg$eY1vKJQJBTqgVSBc6fUdhe/NGyD5Fqdf9nVKHnTgB3U"
"""Of a password that nobody knows, and as costly to verify as any: making one at each start would take as long."""


def new_token(size: int = 32) -> str:
    """`size` random bytes as unpadded base64url."""
    return secrets.token_urlsafe(size)


def token_hash(token: str) -> bytes:
    """SHA-256: enough for tokens of full entropy, and indexable."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(left: bytes | str, right: bytes | str) -> bool:
    """Equality whose time does not depend on where the two differ."""
    one = left.encode("utf-8", "surrogatepass") if isinstance(left, str) else left
    two = right.encode("utf-8", "surrogatepass") if isinstance(right, str) else right
    return hmac.compare_digest(one, two)


async def hash_password(password: str) -> str:
    """argon2id, in a thread: it takes tens of milliseconds on purpose."""
    return await asyncio.to_thread(_hasher.hash, password)


async def password_matches(password: str, stored: str | None) -> bool:
    """False for None after the same work, so that timing does not tell whether the account exists."""
    try:
        await asyncio.to_thread(_hasher.verify, stored or _DECOY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
