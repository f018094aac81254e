"""Removing members who have not been there for days and hold no role."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.members import prune_repository
from flux.community.members.joining import Joining
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Transaction

DAY_MS = 86_400_000


class PruneInput(Struct):
    """As a query and as a body."""

    days: Annotated[int, Meta(ge=1, le=30)] = 7


class Pruned(Struct, frozen=True):
    """How many go, or went; at most a thousand at once."""

    pruned: int


class PruningService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        joining: Joining,
        audit: AuditService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._joining = joining
        self._audit = audit

    async def count(self, user: UserRow, guild_id: int, days: int) -> Pruned:
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.KICK_MEMBERS)
        before = self._clock.now_ms() - days * DAY_MS
        return Pruned(len(await prune_repository.idle(self._db, guild_id, standing.guild.owner_id, before)))

    async def prune(self, user: UserRow, guild_id: int, days: int, reason: str | None) -> Pruned:
        """They may come back."""

        async def work(tx: Transaction) -> Pruned:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.KICK_MEMBERS)
            before = self._clock.now_ms() - days * DAY_MS
            idle = await prune_repository.idle(tx, guild_id, standing.guild.owner_id, before)
            people = await self._users.find_many(idle, tx)
            for each in people.values():
                await self._joining.leave(tx, guild_id, each)
            if people:
                await self._audit.record(
                    tx, guild_id, actions.MEMBER_PRUNE, user.id, None, reason=reason, delete_member_days=str(days),
                    members_removed=len(people),
                )  # fmt: skip
            return Pruned(len(people))

        return await self._db.transact(work)
