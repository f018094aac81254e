"""What the database holds about schema versions and fields."""

from __future__ import annotations

from msgspec import Struct


class Version(Struct, frozen=True):
    """`owner` is a folder or a component. `status` is draft, published or archived; `shape` is set once published."""

    key: str
    environment: str
    owner: str
    name: str
    description: str | None
    status: str
    number: int | None
    shape: bytes | None
    created_at: int
    published_at: int | None
    archived_at: int | None


class FieldRow(Struct, frozen=True):
    """`meta` is JSON; `component` and `component_version` repeat it for nested fields, to be found by."""

    version: str
    path: str
    key: str
    parent: str | None
    position: int
    name: str
    description: str | None
    type: str
    meta: bytes
    required: int
    nullable: int
    multiple: int
    localizable: int
    searchable: int
    private: int
    vectorizable: int
    component: str | None
    component_version: str | None
