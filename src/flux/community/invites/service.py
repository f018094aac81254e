"""Making, showing, accepting and deleting invites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.bans.service import BanService
from flux.community.guilds.vanity import VanityService
from flux.community.invites.groups import GroupInvites
from flux.community.invites.repository import GUILD_INVITES, InviteRow
from flux.community.invites.schemas import AnyInvite, InviteChannel, InviteCreate, InviteGuild, InviteView
from flux.community.members.joining import Joining
from flux.community.messages.welcome import Welcome
from flux.community.standing import records, rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Clock, Database, Reader, Transaction, iso, random_key
from flux.settings.community import CommunityLimits

DEFAULT_MAX_AGE = 86_400
CODE_LENGTH = 8


class Presence(Protocol):
    """Who is connected; the realtime room knows."""

    def connected(self, user_id: int) -> bool: ...

    def online_in(self, guild_id: int) -> int: ...


class InviteService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        joining: Joining,
        bans: BanService,
        welcome: Welcome,
        presence: Presence,
        vanity: VanityService,
        groups: GroupInvites,
        audit: AuditService,
        announcer: Announcer,
        limits: CommunityLimits,
        new_code: Callable[[int], str] = random_key,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._joining = joining
        self._bans = bans
        self._welcome = welcome
        self._presence = presence
        self._vanity = vanity
        self._groups = groups
        self._audit = audit
        self._announcer = announcer
        self._limits = limits
        self._new_code = new_code

    async def create(
        self, user: UserRow, channel_id: int, body: InviteCreate, reason: str | None = None
    ) -> AnyInvite:
        """Without `unique`, an invite of the caller that would be the same is given again. Raises MAX_INVITES …"""

        async def work(tx: Transaction) -> AnyInvite:
            standing = await self._where.channel(user, channel_id, tx)
            values = self._values(user, channel_id, body)
            if standing.channel.type == records.GROUP_DM:
                return await self._groups.create(tx, standing, values, unique=bool(body.unique))
            if standing.guild is None or standing.channel.type == records.CATEGORY:
                raise faults.INVALID_CHANNEL_TYPE()
            standing.need(rules.CREATE_INSTANT_INVITE)
            guild_id = values["guild_id"] = standing.guild.guild.id
            if not body.unique and (same := await GUILD_INVITES.similar(tx, values)) is not None:
                return await self._view(same, tx, full=True)
            await self._where.guild_turn(tx, guild_id)
            if (
                await GUILD_INVITES.count(tx, "guild_id", guild_id, values["created_at"])
                >= self._limits.max_invites
            ):
                raise faults.MAX_INVITES(max=self._limits.max_invites)
            return await self._make(tx, values, reason)

        return await self._db.transact(work)

    def _values(self, user: UserRow, channel_id: int, body: InviteCreate) -> dict[str, Any]:
        now = self._clock.now_ms()
        max_age = DEFAULT_MAX_AGE if body.max_age is None else body.max_age
        return {
            "code": self._new_code(CODE_LENGTH),
            "channel_id": channel_id,
            "inviter_id": user.id,
            "max_age": max_age,
            "max_uses": body.max_uses or 0,
            "temporary": int(bool(body.temporary)),
            "created_at": now,
            "expires_at": now + max_age * 1000 if max_age else None,
        }

    async def _make(self, tx: Transaction, values: dict[str, Any], reason: str | None) -> InviteView:
        await GUILD_INVITES.insert(tx, values)
        row = await self._require(values["code"], tx)
        view = await self._view(row, tx, full=True)
        told = {**msgspec.to_builtins(view), "guild_id": view.guild.id, "channel_id": view.channel.id}
        self._announcer.guild(
            tx, row.guild_id, "INVITE_CREATE", told, channel_id=row.channel_id, needs=rules.MANAGE_GUILD
        )
        await self._note(tx, actions.INVITE_CREATE, row, row.inviter_id, reason)
        return view

    async def _note(
        self, tx: Transaction, action: int, row: InviteRow, user_id: int, reason: str | None
    ) -> None:
        shown = actions.of(row, ("code", "channel_id", "inviter_id", "max_age", "max_uses", "temporary"))
        told = actions.created(shown) if action == actions.INVITE_CREATE else actions.deleted(shown)
        await self._audit.record(
            tx, row.guild_id, action, user_id, row.code, reason=reason, changes=told,
            channel_id=str(row.channel_id), inviter_id=str(row.inviter_id), max_age=row.max_age, max_uses=row.max_uses,
            temporary=bool(row.temporary), uses=row.uses,
        )  # fmt: skip

    async def read(self, code: str) -> AnyInvite:
        """Raises UNKNOWN_INVITE."""
        row = await self._find(code, self._db)
        return await self._groups.read(code) if row is None else await self._view(row, self._db)

    async def of_channel(self, user: UserRow, channel_id: int) -> list[AnyInvite]:
        standing = await self._where.channel(user, channel_id)
        standing.need(rules.MANAGE_CHANNELS)
        if standing.guild is None:
            return [*await self._groups.listing(channel_id)]
        rows = await GUILD_INVITES.of_channel(self._db, channel_id, self._clock.now_ms())
        return [await self._view(row, self._db, full=True) for row in rows]

    async def of_guild(self, user: UserRow, guild_id: int) -> list[InviteView]:
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.MANAGE_GUILD)
        rows = await GUILD_INVITES.of_guild(self._db, guild_id, self._clock.now_ms())
        return [await self._view(row, self._db, full=True) for row in rows]

    async def accept(self, user: UserRow, code: str, address: str) -> AnyInvite:
        """Raises UNKNOWN_INVITE, USER_BANNED_FROM_GUILD, USER_IP_BANNED_FROM_GUILD, INVITES_DISABLED,
        TEMPORARY_INVITE_REQUIRES_PRESENCE, MAX_GUILDS, MAX_GUILD_MEMBERS, and what a group raises. A member gets the
        invite back."""
        if await self._find(code, self._db) is None:
            return await self._groups.accept(user, code)

        async def work(tx: Transaction) -> InviteView:
            invite = await self._require(code, tx)
            guild = await self._where.find_guild(invite.guild_id, tx)
            if guild is None:
                raise faults.UNKNOWN_INVITE()
            if await self._where.is_member(guild.id, user.id, tx):
                return await self._view(invite, tx)
            await self._bans.demand_welcome(tx, guild.id, user.id, address)
            if "INVITES_DISABLED" in guild.feature_list:
                raise faults.INVITES_DISABLED()
            if invite.temporary and not self._presence.connected(user.id):
                raise faults.TEMPORARY_INVITE_REQUIRES_PRESENCE()
            joined = await self._joining.join(
                tx,
                guild.id,
                user,
                invite=code,
                inviter_id=invite.inviter_id,
                temporary=bool(invite.temporary),
            )
            if joined:
                if guild.vanity_code == invite.code:
                    await self._vanity.use(tx, guild.id)
                elif not await GUILD_INVITES.use(tx, code, self._clock.now_ms()):
                    raise faults.UNKNOWN_INVITE()
                await self._welcome.say(tx, guild, user)
            return await self._view(invite, tx)

        return await self._db.transact(work)

    async def delete(self, user: UserRow, code: str, reason: str | None = None) -> None:
        """Its maker may, and who manages the channel or guild."""
        if await self._find(code, self._db) is None:
            await self._groups.delete(user, code)
            return

        async def work(tx: Transaction) -> None:
            invite = await self._require(code, tx)
            if invite.inviter_id != user.id:
                await self._demand_manager(tx, user, invite)
            await GUILD_INVITES.delete(tx, code)
            await self._note(tx, actions.INVITE_DELETE, invite, user.id, reason)
            told = {"code": code, "channel_id": str(invite.channel_id), "guild_id": str(invite.guild_id)}
            self._announcer.guild(
                tx,
                invite.guild_id,
                "INVITE_DELETE",
                told,
                channel_id=invite.channel_id,
                needs=rules.MANAGE_GUILD,
            )

        await self._db.transact(work)

    async def sweep(self, tx: Transaction) -> None:
        """Invites that have expired."""
        await GUILD_INVITES.sweep(tx, self._clock.now_ms())
        await self._groups.sweep(tx)

    async def _demand_manager(self, tx: Transaction, user: UserRow, invite: InviteRow) -> None:
        try:
            standing = await self._where.guild(user, invite.guild_id, tx)
        except FaultError as refusal:
            raise faults.MISSING_PERMISSIONS() from refusal
        if not standing.permissions & (rules.MANAGE_GUILD | rules.MANAGE_CHANNELS):
            raise faults.MISSING_PERMISSIONS()

    async def stands(self, code: str) -> bool:
        """Whether it can be used, into a guild or a group."""
        return await self._find(code, self._db) is not None or await self._groups.stands(code)

    async def _require(self, code: str, reader: Reader) -> InviteRow:
        row = await self._find(code, reader)
        if row is None:
            raise faults.UNKNOWN_INVITE()
        return row

    async def _find(self, code: str, reader: Reader) -> InviteRow | None:
        """Of a guild."""
        return await GUILD_INVITES.find(reader, code, self._clock.now_ms()) or await self._of_vanity(
            code, reader
        )

    async def _of_vanity(self, code: str, reader: Reader) -> InviteRow | None:
        """The invite that a guild's own code stands for: without an end, into its system channel."""
        guild = await self._vanity.find(code, reader)
        if guild is None or guild.vanity_code is None or guild.system_channel_id is None:
            return None
        return InviteRow(
            guild.vanity_code, guild.id, guild.system_channel_id, guild.owner_id, 0, 0, guild.vanity_uses, 0,
            guild.created_at, None,
        )  # fmt: skip

    async def _view(self, row: InviteRow, reader: Reader, *, full: bool = False) -> InviteView:
        guild = await self._where.find_guild(row.guild_id, reader)
        channel = await self._where.find_channel(row.channel_id, reader)
        if guild is None or channel is None:
            raise faults.UNKNOWN_INVITE()
        inviter = await self._users.find(row.inviter_id, reader)
        more = {
            "created_at": iso(row.created_at),
            "uses": row.uses,
            "max_uses": row.max_uses,
            "max_age": row.max_age,
        }
        return InviteView(
            code=row.code,
            guild=InviteGuild.of(guild),
            channel=InviteChannel.of(channel),
            inviter=UserPartial.of(inviter) if inviter else None,
            member_count=guild.member_count,
            presence_count=self._presence.online_in(guild.id),
            expires_at=None if row.expires_at is None else iso(row.expires_at),
            temporary=bool(row.temporary),
            **(more if full else {}),  # type: ignore[arg-type]
        )
