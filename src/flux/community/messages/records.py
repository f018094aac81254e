"""Messages as the database holds them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

COLUMNS = (
    "x.id, x.channel_id, x.author_id, x.type, x.flags, x.content, x.embeds, x.tts, x.mention_everyone, x.mentions, "
    "x.mention_roles, x.attachments, x.reference, x.pinned_at, x.edited_at, x.stickers, x.webhook_id, x.webhook_name, x.webhook_avatar, "
    "x.reacted"
)
"""Of `community_messages x`, as `MessageRow` has them: first what every message shows of itself, then what few have."""

DEFAULT = 0
RECIPIENT_ADD = 1
RECIPIENT_REMOVE = 2
CHANNEL_NAME_CHANGE = 4
CHANNEL_ICON_CHANGE = 5
CHANNEL_PINNED_MESSAGE = 6
USER_JOIN = 7
REPLY = 19
DELETABLE = frozenset({DEFAULT, CHANNEL_PINNED_MESSAGE, USER_JOIN, REPLY})

SUPPRESS_EMBEDS = 4
SENDABLE_FLAGS = 4 | 4096 | 8192 | 131_072

REPLIES = 0
FORWARDS = 1

NONE = b"[]"
"""An empty JSON list, as most of a message's are."""


class Reference(Struct, omit_defaults=True):
    """What a message answers or forwards. `snapshots` is JSON-ready and only of forwards."""

    channel_id: int
    message_id: int
    guild_id: int | None = None
    type: int = REPLIES
    snapshots: list[dict[str, object]] = []


class MessageRow(Struct, frozen=True):
    """`mentions` and `mention_roles` are JSON lists of ids; `embeds` and `stickers` JSON as on the wire, `attachments`
    too but without their URLs; `reference` is an encoded `Reference`. Of a webhook's message, `author_id` is the
    webhook, and name and avatar are what it spoke under. `reacted` is 0 only while nobody has ever reacted."""

    id: int
    channel_id: int
    author_id: int
    type: int
    flags: int
    content: str
    embeds: bytes
    tts: int
    mention_everyone: int
    mentions: bytes
    mention_roles: bytes
    attachments: bytes
    reference: bytes | None
    pinned_at: int | None
    edited_at: int | None
    stickers: bytes | None = None
    webhook_id: int | None = None
    webhook_name: str | None = None
    webhook_avatar: str | None = None
    reacted: int = 0


Columns = tuple[Any, ...]
"""A row as it was read: the members of a `MessageRow` in their order."""

ID = 0
AUTHOR_ID = 2
SHOWN = 7
"""So many members every message shows of itself."""
USUAL = (0, 0, NONE, NONE, NONE, None, None, None, None, None, None, None, 0)
"""What the others are of a message that is text and embeds only, to which nobody reacted."""
assert SHOWN + len(USUAL) == len(MessageRow.__struct_fields__)
