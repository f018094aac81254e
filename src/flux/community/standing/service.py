"""A caller's standing in a guild or channel, or the right refusal.

Unknown guild: UNKNOWN_GUILD. Guild without the caller: MISSING_ACCESS. Unknown channel, or a conversation without the
caller: UNKNOWN_CHANNEL. Guild channel the caller does not see: MISSING_ACCESS. Anything finer: MISSING_PERMISSIONS.
"""

from __future__ import annotations

from dataclasses import dataclass

from flux.community import faults
from flux.community.standing import repository, rules
from flux.community.standing.records import (
    GROUP_DM,
    Access,
    ChannelRow,
    GuildRow,
    MemberRow,
    OverwriteRow,
    RoleGrant,
)
from flux.community.users.records import UserRow
from flux.kernel.store import Clock, Database, Reader, Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """One member of one guild. `permissions` are the guild's, `held` the roles they come from."""

    guild: GuildRow
    user: UserRow
    member: MemberRow
    held: list[RoleGrant]
    permissions: int

    @property
    def owner(self) -> bool:
        return self.guild.owner_id == self.user.id

    @property
    def role_ids(self) -> list[int]:
        """Without @everyone, lowest first."""
        mine = sorted((role.position, role.id) for role in self.held if role.id != self.guild.id)
        return [role_id for _, role_id in mine]

    @property
    def position(self) -> int:
        """Of the highest role; -1 without one."""
        return highest(self.held, self.guild.id)

    def need(self, bits: int) -> None:
        """Raises MISSING_PERMISSIONS, or TWO_FACTOR_REQUIRED in a guild that asks moderators for it."""
        _need(self, self.permissions, bits)

    def outranks_role(self, position: int) -> bool:
        return rules.outranks(
            owner=self.owner, position=self.position, target_position=position, target_is_owner=False
        )

    def outranks_member(self, user_id: int, position: int) -> bool:
        return rules.outranks(
            owner=self.owner,
            position=self.position,
            target_position=position,
            target_is_owner=user_id == self.guild.owner_id,
        )


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """Somebody in a channel. `guild` is None in conversations, where `recipients` are the people."""

    channel: ChannelRow
    user: UserRow
    permissions: int
    guild: Standing | None
    overwrites: list[OverwriteRow]
    recipients: list[int]

    def need(self, bits: int) -> None:
        """Raises MISSING_PERMISSIONS or TWO_FACTOR_REQUIRED."""
        if self.guild is not None:
            _need(self.guild, self.permissions, bits)
        elif bits & ~self.permissions:
            raise faults.MISSING_PERMISSIONS()

    def may(self, bits: int) -> bool:
        return bits & ~self.permissions == 0

    def timed_out(self, now_ms: int) -> bool:
        if self.guild is None or self.permissions & rules.ADMINISTRATOR:
            return False
        until = self.guild.member.timed_out_until
        return until is not None and until > now_ms


def highest(held: list[RoleGrant], guild_id: int) -> int:
    return max((role.position for role in held if role.id != guild_id), default=rules.NOBODY)


def _need(standing: Standing, permissions: int, bits: int) -> None:
    if bits & ~permissions:
        raise faults.MISSING_PERMISSIONS()
    if (
        standing.guild.mfa_level
        and bits & rules.NEEDS_MFA
        and not standing.user.has_mfa
        and not standing.user.bot
    ):
        raise faults.TWO_FACTOR_REQUIRED()


