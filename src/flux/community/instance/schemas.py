"""What the instance tells about itself."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class GatewayUrl(Struct, frozen=True):
    url: str


class SessionStartLimit(Struct, frozen=True):
    total: int
    remaining: int
    reset_after: int
    max_concurrency: int


class GatewayBot(Struct, frozen=True):
    url: str
    shards: int
    session_start_limit: SessionStartLimit


class WellKnown(Struct, frozen=True):
    api_code_version: int
    endpoints: dict[str, str]
    captcha: dict[str, str | None]
    features: dict[str, bool]
    gif: dict[str, str]
    sso: dict[str, Any]
    limits: dict[str, Any]
    push: dict[str, str | None]
    app_public: dict[str, str]
    oauth2: dict[str, Any]
