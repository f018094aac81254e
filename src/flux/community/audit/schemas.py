"""The audit log on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.users.schemas import UserPartial
from flux.kernel.wire import Snowflake


class AuditQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    before: Snowflake | None = None
    after: Snowflake | None = None
    user_id: Snowflake | None = None
    action_type: Annotated[int, Meta(ge=0, le=1000)] | None = None


class AuditEntry(Struct, frozen=True):
    id: str
    action_type: int
    user_id: str | None
    target_id: str | None
    reason: str | UnsetType = UNSET
    options: msgspec.Raw | UnsetType = UNSET
    changes: msgspec.Raw | UnsetType = UNSET


class AuditWebhook(Struct, frozen=True):
    id: str
    guild_id: str
    channel_id: str
    name: str
    avatar_hash: str | None
    type: int = 1


class AuditLog(Struct, frozen=True):
    """Newest first. `users` are those who acted and, as far as there is room, those it was done to; `webhooks` those
    that there are still."""

    audit_log_entries: list[AuditEntry]
    users: list[UserPartial]
    webhooks: list[AuditWebhook]
