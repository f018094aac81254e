"""What crosses the wire about schema versions and fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Description = Annotated[str, Meta(max_length=5000)] | None
Path = Annotated[str, Meta(min_length=1, max_length=500)]


class VersionCreate(Struct):
    name: Name
    description: Description = None


class VersionChange(Struct):
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class CopyQuery(Struct):
    copy_from: str | None = None


class IncludeQuery(Struct):
    include_schema: bool = False


class FieldCreate(Struct):
    key: Annotated[str, Meta(min_length=1, max_length=100, pattern="^[a-z][a-z0-9_]*$(?!\\n)")]
    name: Name
    type: Annotated[str, Meta(min_length=1, max_length=50)]
    description: Description = None
    parent: Annotated[str, Meta(max_length=500)] | None = None
    meta: dict[str, Any] | None = None
    required: bool = False
    nullable: bool = False
    multiple: bool | None = None
    localizable: bool | None = None
    searchable: bool | None = None
    private: bool = False
    vectorizable: bool | None = None


class FieldChange(Struct):
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    meta: dict[str, Any] | UnsetType | None = UNSET
    required: bool | UnsetType = UNSET
    nullable: bool | UnsetType = UNSET
    multiple: bool | UnsetType | None = UNSET
    localizable: bool | UnsetType | None = UNSET
    searchable: bool | UnsetType | None = UNSET
    private: bool | UnsetType = UNSET
    vectorizable: bool | UnsetType | None = UNSET


class FieldQuery(Struct):
    path: Path


class FieldsQuery(Struct):
    """`path` with a `mode`; no path: every field. Without paging parameters everything comes at once."""

    path: Annotated[str, Meta(max_length=500)] | None = None
    mode: Literal["children", "siblings", "descendants", "ancestors"] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    offset: Annotated[int, Meta(ge=0)] = 0


class SyncRequest(Struct):
    field_paths: list[Path] | None = None
    to_versions: dict[str, str] | None = None


class VersionView(Struct, omit_defaults=True):
    key: str
    name: str
    description: str | None
    version_number: int | None
    created_at: str
    published_at: str | None
    archived_at: str | None
    json_schema: dict[str, Any] | UnsetType = UNSET


class FieldView(Struct):
    key: str
    name: str
    description: str | None
    path: str
    parent: str | None
    type: str
    meta: dict[str, Any]
    json_schema: dict[str, Any]
    required: bool
    nullable: bool
    multiple: bool
    localizable: bool
    searchable: bool
    private: bool
    vectorizable: bool


class SkippedPath(Struct):
    path: str
    reason: str


class SyncView(Struct):
    synced_paths: list[str]
    skipped: list[SkippedPath]
    schema_version: str | None
