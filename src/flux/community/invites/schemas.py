"""Invites on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.standing.records import ChannelRow, GuildRow
from flux.community.users.schemas import UserPartial


class InviteGuild(Struct, frozen=True):
    id: str
    name: str
    icon: str | None
    features: list[str]
    banner: str | None = None
    splash: str | None = None
    splash_card_alignment: int = 0

    @classmethod
    def of(cls, row: GuildRow) -> InviteGuild:
        return cls(
            str(row.id),
            row.name,
            row.icon,
            row.feature_list,
            row.banner,
            row.splash,
            row.splash_card_alignment,
        )


class InviteRecipient(Struct, frozen=True):
    username: str


class InviteChannel(Struct, frozen=True):
    """`recipients` are the people of a group."""

    id: str
    name: str | None
    type: int
    recipients: list[InviteRecipient] | UnsetType = UNSET

    @classmethod
    def of(cls, row: ChannelRow, names: Iterable[str] | None = None) -> InviteChannel:
        people = UNSET if names is None else [InviteRecipient(name) for name in names]
        return cls(str(row.id), row.name, row.type, people)


class InviteView(Struct, frozen=True, kw_only=True, tag_field="type", tag=0):
    """To a guild. The last four members are shown to those who manage invites."""

    code: str
    guild: InviteGuild
    channel: InviteChannel
    inviter: UserPartial | None
    member_count: int
    presence_count: int
    expires_at: str | None
    temporary: bool
    created_at: str | UnsetType = UNSET
    uses: int | UnsetType = UNSET
    max_uses: int | UnsetType = UNSET
    max_age: int | UnsetType = UNSET


class GroupInviteView(Struct, frozen=True, kw_only=True, tag_field="type", tag=1):
    """To a group; nobody is in one for a while only. The last three members are shown to the people of the group."""

    code: str
    channel: InviteChannel
    inviter: UserPartial | None
    member_count: int
    expires_at: str | None
    temporary: bool = False
    created_at: str | UnsetType = UNSET
    uses: int | UnsetType = UNSET
    max_uses: int | UnsetType = UNSET


AnyInvite = InviteView | GroupInviteView


class InviteCreate(Struct, kw_only=True):
    max_uses: Annotated[int, Meta(ge=0, le=100)] | None = None
    max_age: Annotated[int, Meta(ge=0, le=604_800)] | None = None
    unique: bool | None = None
    temporary: bool | None = None
