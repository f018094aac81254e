"""What the database holds about resources and revisions."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Resource(Struct, frozen=True):
    key: str
    environment: str
    folder: str
    component: str | None
    external_id: str | None
    name: str | None
    resource_owner: str | None
    current_revision: str | None
    last_number: int
    vectors_size: int
    created_at: int
    updated_at: int


class Revision(Struct, frozen=True):
    """`status` is draft, published or unpublished; `data` is JSON in its stored form."""

    key: str
    resource: str
    number: int
    schema_version: str
    status: str
    data: bytes
    size: int
    is_valid: int | None
    created_at: int
    published_at: int | None
    unpublished_at: int | None

    def decoded(self) -> dict[str, Any]:
        value: dict[str, Any] = msgspec.json.decode(self.data)
        return value
