"""What the database holds about roles."""

from __future__ import annotations

from msgspec import Struct


class Role(Struct, frozen=True):
    key: str
    environment: str
    side: str
    name: str
    description: str | None
    full_access: int
    created_at: int


class PermissionRow(Struct, frozen=True):
    """`actions` are comma-separated."""

    content_type: str
    actions: str
    all_objects: int


class ObjectRow(Struct, frozen=True):
    content_type: str
    object_key: str
