"""What a guild room remembers of members and channels, and what it reads in the events it follows."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from flux.community.announcing import Announcement
from flux.community.realtime.session import Session


class Overwrite(Struct, frozen=True):
    target_id: int
    kind: int
    allow: int
    deny: int


class OverwriteData(Struct):
    id: str
    type: int
    allow: str
    deny: str


class ChannelData(Struct):
    """What of a channel event the room needs."""

    id: str
    type: int = 0
    permission_overwrites: list[OverwriteData] = []


class RoleData(Struct):
    id: str
    permissions: str


class RolesEvent(Struct):
    """About one role, or several."""

    role: RoleData | UnsetType = UNSET
    roles: list[RoleData] = []

    @property
    def every(self) -> list[RoleData]:
        return self.roles if isinstance(self.role, UnsetType) else [self.role]


class RoleGone(Struct):
    role_id: str


class UserData(Struct):
    id: str


class MemberData(Struct):
    user: UserData
    roles: list[str] | UnsetType = UNSET


class GuildData(Struct):
    owner_id: str
    member_count: int


class Bulk(Struct):
    channels: list[Raw]


class Member:
    """A user with sessions here. `base` are their permissions in the guild. Until their roles are `known` they see
    nothing, and what happens waits in `early`."""

    __slots__ = ("base", "early", "known", "roles", "sessions", "told", "user_id")

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.roles: tuple[int, ...] = ()
        self.known = False
        self.told = False
        """An event said which roles they have; the database may be behind it."""
        self.base = 0
        self.sessions: list[Session] = []
        self.early: list[Announcement] | None = None


def overwrites_of(channel: ChannelData) -> list[Overwrite]:
    return [
        Overwrite(int(each.id), each.type, int(each.allow), int(each.deny))
        for each in channel.permission_overwrites
    ]


def bound_to(target_id: int, channels: Mapping[int, list[Overwrite]]) -> list[int]:
    """The channels where something applies to that role or member alone. What was a member's goes with them: whoever
    comes back comes as a newcomer."""
    return [
        channel_id
        for channel_id, overwrites in channels.items()
        if any(each.target_id == target_id for each in overwrites)
    ]


def without_target(data: bytes, target_id: int) -> bytes:
    """A channel as it is told once nothing applies to that role or member any more."""
    channel = msgspec.json.decode(data)
    given = channel["permission_overwrites"]
    channel["permission_overwrites"] = [each for each in given if each["id"] != str(target_id)]
    return msgspec.json.encode(channel)
