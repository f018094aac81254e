"""A guild's settings of one account, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Moment

Level = Annotated[int, Meta(ge=0, le=3)]


class MuteUpdate(Struct, kw_only=True):
    end_time: Moment | None = None
    selected_time_window: int


class OverrideUpdate(Struct, kw_only=True):
    collapsed: bool = False
    message_notifications: Level = 3
    muted: bool = False
    mute_config: MuteUpdate | None = None


class MuteConfig(Struct, kw_only=True):
    end_time: str | None = None
    selected_time_window: int


class ChannelOverride(Struct, kw_only=True):
    collapsed: bool
    message_notifications: int
    muted: bool
    mute_config: MuteConfig | None


Overrides = Annotated[
    dict[Annotated[str, Meta(pattern=r"^[0-9]{1,19}$")], OverrideUpdate], Meta(max_length=1000)
]


class GuildSettingsUpdate(Struct, kw_only=True):
    message_notifications: Level | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    mute_config: MuteUpdate | UnsetType | None = UNSET
    mobile_push: bool | UnsetType = UNSET
    suppress_everyone: bool | UnsetType = UNSET
    suppress_roles: bool | UnsetType = UNSET
    hide_muted_channels: bool | UnsetType = UNSET
    channel_overrides: Overrides | UnsetType | None = UNSET


class GuildSettings(Struct, kw_only=True):
    guild_id: str | None
    message_notifications: int = 3
    muted: bool = False
    mute_config: MuteConfig | None = None
    mobile_push: bool = True
    suppress_everyone: bool = False
    suppress_roles: bool = False
    hide_muted_channels: bool = False
    channel_overrides: dict[str, ChannelOverride] | None = None
    version: int = 0
