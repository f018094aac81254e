"""Banning, unbanning, and refusing the banned."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.bans import repository
from flux.community.bans.schemas import BanCreate, BanView
from flux.community.members.joining import Joining
from flux.community.messages.purging import Purging
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Transaction, iso


class BanService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        joining: Joining,
        purging: Purging,
        announcer: Announcer,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._joining = joining
        self._purging = purging
        self._announcer = announcer

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

    async def ban(self, user: UserRow, guild_id: int, target_id: int, body: BanCreate) -> None:
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
            lasts = body.ban_duration_seconds
            values = {
                "guild_id": guild_id,
                "user_id": target_id,
                "moderator_id": user.id,
                "reason": body.reason,
                "address": None if target.bot else target.last_address,
                "banned_at": now,
                "expires_at": now + lasts * 1000 if lasts else None,
            }
            await repository.put(tx, values)
            told = {"guild_id": str(guild_id), "user": UserPartial.of(target)}
            self._announcer.guild(tx, guild_id, "GUILD_BAN_ADD", told, needs=rules.BAN_MEMBERS)
            await self._joining.leave(tx, guild_id, target)
            seconds = body.delete_message_seconds or (body.delete_message_days or 0) * 86_400
            if seconds:
                await self._purging.of_author(tx, guild_id, target_id, now - seconds * 1000)

        await self._db.transact(work)

    async def unban(self, user: UserRow, guild_id: int, target_id: int) -> None:
        """Raises UNKNOWN_USER, also when nobody had banned them."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.BAN_MEMBERS)
            target = await self._users.require(target_id, tx)
            if not await repository.drop(tx, guild_id, target_id):
                raise faults.UNKNOWN_USER()
            told = {"guild_id": str(guild_id), "user": UserPartial.of(target)}
            self._announcer.guild(tx, guild_id, "GUILD_BAN_REMOVE", told, needs=rules.BAN_MEMBERS)

        await self._db.transact(work)

    async def demand_welcome(self, tx: Transaction, guild_id: int, user_id: int, address: str) -> None:
        """Raises USER_BANNED_FROM_GUILD, USER_IP_BANNED_FROM_GUILD."""
        now = self._clock.now_ms()
        if await repository.is_banned(tx, guild_id, user_id, now):
            raise faults.USER_BANNED_FROM_GUILD()
        if await repository.address_is_banned(tx, guild_id, address, now):
            raise faults.USER_IP_BANNED_FROM_GUILD()
