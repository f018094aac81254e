"""Channels on the wire: which members a channel has depends on its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import WEB, Input, Name, Permissions
from flux.community.media.rules import DataUri
from flux.community.standing import records
from flux.community.standing.records import ChannelRow, OverwriteRow
from flux.community.users.schemas import UserPartial
from flux.kernel.store import iso
from flux.kernel.wire import Snowflake


class OverwriteView(Struct, frozen=True):
    id: str
    type: int
    allow: str
    deny: str

    @classmethod
    def of(cls, row: OverwriteRow) -> OverwriteView:
        return cls(str(row.target_id), row.kind, str(row.allow), str(row.deny))


class ChannelView(Struct, frozen=True, kw_only=True):
    id: str
    type: int
    guild_id: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    topic: str | UnsetType | None = UNSET
    url: str | UnsetType | None = UNSET
    icon: str | UnsetType | None = UNSET
    owner_id: str | UnsetType | None = UNSET
    position: int | UnsetType = UNSET
    parent_id: str | UnsetType | None = UNSET
    bitrate: int | UnsetType | None = UNSET
    user_limit: int | UnsetType | None = UNSET
    rtc_region: str | UnsetType | None = UNSET
    last_message_id: str | UnsetType | None = UNSET
    last_pin_timestamp: str | UnsetType | None = UNSET
    permission_overwrites: list[OverwriteView] | UnsetType = UNSET
    recipients: list[UserPartial] | UnsetType = UNSET
    nsfw: bool | UnsetType = UNSET
    rate_limit_per_user: int | UnsetType = UNSET
    nicks: dict[str, str] | UnsetType = UNSET

    @classmethod
    def of(
        cls,
        row: ChannelRow,
        overwrites: Sequence[OverwriteRow] = (),
        recipients: Sequence[UserPartial] = (),
        nicks: Mapping[int, str] | None = None,
    ) -> ChannelView:
        """`nicks` are what the people of a group are called there."""
        shown = _SHOWN[row.type](row, overwrites, recipients)
        if row.type == records.GROUP_DM:
            shown["nicks"] = {str(user_id): nick for user_id, nick in (nicks or {}).items()}
        return cls(id=str(row.id), type=row.type, **shown)


def _guild(row: ChannelRow, overwrites: Sequence[OverwriteRow]) -> dict[str, Any]:
    return {
        "guild_id": str(row.guild_id),
        "name": row.name,
        "position": row.position,
        "parent_id": _id(row.parent_id),
        "permission_overwrites": [OverwriteView.of(each) for each in overwrites],
    }


def _text(row: ChannelRow, overwrites: Sequence[OverwriteRow], _: Any) -> dict[str, Any]:
    return _guild(row, overwrites) | {
        "topic": row.topic,
        "nsfw": bool(row.nsfw),
        "rate_limit_per_user": row.rate_limit_per_user,
        "last_message_id": _id(row.last_message_id),
        "last_pin_timestamp": None if row.last_pin_at is None else iso(row.last_pin_at),
    }


def _voice(row: ChannelRow, overwrites: Sequence[OverwriteRow], _: Any) -> dict[str, Any]:
    voice = {"bitrate": row.bitrate, "user_limit": row.user_limit, "rtc_region": row.rtc_region}
    return _guild(row, overwrites) | voice


def _private(row: ChannelRow, _: Any, recipients: Sequence[UserPartial]) -> dict[str, Any]:
    shown: dict[str, Any] = {"recipients": list(recipients), "last_message_id": _id(row.last_message_id)}
    if row.type == records.GROUP_DM:
        shown |= {"name": row.name, "icon": row.icon, "owner_id": _id(row.owner_id)}
    return shown


_SHOWN: dict[int, Any] = {
    records.TEXT: _text,
    records.VOICE: _voice,
    records.CATEGORY: lambda row, overwrites, _: _guild(row, overwrites),
    records.LINK: lambda row, overwrites, _: _guild(row, overwrites) | {"url": row.url},
    records.DM: _private,
    records.GROUP_DM: _private,
    records.NOTES: _private,
}


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


class OverwriteInput(Struct, kw_only=True):
    id: Snowflake
    type: Annotated[int, Meta(ge=0, le=1)]
    allow: Permissions | UnsetType = UNSET
    deny: Permissions | UnsetType = UNSET


class OverwritePut(Struct, kw_only=True):
    type: Annotated[int, Meta(ge=0, le=1)]
    allow: Permissions | UnsetType = UNSET
    deny: Permissions | UnsetType = UNSET


Nick = Annotated[str, Meta(max_length=32)]
Link = Annotated[str, Meta(max_length=1024, pattern=WEB)]
Topic = Annotated[str, Meta(max_length=1024)]


class ChannelCreate(Input, kw_only=True):
    name: Name
    type: int = records.TEXT
    topic: Topic | UnsetType | None = UNSET
    url: Link | UnsetType | None = UNSET
    parent_id: Snowflake | UnsetType | None = UNSET
    bitrate: Annotated[int, Meta(ge=8000, le=320000)] | UnsetType | None = UNSET
    user_limit: Annotated[int, Meta(ge=0, le=99)] | UnsetType | None = UNSET
    rate_limit_per_user: Annotated[int, Meta(ge=0, le=21600)] | UnsetType | None = UNSET
    nsfw: bool | UnsetType | None = UNSET
    permission_overwrites: list[OverwriteInput] | UnsetType | None = UNSET


class ChannelUpdate(Input, kw_only=True):
    name: Name | UnsetType | None = UNSET
    topic: Topic | UnsetType | None = UNSET
    url: Link | UnsetType | None = UNSET
    parent_id: Snowflake | UnsetType | None = UNSET
    bitrate: Annotated[int, Meta(ge=8000, le=320000)] | UnsetType | None = UNSET
    user_limit: Annotated[int, Meta(ge=0, le=99)] | UnsetType | None = UNSET
    rate_limit_per_user: Annotated[int, Meta(ge=0, le=21600)] | UnsetType | None = UNSET
    nsfw: bool | UnsetType | None = UNSET
    position: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    rtc_region: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    owner_id: Snowflake | UnsetType = UNSET
    icon: DataUri | UnsetType | None = UNSET
    nicks: dict[str, Nick | None] | UnsetType | None = UNSET
    permission_overwrites: list[OverwriteInput] | UnsetType | None = UNSET


class ChannelPlace(Struct, kw_only=True):
    """`lock_permissions` takes the category's overwrites over."""

    id: Snowflake
    position: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    parent_id: Snowflake | UnsetType | None = UNSET
    lock_permissions: bool | None = None
