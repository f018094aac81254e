"""The permission algorithm and the hierarchy. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

CREATE_INSTANT_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
BAN_MEMBERS = 1 << 2
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_AUDIT_LOG = 1 << 7
PRIORITY_SPEAKER = 1 << 8
STREAM = 1 << 9
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
SEND_TTS_MESSAGES = 1 << 12
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_EXTERNAL_EMOJIS = 1 << 18
CONNECT = 1 << 20
SPEAK = 1 << 21
MUTE_MEMBERS = 1 << 22
DEAFEN_MEMBERS = 1 << 23
MOVE_MEMBERS = 1 << 24
USE_VAD = 1 << 25
CHANGE_NICKNAME = 1 << 26
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
MANAGE_WEBHOOKS = 1 << 29
MANAGE_EXPRESSIONS = 1 << 30
USE_EXTERNAL_STICKERS = 1 << 37
MODERATE_MEMBERS = 1 << 40
CREATE_EXPRESSIONS = 1 << 43
PIN_MESSAGES = 1 << 51
BYPASS_SLOWMODE = 1 << 52
UPDATE_RTC_REGION = 1 << 53

EVERYONE_DEFAULT = (
    CREATE_INSTANT_INVITE | ADD_REACTIONS | STREAM | VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES
    | READ_MESSAGE_HISTORY | USE_EXTERNAL_EMOJIS | CONNECT | SPEAK | USE_VAD | CHANGE_NICKNAME | USE_EXTERNAL_STICKERS
    | CREATE_EXPRESSIONS
)  # fmt: skip
ALL = (
    EVERYONE_DEFAULT | KICK_MEMBERS | BAN_MEMBERS | ADMINISTRATOR | MANAGE_CHANNELS | MANAGE_GUILD | VIEW_AUDIT_LOG
    | PRIORITY_SPEAKER | SEND_TTS_MESSAGES | MANAGE_MESSAGES | MENTION_EVERYONE | MUTE_MEMBERS | DEAFEN_MEMBERS
    | MOVE_MEMBERS | MANAGE_NICKNAMES | MANAGE_ROLES | MANAGE_WEBHOOKS | MANAGE_EXPRESSIONS | MODERATE_MEMBERS
    | PIN_MESSAGES | BYPASS_SLOWMODE | UPDATE_RTC_REGION
)  # fmt: skip
NEEDS_MFA = (
    KICK_MEMBERS | BAN_MEMBERS | ADMINISTRATOR | MANAGE_CHANNELS | MANAGE_GUILD | MANAGE_ROLES | MANAGE_MESSAGES
    | MANAGE_WEBHOOKS | MANAGE_EXPRESSIONS | MODERATE_MEMBERS
)  # fmt: skip
"""What a guild with elevated MFA asks a second factor for."""

ROLE = 0
MEMBER = 1
NOBODY = -1
"""The position of a member without roles."""


class Overwritten(Protocol):
    """An overwrite of a channel for a role (`kind` 0) or a member (1)."""

    @property
    def target_id(self) -> int: ...
    @property
    def kind(self) -> int: ...
    @property
    def allow(self) -> int: ...
    @property
    def deny(self) -> int: ...


def in_guild(*, owner: bool, everyone: int, roles: Iterable[int]) -> int:
    """A member's permissions in the guild: `everyone` and `roles` are role permissions."""
    if owner:
        return ALL
    found = everyone
    for permissions in roles:
        found |= permissions
    return ALL if found & ADMINISTRATOR else found & ALL


def in_channel(
    base: int, overwrites: Iterable[Overwritten], *, guild_id: int, user_id: int, role_ids: Iterable[int]
) -> int:
    """`base` from `in_guild`, then @everyone's overwrite, the roles' together (allow wins), the member's own."""
    if base & ADMINISTRATOR:
        return ALL
    mine = set(role_ids)
    everyone_allow = everyone_deny = role_allow = role_deny = own_allow = own_deny = 0
    for overwrite in overwrites:
        if overwrite.kind == MEMBER:
            if overwrite.target_id == user_id:
                own_allow, own_deny = overwrite.allow, overwrite.deny
        elif overwrite.target_id == guild_id:
            everyone_allow, everyone_deny = overwrite.allow, overwrite.deny
        elif overwrite.target_id in mine:
            role_allow |= overwrite.allow
            role_deny |= overwrite.deny
    found = base & ~everyone_deny | everyone_allow
    found = found & ~role_deny | role_allow
    return (found & ~own_deny | own_allow) & ALL


def may_grant(granted: int, own: int) -> bool:
    """Nobody gives what they do not have."""
    return granted & ALL & ~own == 0


def outranks(*, owner: bool, position: int, target_position: int, target_is_owner: bool) -> bool:
    """Whether somebody whose highest role is at `position` stands above a member or role at `target_position`."""
    if target_is_owner:
        return False
    return owner or position > target_position
