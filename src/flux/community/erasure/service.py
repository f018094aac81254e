"""Erasing accounts when their day has come."""

from __future__ import annotations

from typing import Any

from flux.community.auth.login import LoginService
from flux.community.auth.sessions import SessionService
from flux.community.factors.service import FactorService
from flux.community.members.joining import Joining
from flux.community.members.service import MemberService
from flux.community.oauth2.tokens import TokenService
from flux.community.passkeys.service import PasskeyService
from flux.community.relationships.service import RelationshipService
from flux.community.standing.service import StandingService
from flux.community.users.records import DELETED, UserRow
from flux.community.users.service import UserService
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database, Transaction

JOB = "community.erase"


class Erasure:
    """`USER_UPDATE` and the farewells to guilds and friends are announced; guilds the account still owns stay its own."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        jobs: Jobs,
        users: UserService,
        where: StandingService,
        sessions: SessionService,
        login: LoginService,
        factors: FactorService,
        passkeys: PasskeyService,
        members: MemberService,
        joining: Joining,
        relationships: RelationshipService,
        grants: TokenService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._jobs = jobs
        self._users = users
        self._where = where
        self._sessions = sessions
        self._login = login
        self._factors = factors
        self._passkeys = passkeys
        self._members = members
        self._joining = joining
        self._relationships = relationships
        self._grants = grants

    async def schedule(self, tx: Transaction, user_id: int, when: int) -> None:
        """In the caller's unit, which sets the account's `deletion_at` to `when` (Unix milliseconds)."""
        await self._jobs.enqueue(tx, JOB, {"user_id": str(user_id)}, run_at_ms=when, key=str(user_id))

    async def run(self, payload: dict[str, Any]) -> None:
        """The job. Whoever logged in meanwhile has no day any more, or a later one."""
        user_id = int(payload["user_id"])

        async def work(tx: Transaction) -> None:
            user = await self._users.find(user_id, tx)
            if user is None or user.deletion_at is None:
                return
            if user.deletion_at > self._clock.now_ms():
                await self.schedule(tx, user_id, user.deletion_at)
            else:
                await self._erase(tx, user)

        await self._db.transact(work)

    async def _erase(self, tx: Transaction, user: UserRow) -> None:
        for guild_id in await self._members.guild_ids(user.id, tx):
            guild = await self._where.find_guild(guild_id, tx)
            if guild is not None and guild.owner_id != user.id:
                await self._joining.leave(tx, guild_id, user)
        await self._relationships.forget(tx, user.id)
        await self._grants.forget(tx, user.id)
        await self._sessions.end_all(tx, user.id)
        await self._login.forget(tx, user.id)
        await self._factors.forget(tx, user.id)
        await self._passkeys.forget(tx, user.id)
        await self._users.anonymise(tx, user.id, flags=user.flags | DELETED)
