"""Messages on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import WEB, Input
from flux.community.members.schemas import MemberView
from flux.community.users.schemas import UserPartial
from flux.kernel.wire import Snowflake

Url = Annotated[str, Meta(min_length=1, max_length=2048, pattern=WEB)]
MediaUrl = Annotated[str, Meta(min_length=1, max_length=2048, pattern=rf"{WEB}|^\s*attachment://\S+\s*$")]
Content = Annotated[str, Meta(max_length=10_000)]


class EmbedAuthor(Input, omit_defaults=True):
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    url: Url | None = None
    icon_url: Url | None = None


class EmbedFooter(Input, omit_defaults=True):
    text: Annotated[str, Meta(min_length=1, max_length=2048)]
    icon_url: Url | None = None


class EmbedMedia(Input, omit_defaults=True):
    url: MediaUrl
    description: Annotated[str, Meta(max_length=4096)] | None = None


class EmbedField(Input):
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    value: Annotated[str, Meta(min_length=1, max_length=1024)]
    inline: bool = False


class RichEmbed(Input, omit_defaults=True):
    url: Url | None = None
    title: Annotated[str, Meta(max_length=256)] | None = None
    color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] | None = None
    timestamp: datetime | None = None
    description: Annotated[str, Meta(max_length=4096)] | None = None
    author: EmbedAuthor | None = None
    image: EmbedMedia | None = None
    thumbnail: EmbedMedia | None = None
    footer: EmbedFooter | None = None
    fields: Annotated[list[EmbedField], Meta(max_length=25)] | None = None


class ReferenceInput(Struct, kw_only=True):
    message_id: Snowflake
    channel_id: Snowflake | None = None
    guild_id: Snowflake | None = None
    type: Literal[0, 1] | None = None


class AllowedMentions(Struct, kw_only=True):
    parse: list[Literal["users", "roles", "everyone"]] | UnsetType = UNSET
    users: Annotated[list[Snowflake], Meta(max_length=100)] | UnsetType = UNSET
    roles: Annotated[list[Snowflake], Meta(max_length=100)] | UnsetType = UNSET
    replied_user: bool | UnsetType = UNSET


class AttachmentInput(Input, kw_only=True):
    """`id` is n of the form's `files[n]`, or on an edit the id of a file that stays."""

    id: Snowflake
    filename: Annotated[str, Meta(max_length=1024)] | None = None
    title: Annotated[str, Meta(max_length=1024)] | UnsetType | None = UNSET
    description: Annotated[str, Meta(max_length=4096)] | UnsetType | None = UNSET
    flags: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType | None = UNSET
    duration: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | UnsetType | None = UNSET
    waveform: Annotated[str, Meta(max_length=4096)] | UnsetType | None = UNSET


class MessageCreate(Input, kw_only=True):
    content: Content | None = None
    embeds: list[RichEmbed] | None = None
    attachments: list[AttachmentInput] | None = None
    sticker_ids: list[Snowflake] | None = None
    message_reference: ReferenceInput | None = None
    allowed_mentions: AllowedMentions | None = None
    flags: Annotated[int, Meta(ge=0, le=0x7FFFFFFF)] | None = None
    nonce: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    tts: bool | None = None


class MessageUpdate(Input, kw_only=True):
    content: Content | UnsetType | None = UNSET
    embeds: list[RichEmbed] | UnsetType | None = UNSET
    attachments: list[AttachmentInput] | UnsetType | None = UNSET
    allowed_mentions: AllowedMentions | UnsetType | None = UNSET
    flags: Annotated[int, Meta(ge=0, le=2147483647)] | UnsetType | None = UNSET


class BulkDelete(Struct):
    message_ids: Annotated[list[Snowflake], Meta(min_length=1)]


class MessagesQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    before: Snowflake | None = None
    after: Snowflake | None = None
    around: Snowflake | None = None


class PinsQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=50)] = 50
    before: datetime | None = None


class BookmarksQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=300)] = 100


class BookmarkCreate(Struct):
    channel_id: Snowflake
    message_id: Snowflake


class ReactionQuery(Struct):
    session_id: Annotated[str, Meta(max_length=64)] | None = None


class ReactionUsersQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    after: Snowflake | None = None


class EmojiView(Struct, frozen=True, omit_defaults=True):
    name: str
    id: str | None = None
    animated: bool = False


class ReactionView(Struct, frozen=True):
    emoji: EmojiView
    count: int
    me: bool | UnsetType = UNSET


class ReferenceView(Struct, frozen=True):
    channel_id: str
    message_id: str
    guild_id: str | None
    type: int


class MessageView(Struct, frozen=True, kw_only=True):
    """The last four members are on realtime events only."""

    id: str
    channel_id: str
    author: UserPartial
    webhook_id: str | UnsetType = UNSET
    type: int
    flags: int
    content: str
    timestamp: str
    edited_timestamp: str | None
    pinned: bool
    mention_everyone: bool
    tts: bool
    mentions: list[UserPartial]
    mention_roles: list[str]
    embeds: msgspec.Raw
    attachments: msgspec.Raw
    stickers: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"[]"))
    reactions: list[ReactionView] = []
    message_reference: ReferenceView | UnsetType = UNSET
    message_snapshots: list[dict[str, Any]] | UnsetType = UNSET
    referenced_message: MessageView | UnsetType | None = UNSET
    nonce: str | UnsetType = UNSET
    channel_type: int | UnsetType = UNSET
    guild_id: str | UnsetType = UNSET
    member: MemberView | UnsetType = UNSET


class Bookmark(Struct, frozen=True):
    id: str
    channel_id: str
    message_id: str
    status: str
    message: MessageView | None


class PinView(Struct, frozen=True):
    message: MessageView
    pinned_at: str


class Pins(Struct, frozen=True):
    items: list[PinView]
    has_more: bool