class StandingService:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._reader: Reader = db
        self._clock = clock
        self._accesses = repository.remembered_access(db)

    async def guild(self, user: UserRow, guild_id: int, reader: Reader | None = None) -> Standing:
        """Raises UNKNOWN_GUILD, MISSING_ACCESS."""
        source = reader or self._reader
        guild = await repository.guild(source, guild_id)
        if guild is None:
            raise faults.UNKNOWN_GUILD()
        member = await repository.member(source, guild_id, user.id)
        if member is None:
            raise faults.MISSING_ACCESS()
        held = await repository.grants(source, guild_id, user.id)
        return Standing(guild, user, member, held, _permissions(guild.id, guild.owner_id, user.id, held))

    async def recipients(self, channel_id: int, reader: Reader | None = None) -> list[int]:
        """The people of a conversation."""
        return await repository.recipients(reader or self._reader, channel_id)

    async def guild_turn(self, tx: Transaction, guild_id: int) -> None:
        """Wait until no other unit of work has the guild's turn; it ends with the unit. What is counted after it stays
        true until the unit ends, among those that take turns."""
        await repository.guild_turn(tx, guild_id)

    async def channel_turn(self, tx: Transaction, channel_id: int) -> None:
        """The same for a channel."""
        await repository.channel_turn(tx, channel_id)

    async def guilds(self, user: UserRow, guild_ids: list[int]) -> dict[int, Standing]:
        """The user's standing in those of the guilds they are in."""
        mine = await repository.memberships(self._reader, user.id, guild_ids)
        held = await repository.grants_of_many(self._reader, [guild.id for guild, _ in mine], user.id)
        found = {}
        for guild, member in mine:
            roles = held.get(guild.id, [])
            found[guild.id] = Standing(
                guild, user, member, roles, _permissions(guild.id, guild.owner_id, user.id, roles)
            )
        return found

    async def permissions_in(self, user: UserRow, guilds: list[GuildRow]) -> dict[int, int]:
        """The permissions of a member in each of their guilds."""
        held = await repository.grants_of_many(self._reader, [guild.id for guild in guilds], user.id)
        return {
            guild.id: _permissions(guild.id, guild.owner_id, user.id, held.get(guild.id, []))
            for guild in guilds
        }

    async def channel(
        self, user: UserRow, channel_id: int, reader: Reader | None = None, *, changing: bool = False
    ) -> ChannelStanding:
        """Raises UNKNOWN_CHANNEL, MISSING_ACCESS; `changing` a group one is not in is the latter."""
        source = reader or self._reader
        found = await repository.place(source, channel_id, user.id)
        if found is None:
            raise faults.UNKNOWN_CHANNEL()
        channel, guild, member = found
        if channel.guild_id is None:
            recipients = await repository.recipients(source, channel_id)
            if user.id not in recipients:
                group = changing and channel.type == GROUP_DM
                raise faults.MISSING_ACCESS() if group else faults.UNKNOWN_CHANNEL()
            return ChannelStanding(channel, user, rules.ALL, None, [], recipients)
        if guild is None:
            # A guild that is being deleted takes its channel with it.
            raise faults.UNKNOWN_CHANNEL()
        if member is None:
            raise faults.MISSING_ACCESS()
        held, overwrites = await repository.grants_and_overwrites(source, guild.id, user.id, channel_id)
        standing = Standing(guild, user, member, held, _permissions(guild.id, guild.owner_id, user.id, held))
        permissions = rules.in_channel(
            standing.permissions, overwrites, guild_id=guild.id, user_id=user.id, role_ids=standing.role_ids
        )
        if not permissions & rules.VIEW_CHANNEL:
            raise faults.MISSING_ACCESS()
        return ChannelStanding(channel, user, permissions, standing, overwrites, [])

    async def access(self, user: UserRow, channel_id: int) -> Access:
        """What `channel` finds of somebody who only reads, and who is refused in the same cases."""
        key = (user.id, channel_id)
        found = self._accesses.get(key)
        if found is None:
            turn = self._accesses.turn
            found = await self._access(*key)
            self._accesses.put(key, found, turn)
        return found

    async def _access(self, user_id: int, channel_id: int) -> Access:
        door = await repository.door(self._reader, channel_id, user_id)
        if door is None:
            raise faults.UNKNOWN_CHANNEL()
        if door.guild_id is None:
            if user_id not in await repository.recipients(self._reader, channel_id):
                raise faults.UNKNOWN_CHANNEL()
            return Access(rules.ALL)
        if door.owner_id is None:
            raise faults.UNKNOWN_CHANNEL()
        if door.member is None:
            raise faults.MISSING_ACCESS()
        held, overwrites = await repository.grants_and_overwrites(
            self._reader, door.guild_id, user_id, channel_id
        )
        permissions = rules.in_channel(
            _permissions(door.guild_id, door.owner_id, user_id, held), overwrites, guild_id=door.guild_id,
            user_id=user_id, role_ids=[role.id for role in held if role.id != door.guild_id],
        )  # fmt: skip
        if not permissions & rules.VIEW_CHANNEL:
            raise faults.MISSING_ACCESS()
        return Access(permissions, door.history_cutoff)

    async def position_of(self, guild: GuildRow, user_id: int, reader: Reader | None = None) -> int:
        """The highest role position of a member. Raises UNKNOWN_MEMBER."""
        source = reader or self._reader
        if await repository.member(source, guild.id, user_id) is None:
            raise faults.UNKNOWN_MEMBER()
        return highest(await repository.grants(source, guild.id, user_id), guild.id)

    async def is_member(self, guild_id: int, user_id: int, reader: Reader | None = None) -> bool:
        return await repository.member(reader or self._reader, guild_id, user_id) is not None

    async def owns_guilds(self, reader: Reader, user_id: int) -> bool:
        return await repository.owns_guilds(reader, user_id)

    async def find_guild(self, guild_id: int, reader: Reader | None = None) -> GuildRow | None:
        return await repository.guild(reader or self._reader, guild_id)

    async def find_guilds(self, guild_ids: list[int]) -> list[GuildRow]:
        return await repository.guilds(self._reader, guild_ids)

    async def find_channel(self, channel_id: int, reader: Reader | None = None) -> ChannelRow | None:
        return await repository.channel(reader or self._reader, channel_id)


def _permissions(guild_id: int, owner_id: int, user_id: int, held: list[RoleGrant]) -> int:
    everyone = next((role.permissions for role in held if role.id == guild_id), 0)
    others = (role.permissions for role in held if role.id != guild_id)
    return rules.in_guild(owner=owner_id == user_id, everyone=everyone, roles=others)
