"""What the database holds about people."""

from __future__ import annotations

from msgspec import Struct


class User(Struct, frozen=True):
    key: str
    email: str
    password_hash: str
    first_name: str
    last_name: str
    created_at: int
