"""Guilds on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.auth.schemas import SudoProof
from flux.community.inputs import Input, Name
from flux.community.media.rules import DataUri
from flux.community.standing.records import GuildRow
from flux.kernel.store import iso
from flux.kernel.wire import Snowflake

SETTABLE_FEATURES = frozenset({"INVITES_DISABLED", "TEXT_CHANNEL_FLEXIBLE_NAMES", "DETACHED_BANNER"})


class GuildView(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    icon: str | None
    banner: str | None = None
    splash: str | None = None
    splash_card_alignment: int
    embed_splash: str | None = None
    vanity_url_code: str | None = None
    owner_id: str
    system_channel_id: str | None
    system_channel_flags: int
    rules_channel_id: str | None = None
    afk_channel_id: str | None
    afk_timeout: int
    features: list[str]
    verification_level: int
    mfa_level: int
    nsfw_level: int
    explicit_content_filter: int
    default_message_notifications: int
    disabled_operations: int
    message_history_cutoff: str | None
    member_count: int
    permissions: str | UnsetType | None = UNSET
    approximate_member_count: int | UnsetType = UNSET

    @classmethod
    def of(cls, row: GuildRow, permissions: int | None = None, *, counts: bool = False) -> GuildView:
        return cls(
            id=str(row.id),
            name=row.name,
            icon=row.icon,
            banner=row.banner,
            splash=row.splash,
            embed_splash=row.embed_splash,
            vanity_url_code=row.vanity_code,
            splash_card_alignment=row.splash_card_alignment,
            owner_id=str(row.owner_id),
            system_channel_id=_id(row.system_channel_id),
            system_channel_flags=row.system_channel_flags,
            afk_channel_id=_id(row.afk_channel_id),
            afk_timeout=row.afk_timeout,
            features=row.feature_list,
            verification_level=row.verification_level,
            mfa_level=row.mfa_level,
            nsfw_level=row.nsfw_level,
            explicit_content_filter=row.explicit_content_filter,
            default_message_notifications=row.default_message_notifications,
            disabled_operations=row.disabled_operations,
            message_history_cutoff=None
            if row.message_history_cutoff is None
            else iso(row.message_history_cutoff),
            member_count=row.member_count,
            permissions=UNSET if permissions is None else str(permissions),
            approximate_member_count=row.member_count if counts else UNSET,
        )


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


class GuildCreate(Input, kw_only=True):
    name: Name
    icon: DataUri | UnsetType | None = UNSET
    empty_features: bool | UnsetType = UNSET


class GuildUpdate(SudoProof, kw_only=True):
    """With a sudo proof where `mfa_level` changes."""

    name: Name | UnsetType = UNSET
    icon: DataUri | UnsetType | None = UNSET
    banner: DataUri | UnsetType | None = UNSET
    splash: DataUri | UnsetType | None = UNSET
    embed_splash: DataUri | UnsetType | None = UNSET
    message_history_cutoff: datetime | UnsetType | None = UNSET
    system_channel_id: Snowflake | UnsetType | None = UNSET
    system_channel_flags: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType = UNSET
    afk_channel_id: Snowflake | UnsetType | None = UNSET
    afk_timeout: Annotated[int, Meta(ge=60, le=3600)] | UnsetType = UNSET
    default_message_notifications: Literal[0, 1] | UnsetType = UNSET
    verification_level: Literal[0, 1, 2, 3, 4] | UnsetType = UNSET
    mfa_level: Literal[0, 1] | UnsetType = UNSET
    nsfw_level: Literal[0, 1, 2, 3] | UnsetType = UNSET
    explicit_content_filter: Literal[0, 1, 2] | UnsetType = UNSET
    splash_card_alignment: Literal[0, 1, 2] | UnsetType = UNSET
    features: list[str] | UnsetType = UNSET


class GuildListQuery(Struct):
    before: Snowflake | None = None
    after: Snowflake | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 200
    with_counts: bool = False


class OwnershipTransfer(SudoProof, kw_only=True):
    new_owner_id: Snowflake


class Vanity(Struct, frozen=True):
    code: str | None
    uses: int


class VanityUpdate(Input, kw_only=True):
    """Letters, digits and hyphens, kept in lower case; null gives the code back."""

    code: Annotated[str, Meta(min_length=2, max_length=32, pattern=r"^\s*[A-Za-z0-9-]+\s*$")] | None = None


class VanityChanged(Struct, frozen=True):
    code: str | None
