"""Bans on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flux.community.inputs import Input
from flux.community.users.schemas import UserPartial


class BanCreate(Input, kw_only=True):
    delete_message_days: Annotated[int, Meta(ge=0, le=7)] | None = None
    delete_message_seconds: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    reason: Annotated[str, Meta(max_length=512)] | None = None
    ban_duration_seconds: (
        Literal[0, 3600, 43_200, 86_400, 259_200, 432_000, 604_800, 1_209_600, 2_592_000] | None
    ) = None
    """0 is for ever."""


class BanView(Struct, frozen=True):
    user: UserPartial
    reason: str | None
    moderator_id: str
    banned_at: str
    expires_at: str | None
