"""Removing what one author said in a guild, when they are banned."""

from __future__ import annotations

from flux.community.announcing import Announcer
from flux.community.messages import repository
from flux.kernel.store import Transaction
from flux.kernel.store.ids import EPOCH_MS


class Purging:
    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    async def of_author(self, tx: Transaction, guild_id: int, author_id: int, since_ms: int) -> None:
        """Everything said at or after `since_ms`, at most 10,000 messages, in the caller's unit."""
        since = max(0, since_ms - EPOCH_MS) << 22
        for channel_id, ids in (await repository.of_author(tx, guild_id, author_id, since)).items():
            await repository.delete_many(tx, channel_id, ids)
            told = {
                "ids": [str(each) for each in ids],
                "channel_id": str(channel_id),
                "guild_id": str(guild_id),
            }
            self._announcer.guild(tx, guild_id, "MESSAGE_DELETE_BULK", told, channel_id=channel_id)
