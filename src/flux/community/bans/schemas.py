"""Bans on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.community.inputs import Input
from flux.community.users.schemas import UserPartial


class BanCreate(Input, kw_only=True):
    delete_message_days: Annotated[int, Meta(ge=0, le=7)] | None = None
    delete_message_seconds: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    reason: Annotated[str, Meta(max_length=512)] | None = None
    ban_duration_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] | None = None


class BanView(Struct, frozen=True):
    user: UserPartial
    reason: str | None
    moderator_id: str
    banned_at: str
    expires_at: str | None
