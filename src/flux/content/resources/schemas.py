"""What crosses the wire about resources and revisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

ExternalId = Annotated[str, Meta(min_length=1, max_length=255)]


class WriteQuery(Struct):
    component: Annotated[str, Meta(max_length=100)] | None = None
    publish: bool = False


class UpsertQuery(Struct):
    external_id: ExternalId
    component: Annotated[str, Meta(max_length=100)] | None = None
    publish: bool = False


class ResourcesQuery(Struct):
    limit: Annotated[int, Meta(ge=1)] = 100
    offset: Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)] = 0
    external_id: str | None = None
    resource_owner: str | None = None
    component: str | None = None
    status: Literal["published", "draft"] | None = None


class ResourceView(Struct):
    key: str
    folder: str
    content_type: str
    created_at: str
    updated_at: str
    vectors_size: int
    name: str | None
    component: str | None
    resource_owner: str | None
    current_revision: str | None
    external_id: str | None


class RevisionView(Struct):
    key: str
    resource: str
    schema_version: str
    number: int
    size: int
    created_at: str
    status: str
    is_valid: bool | None
    published_at: str | None
    unpublished_at: str | None


class ProblemView(Struct):
    json_path: str
    message: str
    type: str


class ValidationView(Struct):
    is_valid: bool
    errors: list[ProblemView]
    errors_truncated: bool


class Portable(Struct):
    """A resource as it travels: its published data, and a draft that is newer than that."""

    key: str
    external_id: str | None
    name: str | None
    resource_owner: str | None
    component: str | None
    created_at: str
    published: Raw | None
    draft: Raw | None


class PortableView(Struct):
    """`next` is null behind the last one."""

    items: list[Portable]
    next: str | None


class BatchItem(Struct, forbid_unknown_fields=True):
    """Found by `key`, else by `external_id`, else made, with that key if one is given. Metadata that is null stays."""

    key: Annotated[str, Meta(pattern="^[A-Za-z0-9]{12}$(?!\\n)")] | None = None
    external_id: ExternalId | None = None
    name: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    resource_owner: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    component: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    created_at: Annotated[str, Meta(max_length=50)] | None = None
    published: dict[str, Any] | None = None
    draft: dict[str, Any] | None = None


class BatchBody(Struct):
    items: Annotated[list[BatchItem], Meta(min_length=1)]


Outcome = Literal["created", "changed", "unchanged"]


class BatchResult(Struct):
    key: str
    external_id: str | None
    result: Outcome


class BatchView(Struct):
    """In the order of the items."""

    items: list[BatchResult]
