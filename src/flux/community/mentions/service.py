"""Writing mentions down, and finding those that mean somebody."""

from __future__ import annotations

from collections.abc import Iterable

from flux.community.mentions import repository
from flux.community.mentions.repository import Mention
from flux.kernel.store import Database, Transaction

USER, ROLE, EVERYONE = 0, 1, 2


class MentionService:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def record(
        self,
        tx: Transaction,
        message_id: int,
        channel_id: int,
        author_id: int,
        *,
        users: Iterable[int] = (),
        roles: Iterable[int] = (),
        guild_id: int | None = None,
    ) -> None:
        """In the unit that stores the message. `guild_id` is for @everyone."""
        named = [(USER, each) for each in users] + [(ROLE, each) for each in roles]
        if guild_id is not None:
            named.append((EVERYONE, guild_id))
        rows = [
            {
                "target_id": target,
                "message_id": message_id,
                "channel_id": channel_id,
                "kind": kind,
                "author_id": author_id,
            }
            for kind, target in named
        ]
        if rows:
            await repository.add(tx, rows)

    async def recent(
        self, user_id: int, targets: list[int], kinds: list[int], before: int, limit: int
    ) -> list[Mention]:
        """Latest first, without those the user has dismissed and those of their own messages."""
        where = {"user_id": user_id, "targets": targets, "kinds": kinds, "before": before, "limit": limit}
        return await repository.recent(self._db, where)

    async def unread(self, user_id: int, targets: list[int]) -> dict[int, int]:
        """Messages by channel that name one of `targets` and come after the last one the user has read."""
        return await repository.unread(self._db, user_id, targets)

    async def dismiss(self, tx: Transaction, user_id: int, message_id: int) -> bool:
        """False for a message that is gone, or was dismissed before."""
        return await repository.dismiss(tx, user_id, message_id)
