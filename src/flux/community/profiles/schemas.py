"""Profiles on the wire."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from flux.community.members.schemas import MemberView
from flux.community.users.schemas import UserPartial, UserProfile
from flux.kernel.wire import Snowflake


class MutualGuild(Struct, frozen=True):
    id: str
    nick: str | None


class MemberProfile(Struct, frozen=True):
    """What somebody shows in one guild in place of what they show everywhere; null for what is not their own there."""

    bio: str | None
    pronouns: str | None
    banner: str | None
    accent_color: int | None


class UserProfileFull(Struct, frozen=True, kw_only=True):
    user: UserPartial
    user_profile: UserProfile
    premium_type: int
    premium_since: str | UnsetType | None = UNSET
    guild_member: MemberView | UnsetType = UNSET
    guild_member_profile: MemberProfile | UnsetType | None = UNSET
    mutual_friends: list[UserPartial] | UnsetType = UNSET
    mutual_guilds: list[MutualGuild] | UnsetType = UNSET


class ProfileQuery(Struct):
    guild_id: Snowflake | None = None
    with_mutual_guilds: bool = False
    with_mutual_friends: bool = False
