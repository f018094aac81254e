"""What crosses the wire about Flux APIs and connections."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Prefix = Annotated[str, Meta(min_length=1, max_length=50, pattern="^[a-z0-9][a-z0-9_-]{0,49}$(?!\\n)")]
Text = Annotated[str, Meta(max_length=5000)] | None
Origins = Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=100)]
Methods = Annotated[list[str], Meta(max_length=20)] | None
Levels = Annotated[list[int], Meta(max_length=100)] | None
Ancestors = Annotated[list[str], Meta(max_length=100)] | None


class ApiCreate(Struct):
    name: Name
    prefix: Prefix
    description: Text = None
    version: Annotated[str, Meta(max_length=20)] | None = None
    is_auth_required: bool = False
    mcp_enabled: bool = True
    router_introspection_enabled: bool = True
    cors_origins: Origins = []


class ApiChange(Struct):
    name: Name | UnsetType = UNSET
    prefix: Prefix | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    version: Annotated[str, Meta(max_length=20)] | UnsetType | None = UNSET
    is_auth_required: bool | UnsetType = UNSET
    mcp_enabled: bool | UnsetType = UNSET
    router_introspection_enabled: bool | UnsetType = UNSET
    cors_origins: Origins | UnsetType = UNSET


class ConnectionCreate(Struct):
    """`folder` is a key or path, on the collections URL too."""

    folder: Annotated[str, Meta(min_length=1, max_length=2000)]
    allowed_methods: Methods = None
    description_get_one: Text = None
    description_get_many: Text = None
    description_search: Text = None
    description_schema: Text = None
    unscoped_levels: Levels = None
    unscoped_ancestors: Ancestors = None


class ConnectionChange(Struct):
    allowed_methods: Methods | UnsetType = UNSET
    description_get_one: Text | UnsetType = UNSET
    description_get_many: Text | UnsetType = UNSET
    description_search: Text | UnsetType = UNSET
    description_schema: Text | UnsetType = UNSET
    unscoped_levels: Levels | UnsetType = UNSET
    unscoped_ancestors: Ancestors | UnsetType = UNSET


class ApiView(Struct):
    key: str
    name: str
    prefix: str
    description: str | None
    environment: str
    version: str | None
    is_auth_required: bool
    mcp_enabled: bool
    router_introspection_enabled: bool
    cors_origins: list[str]
    created_at: str
    path: str


class ConnectionView(Struct):
    folder: str
    api: str
    path: str
    allowed_methods: list[str]
    description_get_one: str | None
    description_get_many: str | None
    description_search: str | None
    description_schema: str | None
    created_at: str
    unscoped_levels: list[int]
    unscoped_ancestors: list[str]
    expose_owner: bool
    flat_route: dict[str, Any] | None
    flat_routes: list[dict[str, Any]] | None
