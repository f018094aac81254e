"""Banning, unbanning, and refusing the banned."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.bans import repository
from flux.community.bans.schemas import BanCreate, BanView
from flux.community.members.joining import Joining
from flux.community.messages.purging import Purging
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Clock, Database, Transaction, iso

EXPIRY = "community.bans.expire"


class BanService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        joining: Joining,
        purging: Purging,
        audit: AuditService,
        announcer: Announcer,
        jobs: Jobs,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._joining = joining
        self._purging = purging
        self._audit = audit
        self._announcer = announcer
        self._jobs = jobs

    async def listing(self, user: UserRow, guild_id: int) -> list[BanView]:
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.BAN_MEMBERS)
        rows = await repository.list_bans(self._db, guild_id, self._clock.now_ms())
        people = await self._users.find_many(row.user_id for row in rows)
        return [
            BanView(
                UserPartial.of(people[row.user_id]),
                row.reason,
                str(row.moderator_id),
                iso(row.banned_at),
                None if row.expires_at is None else iso(row.expires_at),
            )
            for row in rows
            if row.user_id in people
        ]

    async def ban(
        self, user: UserRow, guild_id: int, target_id: int, body: BanCreate, reason: str | None = None
    ) -> None:
        """Raises UNKNOWN_USER, MISSING_PERMISSIONS for somebody not below the caller."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.BAN_MEMBERS)
            target = await self._users.require(target_id, tx)
            if await self._where.is_member(guild_id, target_id, tx):
                position = await self._where.position_of(standing.guild, target_id, tx)
                if not standing.outranks_member(target_id, position):
                    raise faults.MISSING_PERMISSIONS()
            now = self._clock.now_ms()
            await self._put(tx, guild_id, target, user, body, reason)
            told = {"guild_id": str(guild_id), "user": UserPartial.of(target)}
            self._announcer.guild(tx, guild_id, "GUILD_BAN_ADD", told, needs=rules.BAN_MEMBERS)
            await self._joining.leave(tx, guild_id, target)
            seconds = body.delete_message_seconds or (body.delete_message_days or 0) * 86_400
            if seconds:
                await self._purging.of_author(tx, guild_id, target_id, now - seconds * 1000)

        await self._db.transact(work)

    async def _put(
        self,
        tx: Transaction,
        guild_id: int,
        target: UserRow,
        user: UserRow,
        body: BanCreate,
        reason: str | None,
    ) -> None:
        now, lasts = self._clock.now_ms(), body.ban_duration_seconds
        until = now + lasts * 1000 if lasts else None
        values = {
            "guild_id": guild_id,
            "user_id": target.id,
            "moderator_id": user.id,
            "reason": body.reason or reason,
            "address": None if target.bot else target.last_address,
            "banned_at": now,
            "expires_at": until,
        }
        await repository.put(tx, values)
        key = f"{guild_id}:{target.id}"
        await self._jobs.cancel(tx, EXPIRY, key)
        if until is not None:
            payload = {"guild_id": int(guild_id), "user_id": target.id}
            await self._jobs.enqueue(tx, EXPIRY, payload, run_at_ms=until, key=key)
        await self._audit.record(
            tx, guild_id, actions.MEMBER_BAN_ADD, user.id, target.id, reason=body.reason or reason,
            delete_member_days=str(body.delete_message_days) if body.delete_message_days else None,
        )  # fmt: skip

    async def expire(self, payload: dict[str, Any]) -> None:
        """The job of a ban with an end. A ban that was renewed meanwhile stays."""
        guild_id, user_id = payload["guild_id"], payload["user_id"]

        async def work(tx: Transaction) -> None:
            if await repository.drop_expired(tx, guild_id, user_id, self._clock.now_ms()):
                target = await self._users.find(user_id, tx)
                if target is not None:
                    self._tell_unbanned(tx, guild_id, target)

        await self._db.transact(work)

    def _tell_unbanned(self, tx: Transaction, guild_id: int, target: UserRow) -> None:
        told = {"guild_id": str(guild_id), "user": UserPartial.of(target)}
        self._announcer.guild(tx, guild_id, "GUILD_BAN_REMOVE", told, needs=rules.BAN_MEMBERS)

    async def unban(self, user: UserRow, guild_id: int, target_id: int, reason: str | None = None) -> None:
        """Raises UNKNOWN_USER, also when nobody had banned them."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.BAN_MEMBERS)
            target = await self._users.require(target_id, tx)
            if not await repository.drop(tx, guild_id, target_id):
                raise faults.UNKNOWN_USER()
            await self._jobs.cancel(tx, EXPIRY, f"{guild_id}:{target_id}")
            await self._audit.record(
                tx, guild_id, actions.MEMBER_BAN_REMOVE, user.id, target_id, reason=reason
            )
            self._tell_unbanned(tx, guild_id, target)

        await self._db.transact(work)

    async def stands(self, guild_id: int, user_id: int) -> bool:
        return await repository.is_banned(self._db, guild_id, user_id, self._clock.now_ms())

    async def demand_welcome(self, tx: Transaction, guild_id: int, user_id: int, address: str) -> None:
        """Raises USER_BANNED_FROM_GUILD, USER_IP_BANNED_FROM_GUILD."""
        now = self._clock.now_ms()
        if await repository.is_banned(tx, guild_id, user_id, now):
            raise faults.USER_BANNED_FROM_GUILD()
        if await repository.address_is_banned(tx, guild_id, address, now):
            raise faults.USER_IP_BANNED_FROM_GUILD()
