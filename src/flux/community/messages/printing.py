"""Messages as JSON without making a `MessageView` of each: what history is read with.

The shape is the view's own: a specimen of it, encoded once with places instead of values, is filled in for each row. Both
ways write the same bytes, and a new member of a message has one place to be named in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from flux.community.messages.records import NONE, SHOWN, Columns, MessageRow
from flux.community.messages.schemas import MessageView
from flux.community.users.schemas import UserPartial
from flux.kernel.store import iso
from flux.kernel.store.ids import EPOCH_MS
from flux.kernel.wire.values import encoder

Cards = Mapping[int, bytes]
"""Accounts as others see them, JSON by id."""

_MINUTE_MS = 60_000
_MOST_MINUTES = 10_000
_BOOLEAN = (b"false", b"true")
_encode = msgspec.json.Encoder().encode
_ids = msgspec.json.Decoder(list[int])
_minutes: dict[int, bytes] = {}


_TIMESTAMP = b'"%b%02d.%03dZ"'
_ALWAYS = {
    "id": b'"%d"', "channel_id": b'"%d"', "author": b"%b", "type": b"%d", "flags": b"%d", "content": b"%b",
    "timestamp": _TIMESTAMP, "embeds": b"%b",
}  # fmt: skip
_PLAIN: dict[str, Any] = {
    "edited_timestamp": None, "pinned": False, "mention_everyone": False, "tts": False, "mentions": [],
    "mention_roles": [], "attachments": [],
}  # fmt: skip
"""What most messages have, as most have it."""


def _specimen(**fixed: Any) -> bytes:
    """With places for all that is not fixed."""
    places: dict[str, Any] = dict.fromkeys((*_PLAIN, "stickers", "reactions"), b"%b")
    shown = {name: msgspec.Raw(place) for name, place in (places | _ALWAYS).items()}
    return encoder.encode(MessageView(**(shown | fixed)))


_SPECIMEN = _specimen().removesuffix(b"}") + b"%b}"
_PLAIN_SPECIMEN = _specimen(**_PLAIN, stickers=msgspec.Raw(NONE), reactions=[])


_HEAD, _, _TEXT = _PLAIN_SPECIMEN.partition(b',"content":')
_BEGIN, _, _SENDER = _HEAD.partition(b'"channel_id"')
_LINE = _BEGIN + b'%b,"content":' + _TEXT
"""A message after its id and `_SENT`."""
_SENT = b'"channel_id"' + _SENDER
"""What all messages of one author in one channel have in common."""


def page(rows: Sequence[Columns], cards: Cards, unusual: Mapping[int, bytes]) -> bytes:
    """The JSON list of these messages: of the unusual ones as it is given, of those that are text and embeds only, to
    which nobody reacted, as it is written here."""
    sent: dict[tuple[int, int, int, int], bytes] = {}
    lines: list[bytes] = []
    values: list[Any] = []
    for row in rows:
        message_id, channel_id, author_id, kind, flags, content, embeds = row[:SHOWN]
        if message_id in unusual:
            lines.append(b"%b")
            values.append(unusual[message_id])
            continue
        key = (channel_id, author_id, kind, flags)
        begin = sent.get(key)
        if begin is None:
            card = cards.get(author_id) or nobody(author_id)
            begin = sent[key] = _SENT % (channel_id, card, kind, flags)
        minute, rest = divmod((message_id >> 22) + EPOCH_MS, _MINUTE_MS)
        lines.append(_LINE)
        values += (
            message_id,
            begin,
            _encode(content),
            _minutes.get(minute) or _minute(minute),
            rest // 1000,
            rest % 1000,
            embeds,
        )
    return b"[%b]" % b",".join(lines) % tuple(values)


def printed(
    row: MessageRow, cards: Cards, embeds: bytes, attachments: bytes, reactions: bytes, tail: bytes
) -> bytes:
    """`embeds`, `attachments` and `reactions` are JSON lists, `tail` the members behind them with a comma before each."""
    minute, rest = divmod((row.id >> 22) + EPOCH_MS, _MINUTE_MS)
    return _SPECIMEN % (
        row.id,
        row.channel_id,
        (cards.get(row.author_id) or nobody(row.author_id)) if row.webhook_id is None else webhook(row),
        row.type,
        row.flags,
        _encode(row.content),
        _minutes.get(minute) or _minute(minute),
        rest // 1000,
        rest % 1000,
        b"null" if row.edited_at is None else _encode(iso(row.edited_at)),
        _BOOLEAN[row.pinned_at is not None],
        _BOOLEAN[row.mention_everyone],
        _BOOLEAN[row.tts],
        NONE if row.mentions == NONE else _people(row.mentions, cards),
        NONE
        if row.mention_roles == NONE
        else _encode([str(each) for each in _ids.decode(row.mention_roles)]),
        embeds,
        attachments,
        row.stickers or NONE,
        reactions,
        tail,
    )


def members(told: Mapping[str, Any]) -> bytes:
    """Further members of an object, each with a comma before it."""
    return b"," + encoder.encode(told)[1:-1] if told else b""


def listed(items: list[bytes]) -> bytes:
    """A JSON list of what is JSON already."""
    return b"[%b]" % b",".join(items)


def nobody(user_id: int) -> bytes:
    """Whoever is gone shows as a deleted user."""
    return encoder.encode(UserPartial.gone(user_id))


def webhook(row: MessageRow) -> bytes:
    """The author that a webhook's message shows, and the webhook."""
    return encoder.encode(webhook_author(row)) + members({"webhook_id": str(row.webhook_id)})


def webhook_author(row: MessageRow) -> UserPartial:
    return UserPartial(
        str(row.webhook_id), row.webhook_name or "", "0000", None, row.webhook_avatar, None, 0, bot=True
    )


def _people(mentions: bytes, cards: Cards) -> bytes:
    return listed([cards[each] for each in _ids.decode(mentions) if each in cards])


def _minute(minute: int) -> bytes:
    """`2026-02-19T19:34:` of a minute since 1970; the same few are asked for again and again."""
    if len(_minutes) >= _MOST_MINUTES:
        _minutes.clear()
    when = datetime.fromtimestamp(minute * 60, UTC)
    _minutes[minute] = text = f"{when:%Y-%m-%dT%H:%M:}".encode()
    return text
