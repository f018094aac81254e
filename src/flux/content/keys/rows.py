"""What the database holds about a key."""

from __future__ import annotations

from msgspec import Struct


class Key(Struct, frozen=True):
    key: str
    environment: str
    side: str
    description: str | None
    role: str | None
    public_key: str
    secret_hash: bytes
    secret_hint: str
    verifying_key: bytes
    bearer_hash: bytes | None
    bearer_prefix: str | None
    bearer_issued_at: int | None
    created_at: int
