"""What crosses the wire about folders."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Alias = Annotated[
    str, Meta(min_length=1, max_length=100, pattern="^(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{0,99}$(?!\\n)")
]
Kept = Annotated[int, Meta(ge=5, le=100)] | None


class FolderCreate(Struct):
    """`parent` is a key or a path."""

    name: Name
    alias: Alias
    parent: Annotated[str, Meta(max_length=2000)] | None = None
    folder_type: Literal["collection", "composite"] = "collection"
    content_type: Literal["document", "any"] = "document"
    strict_reference: bool = False
    auto_remove_revisions: Kept = None
    auto_remove_schema_versions: Kept = None
    embedding_model: Annotated[str, Meta(max_length=255)] | None = None
    embedding_dimension: Literal[256, 384, 768, 1024, 1536] | None = None


class FolderChange(Struct):
    name: Name | UnsetType = UNSET
    alias: Alias | UnsetType = UNSET
    auto_remove_revisions: Kept | UnsetType = UNSET
    auto_remove_schema_versions: Kept | UnsetType = UNSET


class TreeQuery(Struct):
    """`key` or `path` with a `mode`; neither: every folder. Without paging parameters everything comes at once."""

    key: str | None = None
    path: str | None = None
    mode: Literal["children", "siblings", "descendants", "ancestors"] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    offset: Annotated[int, Meta(ge=0)] = 0


class FolderQuery(Struct):
    key: str | None = None
    path: str | None = None


class FolderView(Struct):
    """`parent` is the parent's path."""

    key: str
    name: str
    alias: str
    folder_type: str
    content_type: str
    strict_reference: bool
    created_at: str
    parent: str | None
    mode: str | None
    path: str
    auto_remove_revisions: int | None
    auto_remove_schema_versions: int | None
    embedding_model: str | None
    embedding_dimension: int | None
