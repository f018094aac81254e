"""An account as the database holds it, and the meaning of its flags."""

from __future__ import annotations

import msgspec
from msgspec import Struct

PUBLIC_FLAGS = 1 | 2 | 4 | 8 | 16 | 32
BOT_FLAGS = 16 | 32
"""FRIENDLY_BOT, FRIENDLY_BOT_MANUAL_APPROVAL: what owners say of their bots."""
STAFF = 1
HIGH_GLOBAL_RATE_LIMIT = 1 << 33
DELETED = 1 << 34
DISABLED_SUSPICIOUS_ACTIVITY = 1 << 35
SELF_DELETED = 1 << 36
DISABLED = 1 << 38
PREMIUM_BADGE_HIDDEN = 1 << 40
PREMIUM_BADGE_MASKED = 1 << 41
PREMIUM_BADGE_TIMESTAMP_HIDDEN = 1 << 42
PREMIUM_BADGE_SEQUENCE_HIDDEN = 1 << 43
PREMIUM_PURCHASE_DISABLED = 1 << 45
PREMIUM_ENABLED_OVERRIDE = 1 << 46
RATE_LIMIT_BYPASS = 1 << 47
HAS_DISMISSED_PREMIUM_ONBOARDING = 1 << 51
USED_MOBILE_CLIENT = 1 << 52

OWN_CHOICES = {
    "premium_badge_hidden": PREMIUM_BADGE_HIDDEN,
    "premium_badge_masked": PREMIUM_BADGE_MASKED,
    "premium_badge_timestamp_hidden": PREMIUM_BADGE_TIMESTAMP_HIDDEN,
    "premium_badge_sequence_hidden": PREMIUM_BADGE_SEQUENCE_HIDDEN,
    "premium_enabled_override": PREMIUM_ENABLED_OVERRIDE,
    "has_dismissed_premium_onboarding": HAS_DISMISSED_PREMIUM_ONBOARDING,
    "used_mobile_client": USED_MOBILE_CLIENT,
}
"""Flags that an account sets for itself, by the names they have on the wire."""

BY_OWNER = 1
BY_ADMIN = 2

COLUMNS = (
    "u.id, u.username, u.discriminator, u.global_name, u.email, u.email_verified, u.phone, u.password_hash, "
    "u.password_changed_at, u.date_of_birth, u.bot, u.system, u.flags, u.suspicious_flags, u.acls, u.avatar, u.avatar_color, "
    "u.banner, u.banner_color, u.bio, u.pronouns, u.accent_color, u.premium_type, u.premium_since, u.premium_until, "
    "u.totp_secret, u.sms_mfa, u.passkeys, u.disabled_by, u.deletion_by, u.deletion_at, u.banned_until, u.last_address, u.created_at, "
    "u.withdrawal_at, u.withdrawal_channels, u.withdrawal_messages"
)
"""Of `community_users u`, in the order of `UserRow`."""

CARD_COLUMNS = (
    "u.id, u.username, u.discriminator, u.global_name, u.avatar, u.avatar_color, u.flags, u.bot, u.system"
)


class UserCard(Struct, frozen=True):
    """What of an account others see, and no more of the row than that."""

    id: int
    username: str
    discriminator: int
    global_name: str | None
    avatar: str | None
    avatar_color: int | None
    flags: int
    bot: int
    system: int

    @property
    def tag(self) -> str:
        return f"{self.discriminator:04d}"


class UserRow(Struct, frozen=True):
    id: int
    username: str
    discriminator: int
    global_name: str | None
    email: str | None
    email_verified: int
    phone: str | None
    password_hash: str | None
    password_changed_at: int | None
    date_of_birth: str | None
    bot: int
    system: int
    flags: int
    suspicious_flags: int
    acls: bytes | None
    avatar: str | None
    avatar_color: int | None
    banner: str | None
    banner_color: int | None
    bio: str | None
    pronouns: str | None
    accent_color: int | None
    premium_type: int
    premium_since: int | None
    premium_until: int | None
    totp_secret: bytes | None
    sms_mfa: int
    passkeys: int
    disabled_by: int
    deletion_by: int
    deletion_at: int | None
    banned_until: int | None
    last_address: str | None
    created_at: int
    withdrawal_at: int | None
    """When everything the account has said is deleted, Unix milliseconds."""
    withdrawal_channels: int
    withdrawal_messages: int

    @property
    def tag(self) -> str:
        return f"{self.discriminator:04d}"

    @property
    def premium(self) -> bool:
        return self.premium_type > 0

    @property
    def claimed(self) -> bool:
        """With an e-mail address and a password."""
        return self.email is not None and self.password_hash is not None

    @property
    def has_mfa(self) -> bool:
        return self.totp_secret is not None or self.passkeys > 0

    @property
    def authenticators(self) -> list[int]:
        """0 one-time codes, 1 text messages, 2 passkeys."""
        held = (
            self.totp_secret is not None,
            self.totp_secret is not None and bool(self.sms_mfa),
            self.passkeys > 0,
        )
        return [kind for kind, has in enumerate(held) if has]

    @property
    def acl_set(self) -> frozenset[str]:
        return frozenset(msgspec.json.decode(self.acls, type=list[str])) if self.acls else frozenset()


class NewAccount(Struct, frozen=True, kw_only=True):
    """What is known of an account when it is made; everything else follows."""

    username: str
    global_name: str | None = None
    email: str | None = None
    password_hash: str | None = None
    date_of_birth: str | None = None
    bot: bool = False
    acls: list[str] | None = None
    address: str | None = None
