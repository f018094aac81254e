"""What channels may be, pure."""

from __future__ import annotations

from collections.abc import Iterable

from flux.community.standing import records, rules
from flux.community.standing.records import ChannelRow, OverwriteRow

CREATABLE = frozenset({records.TEXT, records.VOICE, records.CATEGORY, records.LINK})
DEFAULT_BITRATE = 64_000

FIELDS: dict[int, frozenset[str]] = {
    records.TEXT: frozenset({"name", "topic", "parent_id", "nsfw", "rate_limit_per_user", "position"}),
    records.VOICE: frozenset({"name", "parent_id", "bitrate", "user_limit", "rtc_region", "position"}),
    records.CATEGORY: frozenset({"name", "position"}),
    records.LINK: frozenset({"name", "url", "parent_id", "position"}),
}
"""What of an update a channel of a guild takes, by its type; the rest is ignored."""


def visible(
    channel: ChannelRow, overwrites: Iterable[OverwriteRow], base: int, user_id: int, role_ids: Iterable[int]
) -> bool:
    found = rules.in_channel(
        base, overwrites, guild_id=channel.guild_id or 0, user_id=user_id, role_ids=role_ids
    )
    return found & rules.VIEW_CHANNEL != 0


NOTED = (
    "name", "type", "topic", "url", "parent_id", "nsfw", "rate_limit_per_user", "bitrate", "user_limit", "rtc_region",
    "position",
)  # fmt: skip
"""Columns whose changes stand in the audit log."""
