"""What crosses the wire about webhooks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, field

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Event = Literal["resource.published", "resource.unpublished", "resource.deleted"]
Events = Annotated[list[Event], Meta(min_length=1, max_length=20)]
Folders = Annotated[list[Annotated[str, Meta(min_length=1, max_length=2000)]], Meta(max_length=100)]


class WebhookCreate(Struct):
    """`folders` are keys or paths; none means every folder."""

    name: Name
    url: Url
    events: Events = field(default_factory=lambda: list(get_args(Event)))
    folders: Folders = []
    is_enabled: bool = True


class WebhookChange(Struct):
    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    folders: Folders | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class WebhookView(Struct):
    """`secret` is whole when the webhook is made and when its secret is renewed, masked afterwards."""

    key: str
    environment: str
    name: str
    url: str
    events: list[str]
    folders: list[str]
    is_enabled: bool
    secret: str
    created_at: str


class DeliveryView(Struct):
    """`last_error` is `http_status`, or why no answer came: dns, connect, tls, timeout, protocol,
    address_not_allowed."""

    key: str
    webhook: str
    event: str
    status: str
    attempts: int
    last_status: int | None
    last_error: str | None
    duration_ms: int | None
    created_at: str
    next_attempt_at: str | None
    finished_at: str | None
    payload: dict[str, Any]
