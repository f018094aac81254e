"""The message that greets a new member in the guild's system channel."""

from __future__ import annotations

from flux.community.messages.records import USER_JOIN
from flux.community.messages.writing import Draft, Writing
from flux.community.standing.records import CARRIES_MESSAGES, GuildRow
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Transaction

SUPPRESS_JOIN_NOTIFICATIONS = 1


class Welcome:
    def __init__(self, where: StandingService, writing: Writing) -> None:
        self._where = where
        self._writing = writing

    async def say(self, tx: Transaction, guild: GuildRow, user: UserRow) -> None:
        """Nothing where the guild has no system channel or does not want it."""
        if guild.system_channel_id is None or guild.system_channel_flags & SUPPRESS_JOIN_NOTIFICATIONS:
            return
        channel = await self._where.find_channel(guild.system_channel_id, tx)
        if channel is not None and channel.type in CARRIES_MESSAGES:
            await self._writing.write(tx, channel, Draft(user.id, type=USER_JOIN))
