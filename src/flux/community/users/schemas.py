"""Accounts on the wire: as others see them, as their owner sees them, and what may be changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input, Moment, Password, Secret
from flux.community.users.records import (
    OWN_CHOICES,
    PREMIUM_PURCHASE_DISABLED,
    PUBLIC_FLAGS,
    STAFF,
    UserCard,
    UserRow,
)
from flux.kernel.store import iso
from flux.kernel.wire import Snowflake

Status = Literal["online", "idle", "dnd", "invisible"]
Locale = Literal[
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-ES", "es-419", "fi", "fr", "he", "hi", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
]  # fmt: skip
USERNAME = r"^\s*[A-Za-z0-9_]{1,32}\s*$"


class UserPartial(Struct, frozen=True):
    id: str
    username: str
    discriminator: str
    global_name: str | None
    avatar: str | None
    avatar_color: int | None
    flags: int
    bot: bool | UnsetType = UNSET
    system: bool | UnsetType = UNSET

    @classmethod
    def gone(cls, user_id: int) -> UserPartial:
        """Whose account is not there any more."""
        return cls(str(user_id), "DeletedUser", "0000", None, None, None, 0)

    @classmethod
    def of(cls, row: UserRow | UserCard) -> UserPartial:
        return cls(
            id=str(row.id),
            username=row.username,
            discriminator=row.tag,
            global_name=row.global_name,
            avatar=row.avatar,
            avatar_color=row.avatar_color,
            flags=row.flags & PUBLIC_FLAGS,
            bot=True if row.bot else UNSET,
            system=True if row.system else UNSET,
        )


class PendingDeletion(Struct, frozen=True):
    """Of everything the account has said, as it was counted when its owner asked for that."""

    scheduled_at: str
    channel_count: int
    message_count: int

    @classmethod
    def of(cls, row: UserRow) -> PendingDeletion | None:
        if row.withdrawal_at is None:
            return None
        return cls(iso(row.withdrawal_at), row.withdrawal_channels, row.withdrawal_messages)


class UserPrivate(Struct, frozen=True, kw_only=True):
    id: str
    username: str
    discriminator: str
    global_name: str | None
    avatar: str | None
    avatar_color: int | None
    bot: bool | UnsetType = UNSET
    system: bool | UnsetType = UNSET
    flags: int
    is_staff: bool
    acls: list[str]
    traits: list[str] = []
    email: str | None
    phone: str | None
    bio: str | None
    pronouns: str | None
    accent_color: int | None
    banner: str | None
    banner_color: int | None
    mfa_enabled: bool
    authenticator_types: list[int] = []
    verified: bool
    premium_type: int | None
    premium_since: str | None
    premium_until: str | None
    premium_will_cancel: bool = False
    premium_billing_cycle: str | None = None
    premium_lifetime_sequence: int | None = None
    premium_badge_hidden: bool = False
    premium_badge_masked: bool = False
    premium_badge_timestamp_hidden: bool = False
    premium_badge_sequence_hidden: bool = False
    premium_purchase_disabled: bool = False
    premium_enabled_override: bool = False
    password_last_changed_at: str | None
    required_actions: list[str] | None
    nsfw_allowed: bool
    has_dismissed_premium_onboarding: bool = False
    has_ever_purchased: bool = False
    has_unread_gift_inventory: bool = False
    unread_gift_inventory_count: int = 0
    used_mobile_client: bool = False
    pending_bulk_message_deletion: PendingDeletion | None = None

    @classmethod
    def of(cls, row: UserRow, *, adult: bool, email: bool = True) -> UserPrivate:
        """`email` False hides what an OAuth2 bearer without that scope may not see."""
        return cls(
            id=str(row.id),
            username=row.username,
            discriminator=row.tag,
            global_name=row.global_name,
            avatar=row.avatar,
            avatar_color=row.avatar_color,
            bot=True if row.bot else UNSET,
            system=True if row.system else UNSET,
            flags=row.flags & PUBLIC_FLAGS,
            is_staff=bool(row.flags & STAFF),
            acls=sorted(row.acl_set),
            email=row.email if email else None,
            phone=row.phone if email else None,
            bio=row.bio,
            pronouns=row.pronouns,
            accent_color=row.accent_color,
            banner=row.banner,
            banner_color=row.banner_color,
            mfa_enabled=row.has_mfa,
            authenticator_types=row.authenticators,
            verified=bool(row.email_verified),
            premium_type=row.premium_type,
            premium_since=None if row.premium_since is None else iso(row.premium_since),
            premium_until=None if row.premium_until is None else iso(row.premium_until),
            password_last_changed_at=None
            if row.password_changed_at is None
            else iso(row.password_changed_at),
            required_actions=_required_actions(row.suspicious_flags),
            nsfw_allowed=adult,
            premium_purchase_disabled=bool(row.flags & PREMIUM_PURCHASE_DISABLED),
            pending_bulk_message_deletion=PendingDeletion.of(row),
            **_chosen(row.flags),
        )


def _chosen(flags: int) -> dict[str, Any]:
    return {name: bool(flags & flag) for name, flag in OWN_CHOICES.items()}


def _required_actions(flags: int) -> list[str] | None:
    names = (
        "REQUIRE_VERIFIED_EMAIL",
        "REQUIRE_REVERIFIED_EMAIL",
        "REQUIRE_VERIFIED_PHONE",
        "REQUIRE_REVERIFIED_PHONE",
        "REQUIRE_VERIFIED_EMAIL_OR_VERIFIED_PHONE",
        "REQUIRE_REVERIFIED_EMAIL_OR_VERIFIED_PHONE",
        "REQUIRE_VERIFIED_EMAIL_OR_REVERIFIED_PHONE",
        "REQUIRE_REVERIFIED_EMAIL_OR_REVERIFIED_PHONE",
    )
    return [name for bit, name in enumerate(names) if flags & 1 << bit] if flags else None


class UserProfile(Struct, frozen=True):
    bio: str | None
    pronouns: str | None
    banner: str | None
    banner_color: int | None
    accent_color: int | None


class TagCheck(Struct, frozen=True):
    taken: bool


Image = Annotated[str, Meta(max_length=32_000_000, extra={"raw": True}, description="data:image/…;base64,…")]


class UserUpdate(Input, kw_only=True):
    """Username, e-mail and password need a sudo proof: `password`, or a sudo token in the header."""

    username: Annotated[str, Meta(pattern=USERNAME)] | UnsetType = UNSET
    discriminator: Annotated[str, Meta(pattern=r"^[0-9]{1,4}$")] | UnsetType = UNSET
    global_name: Annotated[str, Meta(min_length=1, max_length=32)] | UnsetType | None = UNSET
    email: Annotated[str, Meta(min_length=3, max_length=254)] | UnsetType = UNSET
    new_password: Password | UnsetType = UNSET
    bio: Annotated[str, Meta(max_length=320)] | UnsetType | None = UNSET
    pronouns: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    accent_color: Annotated[int, Meta(ge=0, le=16777215)] | UnsetType | None = UNSET
    avatar: Image | UnsetType | None = UNSET
    banner: Image | UnsetType | None = UNSET
    password: Secret | UnsetType = UNSET
    mfa_method: str | UnsetType = UNSET
    mfa_code: str | UnsetType = UNSET
    webauthn_response: dict[str, Any] | UnsetType = UNSET
    webauthn_challenge: Annotated[str, Meta(max_length=512)] | UnsetType = UNSET
    email_token: Secret | UnsetType = UNSET
    premium_badge_hidden: bool | UnsetType = UNSET
    premium_badge_masked: bool | UnsetType = UNSET
    premium_badge_timestamp_hidden: bool | UnsetType = UNSET
    premium_badge_sequence_hidden: bool | UnsetType = UNSET
    premium_enabled_override: bool | UnsetType = UNSET
    has_dismissed_premium_onboarding: bool | UnsetType = UNSET
    used_mobile_client: bool | UnsetType = UNSET


class BotUpdate(Input, kw_only=True):
    username: Annotated[str, Meta(pattern=USERNAME)] | UnsetType = UNSET
    discriminator: Annotated[str, Meta(pattern=r"^[0-9]{1,4}$")] | UnsetType = UNSET
    avatar: Image | UnsetType | None = UNSET
    banner: Image | UnsetType | None = UNSET
    bio: Annotated[str, Meta(max_length=320)] | UnsetType | None = UNSET
    bot_flags: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType = UNSET


class TagQuery(Struct):
    username: Annotated[str, Meta(pattern=USERNAME)]
    discriminator: Annotated[str, Meta(pattern=r"^[0-9]{1,4}$")]


class CustomStatusUpdate(Input, kw_only=True):
    text: Annotated[str, Meta(max_length=128)] | None = None
    expires_at: Moment | None = None
    emoji_id: Snowflake | None = None
    emoji_name: Annotated[str, Meta(max_length=64)] | None = None


class FolderUpdate(Input, kw_only=True):
    id: Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | None = None
    name: Annotated[str, Meta(max_length=100)] | None = None
    color: Annotated[int, Meta(ge=0, le=16777215)] | None = None
    flags: Annotated[int, Meta(ge=0, le=255)] = 0
    icon: Literal["folder", "star", "heart", "bookmark", "game_controller", "shield", "music_note"] = "folder"
    guild_ids: Annotated[list[Snowflake], Meta(max_length=200)] = []


GuildIds = Annotated[list[Snowflake], Meta(max_length=200)]


class SettingsUpdate(Struct, kw_only=True):
    """What PATCH may change; a member that is not sent stays."""

    status: Status | UnsetType = UNSET
    status_resets_at: Moment | UnsetType | None = UNSET
    status_resets_to: Status | UnsetType | None = UNSET
    theme: Literal["dark", "coal", "light", "system"] | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET
    restricted_guilds: GuildIds | UnsetType = UNSET
    bot_restricted_guilds: GuildIds | UnsetType = UNSET
    default_guilds_restricted: bool | UnsetType = UNSET
    bot_default_guilds_restricted: bool | UnsetType = UNSET
    inline_attachment_media: bool | UnsetType = UNSET
    inline_embed_media: bool | UnsetType = UNSET
    gif_auto_play: bool | UnsetType = UNSET
    render_embeds: bool | UnsetType = UNSET
    render_reactions: bool | UnsetType = UNSET
    animate_emoji: bool | UnsetType = UNSET
    animate_stickers: Annotated[int, Meta(ge=0, le=2)] | UnsetType = UNSET
    render_spoilers: Annotated[int, Meta(ge=0, le=2)] | UnsetType = UNSET
    message_display_compact: bool | UnsetType = UNSET
    friend_source_flags: Annotated[int, Meta(ge=0, le=7)] | UnsetType = UNSET
    incoming_call_flags: Annotated[int, Meta(ge=0, le=63)] | UnsetType = UNSET
    group_dm_add_permission_flags: Annotated[int, Meta(ge=0, le=31)] | UnsetType = UNSET
    guild_folders: Annotated[list[FolderUpdate], Meta(max_length=200)] | UnsetType = UNSET
    custom_status: CustomStatusUpdate | UnsetType | None = UNSET
    afk_timeout: Annotated[int, Meta(ge=60, le=600)] | UnsetType = UNSET
    time_format: Annotated[int, Meta(ge=0, le=2)] | UnsetType = UNSET
    developer_mode: bool | UnsetType = UNSET
    trusted_domains: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=253)]], Meta(max_length=1000)] | UnsetType
    ) = UNSET
    default_hide_muted_channels: bool | UnsetType = UNSET


class CustomStatus(Struct, kw_only=True):
    text: str | None = None
    expires_at: str | None = None
    emoji_id: str | None = None
    emoji_name: str | None = None
    emoji_animated: bool = False


class GuildFolder(Struct, kw_only=True):
    id: int | None = None
    name: str | None = None
    color: int | None = None
    flags: int = 0
    icon: str = "folder"
    guild_ids: list[str] = []


class UserSettings(Struct, kw_only=True):
    status: str = "online"
    status_resets_at: str | None = None
    status_resets_to: str | None = None
    theme: str = "dark"
    locale: str = "en-US"
    restricted_guilds: list[str] = []
    bot_restricted_guilds: list[str] = []
    default_guilds_restricted: bool = False
    bot_default_guilds_restricted: bool = False
    inline_attachment_media: bool = True
    inline_embed_media: bool = True
    gif_auto_play: bool = True
    render_embeds: bool = True
    render_reactions: bool = True
    animate_emoji: bool = True
    animate_stickers: int = 0
    render_spoilers: int = 1
    message_display_compact: bool = False
    friend_source_flags: int = 7
    incoming_call_flags: int = 8
    group_dm_add_permission_flags: int = 8
    guild_folders: list[GuildFolder] = []
    custom_status: CustomStatus | None = None
    afk_timeout: int = 600
    time_format: int = 0
    developer_mode: bool = False
    trusted_domains: list[str] = []
    default_hide_muted_channels: bool = False
