"""What the database holds about a locale."""

from __future__ import annotations

from msgspec import Struct


class Locale(Struct, frozen=True):
    environment: str
    code: str
    name: str
    is_default: int
    created_at: int
