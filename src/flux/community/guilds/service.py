"""Creating, reading, changing and deleting guilds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import Ask
from flux.community.channels.service import ChannelService
from flux.community.envelope import invalid
from flux.community.guilds import repository
from flux.community.guilds.schemas import (
    SETTABLE_FEATURES,
    GuildCreate,
    GuildListQuery,
    GuildUpdate,
    GuildView,
)
from flux.community.inputs import I64, encode, filled, unix_ms
from flux.community.media.rules import BANNER, EMBED_SPLASH, ICON, SPLASH
from flux.community.media.service import AssetService
from flux.community.members.joining import Joining
from flux.community.principals import Principal
from flux.community.roles.service import RoleService
from flux.community.standing import records, rules
from flux.community.standing.records import GuildRow
from flux.community.standing.service import Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Snowflakes, Transaction
from flux.settings.community import CommunitySettings

_IMAGES = {"icon": ICON, "banner": BANNER, "splash": SPLASH, "embed_splash": EMBED_SPLASH}
_NOTED = (
    "name", "icon", "banner", "splash", "embed_splash", "owner_id", "system_channel_id", "system_channel_flags",
    "afk_channel_id", "afk_timeout", "verification_level", "mfa_level", "nsfw_level", "explicit_content_filter",
    "default_message_notifications", "splash_card_alignment", "vanity_code",
)  # fmt: skip
"""Columns whose changes stand in the audit log."""


class GuildService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Snowflakes,
        where: StandingService,
        users: UserService,
        roles: RoleService,
        channels: ChannelService,
        joining: Joining,
        assets: AssetService,
        audit: AuditService,
        announcer: Announcer,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._where = where
        self._users = users
        self._roles = roles
        self._channels = channels
        self._joining = joining
        self._assets = assets
        self._audit = audit
        self._announcer = announcer
        self._admins_only = settings.guild_creation == "admins"
        self._blocked = [word.casefold() for word in settings.blocked_words]

    async def read(self, user: UserRow, guild_id: int) -> GuildView:
        standing = await self._where.guild(user, guild_id)
        return GuildView.of(standing.guild, standing.permissions)

    async def mine(self, user: UserRow, query: GuildListQuery) -> list[GuildView]:
        rows = await repository.mine(self._db, user.id, query.after or 0, query.before or I64, query.limit)
        permissions = await self._where.permissions_in(user, rows)
        return [GuildView.of(row, permissions[row.id], counts=query.with_counts) for row in rows]

    async def create(self, principal: Principal, body: GuildCreate) -> GuildView:
        """Raises MAX_GUILDS, FORBIDDEN where only admins may, CONTENT_BLOCKED."""
        user = principal.user
        assert user is not None
        if self._admins_only and not principal.acls:
            raise faults.FORBIDDEN()
        self._demand_clean(body.name)
        guild_id = self._ids.next()
        icon = await self._assets.hash(ICON, guild_id, body.icon, "icon")
        return await self._db.transact(lambda tx: self.make(tx, user, body.name, guild_id, icon))

    async def make(
        self, tx: Transaction, owner: UserRow, name: str, guild_id: int | None = None, icon: str | None = None
    ) -> GuildView:
        await self._joining.demand_room(tx, owner)
        guild_id = self._ids.next() if guild_id is None else guild_id
        values = {
            "id": guild_id,
            "name": name,
            "owner_id": owner.id,
            "features": b"[]",
            "created_at": self._clock.now_ms(),
        }
        await repository.insert(tx, values)
        await self._roles.make_everyone(tx, guild_id)
        general = await self._channels.make_defaults(tx, guild_id)
        await repository.update(tx, guild_id, {"system_channel_id": general, "icon": icon})
        await self._joining.found(tx, guild_id, owner)
        return GuildView.of(await self._row(tx, guild_id), rules.ALL)

    async def update(
        self,
        user: UserRow,
        guild_id: int,
        body: GuildUpdate,
        sudo: Ask,
        reason: str | None = None,
    ) -> GuildView:
        """Raises MISSING_PERMISSIONS, SUDO_MODE_REQUIRED for `mfa_level`, CONTENT_BLOCKED, and what images raise."""
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.MANAGE_GUILD)
        if isinstance(body.mfa_level, int) and standing.guild.mfa_level != body.mfa_level:
            await sudo()
        if body.name:
            self._demand_clean(body.name)
        values = await self._values(guild_id, body)

        async def work(tx: Transaction) -> GuildView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_GUILD)
            await self._demand_channels(tx, guild_id, values)
            wanted = dict(values)
            if "features" in wanted:
                wanted["features"] = _features(standing.guild, wanted["features"])
            await repository.update(tx, guild_id, wanted)
            await self._note(tx, standing, reason)
            return await self._announce(tx, standing)

        return await self._db.transact(work)

    async def _values(self, guild_id: int, body: GuildUpdate) -> dict[str, Any]:
        """The columns, with images taken."""
        values = {
            name: value for name, value in filled(body).items() if name not in SudoProof.__struct_fields__
        }
        for name, use in _IMAGES.items():
            if name in values:
                values[name] = await self._assets.hash(use, guild_id, values[name], name)
        cutoff = values.get("message_history_cutoff")
        if isinstance(cutoff, datetime):
            values["message_history_cutoff"] = unix_ms(cutoff)
        return values

    async def _note(self, tx: Transaction, standing: Standing, reason: str | None) -> None:
        """What of the guild is not as it was, in the audit log."""
        now = await self._row(tx, standing.guild.id)
        differences = actions.changes(actions.of(standing.guild, _NOTED), actions.of(now, _NOTED))
        if standing.guild.features != now.features:
            old, new = set(standing.guild.feature_list), set(now.feature_list)
            told = {"added": sorted(new - old), "removed": sorted(old - new)}
            differences.append({"key": "features", "new_value": told})
        if differences:
            await self._audit.record(
                tx, now.id, actions.GUILD_UPDATE, standing.user.id, now.id, reason=reason, changes=differences
            )

    async def transfer(
        self, user: UserRow, guild_id: int, new_owner: int, sudo: Ask, reason: str | None = None
    ) -> GuildView:
        """Raises MISSING_PERMISSIONS for anybody but the owner, UNKNOWN_MEMBER."""
        await self._demand_owner(user, guild_id)
        await sudo()

        async def work(tx: Transaction) -> GuildView:
            standing = await self._demand_owner(user, guild_id, tx)
            if not await self._where.is_member(guild_id, new_owner, tx):
                raise faults.UNKNOWN_MEMBER()
            if (await self._users.require(new_owner, tx)).bot:
                raise faults.CANNOT_TRANSFER_OWNERSHIP_TO_BOT()
            await repository.update(tx, guild_id, {"owner_id": new_owner})
            await self._note(tx, standing, reason)
            return await self._announce(tx, standing)

        return await self._db.transact(work)

    async def delete(self, user: UserRow, guild_id: int, sudo: Ask) -> None:
        """Raises MISSING_PERMISSIONS for anybody but the owner, SUDO_MODE_REQUIRED, INVALID_SUDO_TOKEN."""
        await self._demand_owner(user, guild_id)
        await sudo()

        async def work(tx: Transaction) -> None:
            await self._demand_owner(user, guild_id, tx)
            members = await repository.member_ids(tx, guild_id)
            await repository.delete(tx, guild_id)
            for member in members:
                self._announcer.control(tx, member, "GUILD_LEFT", {"guild_id": str(guild_id)})

        await self._db.transact(work)

    async def set_features(self, tx: Transaction, guild_id: int, add: set[str], remove: set[str]) -> GuildRow:
        """For admins: any feature. Raises UNKNOWN_GUILD."""
        guild = await self._row(tx, guild_id)
        features = sorted((set(guild.feature_list) | add) - remove)
        await repository.update(tx, guild_id, {"features": encode(features)})
        guild = await self._row(tx, guild_id)
        self._announcer.guild(tx, guild_id, "GUILD_UPDATE", GuildView.of(guild))
        return guild

    async def _demand_owner(self, user: UserRow, guild_id: int, tx: Transaction | None = None) -> Standing:
        standing = await self._where.guild(user, guild_id, tx)
        if not standing.owner:
            raise faults.MISSING_PERMISSIONS()
        return standing

    def _demand_clean(self, text: str) -> None:
        folded = text.casefold()
        if any(word in folded for word in self._blocked):
            raise faults.CONTENT_BLOCKED()

    async def _demand_channels(self, tx: Transaction, guild_id: int, values: dict[str, Any]) -> None:
        for name, kind in (("system_channel_id", records.TEXT), ("afk_channel_id", records.VOICE)):
            if (channel_id := values.get(name)) is not None:
                channel = await self._where.find_channel(channel_id, tx)
                if channel is None or channel.guild_id != guild_id or channel.type != kind:
                    raise invalid(name, "Expected a fitting channel of this guild.", "INVALID_CHANNEL")

    async def _announce(self, tx: Transaction, standing: Standing) -> GuildView:
        guild = await self._row(tx, standing.guild.id)
        self._announcer.guild(tx, guild.id, "GUILD_UPDATE", GuildView.of(guild))
        return GuildView.of(guild, standing.permissions)

    async def _row(self, tx: Transaction, guild_id: int) -> GuildRow:
        row = await self._where.find_guild(guild_id, tx)
        if row is None:
            raise faults.UNKNOWN_GUILD()
        return row


def _features(guild: GuildRow, wanted: list[str]) -> bytes:
    """The settable ones as asked; the others stay as they are."""
    kept = [feature for feature in guild.feature_list if feature not in SETTABLE_FEATURES]
    return encode(sorted({*kept, *(feature for feature in wanted if feature in SETTABLE_FEATURES)}))
