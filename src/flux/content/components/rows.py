"""What the database holds about a component. `current_version` is the key of its published version."""

from __future__ import annotations

from msgspec import Struct


class Component(Struct, frozen=True):
    key: str
    environment: str
    name: str
    description: str | None
    content_type: str
    created_at: int


class ComponentWithVersion(Struct, frozen=True):
    key: str
    environment: str
    name: str
    description: str | None
    content_type: str
    created_at: int
    current_version: str | None
