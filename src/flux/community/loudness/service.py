"""Changing and listing these settings."""

from __future__ import annotations

import msgspec

from flux.community.announcing import Announcer
from flux.community.inputs import encode, filled
from flux.community.loudness import repository
from flux.community.loudness.schemas import GuildSettings, GuildSettingsUpdate
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Database, Transaction

CONVERSATIONS = 0
_decoder = msgspec.json.Decoder(GuildSettings)


class LoudnessService:
    def __init__(
        self, db: Database, users: UserService, where: StandingService, announcer: Announcer
    ) -> None:
        self._db = db
        self._users = users
        self._where = where
        self._announcer = announcer

    async def listing(self, user_id: int) -> list[GuildSettings]:
        return [_decoder.decode(each) for each in await repository.list_of(self._db, user_id)]

    async def change(self, user: UserRow, guild_id: int, body: GuildSettingsUpdate) -> GuildSettings:
        """`guild_id` 0 is for conversations. Raises UNKNOWN_GUILD, MISSING_ACCESS."""

        async def work(tx: Transaction) -> GuildSettings:
            if guild_id != CONVERSATIONS:
                await self._where.guild(user, guild_id, tx)
            # Two changes at once each build on the other.
            await self._users.lock(tx, user.id)
            held = await repository.find(tx, user.id, guild_id)
            name = None if guild_id == CONVERSATIONS else str(guild_id)
            settings = GuildSettings(guild_id=name) if held is None else _decoder.decode(held)
            sent = msgspec.to_builtins(filled(body), enc_hook=str)
            version = {"version": settings.version + 1}
            changed = msgspec.convert(msgspec.to_builtins(settings) | sent | version, GuildSettings)
            await repository.put(tx, user.id, guild_id, encode(changed))
            self._announcer.user(tx, user.id, "USER_GUILD_SETTINGS_UPDATE", changed)
            return changed

        return await self._db.transact(work)
