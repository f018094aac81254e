"""What may be done to accounts and guilds from above."""

from __future__ import annotations

from typing import Any

from flux.community.admin import repository
from flux.community.admin.schemas import GuildAdmin, Lookup, UserAdmin
from flux.community.auth.sessions import SessionService
from flux.community.envelope import invalid
from flux.community.erasure.service import Erasure
from flux.community.factors.service import FactorService
from flux.community.guilds.service import GuildService
from flux.community.inputs import encode, identifier
from flux.community.passkeys.service import PasskeyService
from flux.community.users import rules
from flux.community.users.records import BY_ADMIN, DELETED, DISABLED, SELF_DELETED, UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Transaction

HOUR_MS = 3_600_000
KEEPS_OUT = DELETED | DISABLED


class AdminService:
    """Each verb raises UNKNOWN_USER (UNKNOWN_GUILD) when there is nobody to do it to."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        sessions: SessionService,
        factors: FactorService,
        passkeys: PasskeyService,
        erasure: Erasure,
        guilds: GuildService,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._sessions = sessions
        self._factors = factors
        self._passkeys = passkeys
        self._erasure = erasure
        self._guilds = guilds

    async def lookup(self, body: Lookup) -> list[UserAdmin]:
        if body.user_ids is not None:
            found = await self._users.find_many(int(each) for each in body.user_ids)
            return [UserAdmin.of(row) for row in found.values()]
        text = body.query or ""
        rows = await repository.search_users(self._db, rules.folded(text.partition("#")[0]))
        number = identifier(text)
        if number is not None and (row := await self._users.find(number)):
            rows = [row, *rows]
        return [UserAdmin.of(row) for row in rows]

    async def update_flags(self, user_id: int, add: list[Any], remove: list[Any]) -> UserAdmin:
        """An account that is disabled or deleted by flag loses its sessions."""
        added, removed = _bits(add, "add_flags"), _bits(remove, "remove_flags")

        async def work(tx: Transaction) -> UserAdmin:
            await self._users.lock(tx, user_id)
            row = await self._users.require(user_id, tx)
            flags = (row.flags | added) & ~removed
            values: dict[str, Any] = {"flags": flags}
            if flags & DISABLED != row.flags & DISABLED:
                values["disabled_by"] = BY_ADMIN if flags & DISABLED else 0
            if added & KEEPS_OUT:
                await self._sessions.end_all(tx, user_id)
            return UserAdmin.of(await self._users.set(tx, user_id, **values))

        return await self._db.transact(work)

    async def suspend(self, user_id: int, hours: int) -> UserAdmin:
        """For good with 0 hours."""
        until = self._clock.now_ms() + hours * HOUR_MS if hours else 0

        async def work(tx: Transaction) -> UserAdmin:
            row = await self._users.set(tx, user_id, banned_until=until)
            await self._sessions.end_all(tx, user_id)
            return UserAdmin.of(row)

        return await self._db.transact(work)

    async def unsuspend(self, user_id: int) -> UserAdmin:
        async def work(tx: Transaction) -> UserAdmin:
            row = await self._users.require(user_id, tx)
            return UserAdmin.of(
                await self._users.set(tx, user_id, banned_until=None, flags=row.flags & ~DELETED)
            )

        return await self._db.transact(work)

    async def schedule_deletion(self, user_id: int, days: int) -> UserAdmin:
        when = self._clock.now_ms() + days * 24 * HOUR_MS

        async def work(tx: Transaction) -> UserAdmin:
            row = await self._users.set(tx, user_id, deletion_by=BY_ADMIN, deletion_at=when)
            await self._sessions.end_all(tx, user_id)
            await self._erasure.schedule(tx, user_id, when)
            return UserAdmin.of(row)

        return await self._db.transact(work)

    async def cancel_deletion(self, user_id: int) -> UserAdmin:
        async def work(tx: Transaction) -> UserAdmin:
            row = await self._users.require(user_id, tx)
            flags = row.flags & ~SELF_DELETED
            return UserAdmin.of(
                await self._users.set(tx, user_id, deletion_by=0, deletion_at=None, flags=flags)
            )

        return await self._db.transact(work)

    async def disable_mfa(self, user_id: int) -> None:
        """For somebody who has lost every factor: only the password is left."""

        async def work(tx: Transaction) -> None:
            await self._users.require(user_id, tx)
            await self._factors.forget(tx, user_id)
            await self._passkeys.forget(tx, user_id)

        await self._db.transact(work)

    async def end_sessions(self, user_id: int) -> None:
        async def work(tx: Transaction) -> None:
            await self._users.require(user_id, tx)
            await self._sessions.end_all(tx, user_id)

        await self._db.transact(work)

    async def demand_proof(self, user_id: int, flags: int) -> UserAdmin:
        return await self._set(user_id, suspicious_flags=flags)

    async def set_acls(self, user_id: int, acls: list[str]) -> UserAdmin:
        return await self._set(user_id, acls=encode(sorted(set(acls))))

    async def _set(self, user_id: int, **values: Any) -> UserAdmin:
        async def work(tx: Transaction) -> UserRow:
            return await self._users.set(tx, user_id, **values)

        return UserAdmin.of(await self._db.transact(work))

    async def update_features(self, guild_id: int, add: list[str], remove: list[str]) -> GuildAdmin:
        async def work(tx: Transaction) -> GuildAdmin:
            return GuildAdmin.of(await self._guilds.set_features(tx, guild_id, set(add), set(remove)))

        return await self._db.transact(work)


def _bits(values: list[Any], path: str) -> int:
    found = 0
    for value in values:
        bits = None if isinstance(value, bool) else identifier(str(value))
        if bits is None:
            raise invalid(path, "Expected bits as decimal strings.", "INVALID_FORMAT")
        found |= bits
    return found
