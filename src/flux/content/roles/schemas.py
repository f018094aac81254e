"""What crosses the wire about roles and permissions."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Description = Annotated[str, Meta(max_length=255)] | None


class RoleCreate(Struct):
    name: Name
    description: Description = None
    full_access: bool = False


class RoleChange(Struct):
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    full_access: bool | UnsetType = UNSET


class PermissionBody(Struct):
    """`objects` may be given along; without them a permission that exists keeps its own."""

    content_type: Annotated[str, Meta(min_length=1, max_length=100)]
    actions: Annotated[list[str], Meta(max_length=20)]
    all_objects: bool | None = None
    objects: Annotated[list[str], Meta(max_length=1000)] | None = None


class ObjectBody(Struct):
    """`object` is the old name of `object_key`."""

    content_type: Annotated[str, Meta(min_length=1, max_length=100)]
    object_key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    object: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class ContentTypeQuery(Struct):
    content_type: Annotated[str, Meta(min_length=1, max_length=100)]


class RoleView(Struct, omit_defaults=True):
    """`full_access` is shown for management roles only."""

    key: str
    name: str
    description: str | None
    environment: str
    created_at: str
    full_access: bool | UnsetType = UNSET


class PermissionView(Struct):
    content_type: str
    actions: list[str]
    all_objects: bool
    objects: list[str]


class ObjectView(Struct):
    content_type: str
    object_key: str
