"""Webhooks on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input
from flux.community.media.rules import DataUri
from flux.community.messages.schemas import MessageCreate, Url
from flux.community.users.schemas import UserPartial
from flux.kernel.wire import Snowflake

WebhookName = Annotated[str, Meta(min_length=1, max_length=80)]


class WebhookView(Struct, frozen=True, kw_only=True):
    """`user` made it; to whom has only the token, it is not shown."""

    id: str
    guild_id: str
    channel_id: str
    name: str
    avatar: str | None
    token: str
    user: UserPartial | UnsetType = UNSET


class WebhookCreate(Input, kw_only=True):
    name: WebhookName
    avatar: DataUri | UnsetType | None = UNSET


class WebhookUpdate(Input, kw_only=True):
    name: WebhookName | UnsetType = UNSET
    avatar: DataUri | UnsetType | None = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET


class WebhookMessage(MessageCreate, kw_only=True):
    """`username` and `avatar_url` stand in for the webhook's own, this once."""

    username: WebhookName | None = None
    avatar_url: Url | None = None


class WaitQuery(Struct):
    wait: bool = False


class SlackField(Struct):
    title: str = ""
    value: str = ""
    short: bool = False


class SlackAttachment(Struct):
    fallback: str | None = None
    pretext: str | None = None
    color: str | None = None
    author_name: str | None = None
    author_link: str | None = None
    author_icon: str | None = None
    title: str | None = None
    title_link: str | None = None
    text: str | None = None
    fields: list[SlackField] | None = None
    image_url: str | None = None
    thumb_url: str | None = None
    footer: str | None = None
    footer_icon: str | None = None
    ts: int | float | str | None = None


class SlackMessage(Struct):
    text: str | None = None
    username: str | None = None
    icon_url: str | None = None
    attachments: list[SlackAttachment] | None = None


class Foreign(Struct):
    """Another service's event, as it comes."""

    action: str = ""
    repository: dict[str, Any] = {}
    sender: dict[str, Any] = {}
    ref: str = ""
    compare: str = ""
    commits: list[dict[str, Any]] = []
    issue: dict[str, Any] = {}
    pull_request: dict[str, Any] = {}
    comment: dict[str, Any] = {}
    review: dict[str, Any] = {}
    release: dict[str, Any] = {}
    ref_type: str = ""
    data: dict[str, Any] = {}
    message: str = ""
    url: str = ""
    project: str | dict[str, Any] | None = None
