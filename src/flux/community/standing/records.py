"""Guilds, roles, members, channels and overwrites as the database holds them."""

from __future__ import annotations

import msgspec
from msgspec import Struct

GUILD_COLUMNS = (
    "g.id, g.name, g.icon, g.owner_id, g.system_channel_id, g.system_channel_flags, g.afk_channel_id, g.afk_timeout, "
    "g.verification_level, g.mfa_level, g.nsfw_level, g.explicit_content_filter, g.default_message_notifications, "
    "g.disabled_operations, g.splash_card_alignment, g.features, g.message_history_cutoff, g.member_count, g.created_at, "
    "g.banner, g.splash, g.embed_splash, g.vanity_code, g.vanity_uses"
)
ROLE_COLUMNS = (
    "r.id, r.guild_id, r.name, r.color, r.position, r.hoist, r.hoist_position, r.mentionable, r.permissions"
)
MEMBER_COLUMNS = (
    "m.guild_id, m.user_id, m.nick, m.joined_at, m.timed_out_until, m.mute, m.deaf, m.join_source, m.source_invite, "
    "m.inviter_id, m.temporary, m.avatar, m.banner, m.bio, m.pronouns, m.accent_color, m.profile_flags"
)
CHANNEL_COLUMNS = (
    "c.id, c.guild_id, c.type, c.name, c.topic, c.url, c.icon, c.owner_id, c.position, c.parent_id, c.nsfw, "
    "c.rate_limit_per_user, c.bitrate, c.user_limit, c.rtc_region, c.last_message_id, c.last_pin_at"
)
OVERWRITE_COLUMNS = "o.channel_id, o.target_id, o.kind, o.allow, o.deny"

TEXT = 0
DM = 1
VOICE = 2
GROUP_DM = 3
CATEGORY = 4
LINK = 998
NOTES = 999
CARRIES_MESSAGES = frozenset({TEXT, DM, GROUP_DM, NOTES})
PRIVATE = frozenset({DM, GROUP_DM, NOTES})


class GuildRow(Struct, frozen=True):
    id: int
    name: str
    icon: str | None
    owner_id: int
    system_channel_id: int | None
    system_channel_flags: int
    afk_channel_id: int | None
    afk_timeout: int
    verification_level: int
    mfa_level: int
    nsfw_level: int
    explicit_content_filter: int
    default_message_notifications: int
    disabled_operations: int
    splash_card_alignment: int
    features: bytes
    message_history_cutoff: int | None
    member_count: int
    created_at: int
    banner: str | None = None
    splash: str | None = None
    embed_splash: str | None = None
    vanity_code: str | None = None
    vanity_uses: int = 0

    @property
    def feature_list(self) -> list[str]:
        return msgspec.json.decode(self.features, type=list[str])


class RoleRow(Struct, frozen=True):
    id: int
    guild_id: int
    name: str
    color: int
    position: int
    hoist: int
    hoist_position: int | None
    mentionable: int
    permissions: int


class MemberRow(Struct, frozen=True):
    guild_id: int
    user_id: int
    nick: str | None
    joined_at: int
    timed_out_until: int | None
    mute: int
    deaf: int
    join_source: int
    source_invite: str | None
    inviter_id: int | None
    temporary: int
    avatar: str | None = None
    banner: str | None = None
    bio: str | None = None
    pronouns: str | None = None
    accent_color: int | None = None
    profile_flags: int | None = None


class ChannelRow(Struct, frozen=True):
    id: int
    guild_id: int | None
    type: int
    name: str | None
    topic: str | None
    url: str | None
    icon: str | None
    owner_id: int | None
    position: int
    parent_id: int | None
    nsfw: int
    rate_limit_per_user: int
    bitrate: int | None
    user_limit: int | None
    rtc_region: str | None
    last_message_id: int | None
    last_pin_at: int | None


class OverwriteRow(Struct, frozen=True):
    channel_id: int
    target_id: int
    kind: int
    allow: int
    deny: int


class RoleGrant(Struct, frozen=True):
    """What of a role the algorithm needs."""

    id: int
    position: int
    permissions: int


class Door(Struct, frozen=True):
    """Where a channel is, and whether somebody is a member there (`member`, their id). `owner_id` is None where there is no guild."""

    guild_id: int | None
    owner_id: int | None
    history_cutoff: int | None
    member: int | None


class Access(Struct, frozen=True):
    """What somebody who sees a channel may in it. `history_cutoff` is the guild's, Unix milliseconds."""

    permissions: int
    history_cutoff: int | None = None

    def may(self, bits: int) -> bool:
        return bits & ~self.permissions == 0
