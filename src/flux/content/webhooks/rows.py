"""What the database holds about webhooks."""

from __future__ import annotations

from msgspec import Struct


class Webhook(Struct, frozen=True):
    """`events` are comma-separated; `folders` is a JSON array of keys, empty for all."""

    key: str
    environment: str
    name: str
    url: str
    events: str
    folders: bytes
    is_enabled: int
    secret: bytes
    secret_hint: str
    created_at: int


class Delivery(Struct, frozen=True):
    """A message to one webhook. `status` is pending, delivered or failed; times are milliseconds."""

    key: str
    webhook: str
    event: str
    payload: bytes
    status: str
    attempts: int
    last_status: int | None
    last_error: str | None
    duration_ms: int | None
    created_at: int
    next_attempt_at: int | None
    finished_at: int | None
