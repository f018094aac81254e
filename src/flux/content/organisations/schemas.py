"""What crosses the wire about organisations, projects and environments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Line = Annotated[str, Meta(max_length=255)]


class OrganizationChange(Struct):
    name: Name | UnsetType = UNSET
    legal_name: Line | UnsetType = UNSET
    tax_num: Line | UnsetType = UNSET
    address: Line | UnsetType = UNSET
    city: Line | UnsetType = UNSET
    province: Line | UnsetType = UNSET
    zip_code: Line | UnsetType = UNSET
    country_iso: Annotated[str, Meta(pattern="^[A-Z]{2}$(?!\\n)")] | UnsetType | None = UNSET


class ProjectCreate(Struct):
    name: Name
    region: Literal["local"] = "local"
    gdpr: bool = False


class ProjectChange(Struct):
    name: Name | UnsetType = UNSET
    gdpr: bool | UnsetType = UNSET


class EnvironmentCreate(Struct):
    name: Name


class EnvironmentChange(Struct):
    name: Name | UnsetType = UNSET


class Toggle(Struct):
    is_enabled: bool


class Protection(Struct):
    protection_level: Literal["none", "org_owner", "read_only", "locked"]
    protection_reason: Annotated[str, Meta(max_length=1000)] | None = None


class OrganizationView(Struct):
    key: str
    name: str
    owner: dict[str, str]
    legal_name: str
    tax_num: str
    address: str
    city: str
    province: str
    zip_code: str
    country_iso: str | None
    created_at: str
    is_blocked: bool = False
    block_dt: str | None = None
    block_reason: str | None = None


class ProjectView(Struct):
    key: str
    name: str
    organization: str
    region: dict[str, str]
    environments: list[dict[str, Any]]
    gdpr: bool
    created_at: str


class EnvironmentView(Struct):
    key: str
    name: str
    project: str
    host: str
    is_enabled: bool
    created_at: str
    protection_level: str
    protection_level_display: str
    protected_by_user: dict[str, str] | None
    protected_at: str | None
    protection_reason: str | None
    has_custom_cname: bool = False
    is_production: bool = False
