"""What admins send and see."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.community.inputs import Input
from flux.community.standing.records import GuildRow
from flux.community.users.records import UserRow
from flux.kernel.store import iso
from flux.kernel.wire import Snowflake


class UserAdmin(Struct, frozen=True, kw_only=True):
    """What an operator sees of an account. What the instance does not know is null."""

    id: str
    username: str
    discriminator: int
    global_name: str | None
    bot: bool
    system: bool
    flags: str
    avatar: str | None
    banner: str | None
    bio: str | None
    pronouns: str | None
    accent_color: int | None
    email: str | None
    email_verified: bool
    email_bounced: bool = False
    phone: str | None
    date_of_birth: str | None
    locale: str | None = None
    premium_type: int | None
    premium_since: str | None
    premium_until: str | None
    suspicious_activity_flags: int
    temp_banned_until: str | None
    pending_deletion_at: str | None
    pending_bulk_message_deletion_at: str | None
    deletion_reason_code: int | None = None
    deletion_public_reason: str | None = None
    acls: list[str]
    traits: list[str] = []
    has_totp: bool
    authenticator_types: list[int]
    last_active_at: str | None = None
    last_active_ip: str | None
    last_active_ip_reverse: str | None = None
    last_active_location: str | None = None

    @classmethod
    def of(cls, row: UserRow) -> UserAdmin:
        return cls(
            id=str(row.id), username=row.username, discriminator=row.discriminator, global_name=row.global_name,
            bot=bool(row.bot), system=bool(row.system), flags=str(row.flags), avatar=row.avatar, banner=row.banner,
            bio=row.bio, pronouns=row.pronouns, accent_color=row.accent_color, email=row.email,
            email_verified=bool(row.email_verified), phone=row.phone, date_of_birth=row.date_of_birth,
            premium_type=row.premium_type, premium_since=_when(row.premium_since), premium_until=_when(row.premium_until),
            suspicious_activity_flags=row.suspicious_flags, temp_banned_until=_when(row.banned_until),
            pending_deletion_at=_when(row.deletion_at), pending_bulk_message_deletion_at=_when(row.withdrawal_at),
            acls=sorted(row.acl_set), has_totp=row.totp_secret is not None, authenticator_types=row.authenticators,
            last_active_ip=row.last_address,
        )  # fmt: skip


def _when(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


class UserMutation(Struct, frozen=True):
    user: UserAdmin


class LookedUp(Struct, frozen=True):
    users: list[UserAdmin]


class Lookup(Input, kw_only=True):
    query: str | None = None
    user_ids: Annotated[list[Snowflake], Meta(max_length=100)] | None = None


class UserOnly(Struct):
    user_id: Snowflake


class FlagsUpdate(Struct, kw_only=True):
    user_id: Snowflake
    add_flags: Annotated[list[Any], Meta(max_length=64)] = []
    remove_flags: Annotated[list[Any], Meta(max_length=64)] = []


class TempBan(Struct, kw_only=True):
    user_id: Snowflake
    duration_hours: Annotated[int, Meta(ge=0, le=8760)]
    reason: str | None = None


class ScheduleDeletion(Struct, kw_only=True):
    user_id: Snowflake
    reason_code: int
    public_reason: str | None = None
    days_until_deletion: Annotated[int, Meta(ge=1, le=365)] = 14


class SuspiciousFlags(Struct, kw_only=True):
    user_id: Snowflake
    flags: Annotated[int, Meta(ge=0, le=255)]


class SetAcls(Struct, kw_only=True):
    user_id: Snowflake
    acls: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]


class Address(Input):
    ip: Annotated[str, Meta(min_length=1, max_length=64)]


class FeaturesUpdate(Struct, kw_only=True):
    guild_id: Snowflake
    add_features: Annotated[list[str], Meta(max_length=100)] = []
    remove_features: Annotated[list[str], Meta(max_length=100)] = []


class GuildAdmin(Struct, frozen=True):
    id: str
    name: str
    features: list[str]
    owner_id: str
    icon: str | None
    banner: str | None
    member_count: int

    @classmethod
    def of(cls, row: GuildRow) -> GuildAdmin:
        return cls(
            str(row.id), row.name, row.feature_list, str(row.owner_id), row.icon, None, row.member_count
        )


class GuildMutation(Struct, frozen=True):
    guild: GuildAdmin
