"""A guild's own invite code, for guilds with the feature VANITY_URL."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.guilds import repository
from flux.community.guilds.schemas import GuildView, Vanity
from flux.community.standing import rules
from flux.community.standing.records import GuildRow
from flux.community.standing.service import Standing, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database, Reader, Transaction, UniqueViolation

FEATURE = "VANITY_URL"


class VanityService:
    def __init__(
        self, db: Database, where: StandingService, audit: AuditService, announcer: Announcer
    ) -> None:
        self._db = db
        self._where = where
        self._audit = audit
        self._announcer = announcer

    async def read(self, user: UserRow, guild_id: int) -> Vanity:
        guild = (await self._demand(user, guild_id, self._db)).guild
        return Vanity(guild.vanity_code, guild.vanity_uses)

    async def update(self, user: UserRow, guild_id: int, code: str | None, reason: str | None) -> str | None:
        """Raises VANITY_URL_TAKEN: of several who ask at once, one gets it."""
        wanted = None if code is None else code.lower()

        async def work(tx: Transaction) -> str | None:
            standing = await self._demand(user, guild_id, tx)
            if wanted is not None and await repository.is_invite(tx, wanted):
                raise faults.VANITY_URL_TAKEN()
            await repository.update(tx, guild_id, {"vanity_code": wanted})
            before = {"vanity_url_code": standing.guild.vanity_code}
            differences = actions.changes(before, {"vanity_url_code": wanted})
            if differences:
                await self._audit.record(
                    tx, guild_id, actions.GUILD_UPDATE, user.id, guild_id, reason=reason, changes=differences
                )
                guild = await self._where.find_guild(guild_id, tx)
                assert guild is not None
                self._announcer.guild(tx, guild_id, "GUILD_UPDATE", GuildView.of(guild))
            return wanted

        try:
            return await self._db.transact(work)
        except UniqueViolation:
            raise faults.VANITY_URL_TAKEN() from None

    async def find(self, code: str, reader: Reader) -> GuildRow | None:
        """The guild that has this code, whatever its case."""
        return await repository.by_vanity(reader, code.lower())

    async def use(self, tx: Transaction, guild_id: int) -> None:
        """Somebody came by it."""
        await repository.use_vanity(tx, guild_id)

    async def _demand(self, user: UserRow, guild_id: int, reader: Reader) -> Standing:
        """Raises MISSING_PERMISSIONS, also where the guild lacks the feature."""
        standing = await self._where.guild(user, guild_id, reader)
        standing.need(rules.MANAGE_GUILD)
        if FEATURE not in standing.guild.feature_list:
            raise faults.MISSING_PERMISSIONS()
        return standing
