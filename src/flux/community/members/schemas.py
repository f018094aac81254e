"""Members on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input
from flux.community.media.rules import DataUri
from flux.community.standing.records import MemberRow
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.kernel.store import iso
from flux.kernel.wire import Snowflake


class MemberView(Struct, frozen=True, kw_only=True):
    """How they came is for those who manage the guild: searching.py."""

    user: UserPartial
    nick: str | None
    avatar: str | None = None
    banner: str | None = None
    accent_color: int | None = None
    roles: list[str]
    joined_at: str
    mute: bool
    deaf: bool
    communication_disabled_until: str | None
    profile_flags: int | None = None
    guild_id: str | UnsetType = UNSET

    @classmethod
    def of(
        cls, row: MemberRow, user: UserRow, role_ids: Iterable[int], *, with_guild: bool = False
    ) -> MemberView:
        return cls(
            user=UserPartial.of(user),
            nick=row.nick,
            avatar=row.avatar,
            banner=row.banner,
            accent_color=row.accent_color,
            roles=[str(role) for role in role_ids],
            joined_at=iso(row.joined_at),
            mute=bool(row.mute),
            deaf=bool(row.deaf),
            communication_disabled_until=None if row.timed_out_until is None else iso(row.timed_out_until),
            profile_flags=row.profile_flags,
            guild_id=str(row.guild_id) if with_guild else UNSET,
        )


PROFILE_FLAGS = 1 | 2
"""AVATAR_UNSET, BANNER_UNSET: nothing in the place of what the account shows everywhere."""
Nick = Annotated[str, Meta(max_length=32)]


class OwnMemberUpdate(Input, kw_only=True):
    nick: Nick | UnsetType | None = UNSET
    avatar: DataUri | UnsetType | None = UNSET
    banner: DataUri | UnsetType | None = UNSET
    bio: Annotated[str, Meta(max_length=320)] | UnsetType | None = UNSET
    pronouns: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    accent_color: Annotated[int, Meta(ge=0, le=16777215)] | UnsetType | None = UNSET
    profile_flags: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType | None = UNSET
    mute: bool | UnsetType = UNSET
    deaf: bool | UnsetType = UNSET
    communication_disabled_until: datetime | UnsetType | None = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET
    timeout_reason: Annotated[str, Meta(max_length=512)] | UnsetType | None = UNSET


class MemberUpdate(OwnMemberUpdate, kw_only=True):
    """How somebody looks is for themselves to change."""

    roles: Annotated[list[Snowflake], Meta(max_length=250)] | UnsetType = UNSET


class MemberListQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1
    after: Snowflake | None = None
