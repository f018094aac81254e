"""What begins a conversation."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.kernel.wire import Snowflake


class PrivateChannelCreate(Struct, kw_only=True):
    """One `recipient_id` for a direct conversation, or `recipients` for a group."""

    recipient_id: Snowflake | None = None
    recipients: Annotated[list[Snowflake], Meta(max_length=1000)] | None = None
