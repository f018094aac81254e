"""What the database holds about APIs and connections."""

from __future__ import annotations

from msgspec import Struct


class Api(Struct, frozen=True):
    """`cors_origins` is a JSON array."""

    key: str
    environment: str
    name: str
    prefix: str
    description: str | None
    version: str | None
    is_auth_required: int
    mcp_enabled: int
    router_introspection_enabled: int
    cors_origins: bytes
    created_at: int


class Connection(Struct, frozen=True):
    """`allowed_methods` are comma-separated."""

    id: str
    api: str
    folder: str
    allowed_methods: str
    description_get_one: str | None
    description_get_many: str | None
    description_search: str | None
    description_schema: str | None
    created_at: int
