"""Read states and mentions on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.kernel.wire import Snowflake


class ReadState(Struct, frozen=True):
    id: str
    mention_count: int
    last_message_id: str | None
    last_pin_timestamp: str | None


class Ack(Struct, kw_only=True):
    """`manual` may also go back, which marks as unread."""

    mention_count: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    manual: bool = False


class AckItem(Struct):
    channel_id: Snowflake
    message_id: Snowflake


class AckBulk(Struct):
    read_states: Annotated[list[AckItem], Meta(min_length=1, max_length=100)]


class MentionsQuery(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    roles: bool = True
    everyone: bool = True
    guilds: bool = True
    before: Snowflake | None = None


class Preload(Struct):
    channels: Annotated[list[Snowflake], Meta(max_length=100)]
