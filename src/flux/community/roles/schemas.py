"""Roles on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input, Name, Permissions
from flux.community.standing.records import RoleRow
from flux.kernel.wire import Snowflake

Color = Annotated[int, Meta(ge=0, le=0xFFFFFF)]


class RoleView(Struct, frozen=True):
    id: str
    name: str
    color: int
    position: int
    hoist_position: int | None
    permissions: str
    hoist: bool
    mentionable: bool
    unicode_emoji: str | None = None
    managed: bool = False

    @classmethod
    def of(cls, row: RoleRow) -> RoleView:
        return cls(
            str(row.id),
            row.name,
            row.color,
            row.position,
            row.hoist_position,
            str(row.permissions),
            bool(row.hoist),
            bool(row.mentionable),
        )


class RoleCreate(Input, kw_only=True):
    name: Name
    color: Color | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    hoist: bool | UnsetType = UNSET
    mentionable: bool | UnsetType = UNSET


class RoleUpdate(Input, kw_only=True):
    name: Name | UnsetType = UNSET
    color: Color | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    hoist: bool | UnsetType = UNSET
    hoist_position: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType | None = UNSET
    mentionable: bool | UnsetType = UNSET


class RolePosition(Struct):
    id: Snowflake
    position: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET


class HoistPosition(Struct):
    id: Snowflake
    hoist_position: Annotated[int, Meta(ge=0, le=1000)]
