"""Reading and changing members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.envelope import invalid
from flux.community.inputs import filled, unix_ms
from flux.community.media.rules import MEMBER_AVATAR, MEMBER_BANNER
from flux.community.media.service import AssetService
from flux.community.members import repository
from flux.community.members.joining import Joining
from flux.community.members.schemas import PROFILE_FLAGS, MemberView, OwnMemberUpdate
from flux.community.roles.service import RoleService
from flux.community.standing import rules
from flux.community.standing.records import MemberRow
from flux.community.standing.service import Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Reader, Transaction, iso
from flux.settings.community import CommunityLimits

PAGE = 1000
_IMAGES = {"avatar": MEMBER_AVATAR, "banner": MEMBER_BANNER}
_APPEARANCE = frozenset({*_IMAGES, "bio", "pronouns", "accent_color", "profile_flags"})


class MemberService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        roles: RoleService,
        joining: Joining,
        audit: AuditService,
        assets: AssetService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._roles = roles
        self._joining = joining
        self._audit = audit
        self._assets = assets
        self._announcer = announcer
        self._limits = limits
        roles.on_lost.append(self._announce_many)

    # -- reading ----------------------------------------------------------------------------------------------

    async def read(self, user: UserRow, guild_id: int, member_id: int) -> MemberView:
        """Raises UNKNOWN_MEMBER."""
        await self._where.guild(user, guild_id)
        return await self.view(guild_id, member_id)

    async def listing(self, user: UserRow, guild_id: int, after: int, limit: int) -> list[MemberView]:
        """By ascending user id."""
        await self._where.guild(user, guild_id)
        rows = await repository.page(self._db, guild_id, after, limit)
        return await self.views(guild_id, rows, self._db)

    async def view(self, guild_id: int, user_id: int, reader: Reader | None = None) -> MemberView:
        """Raises UNKNOWN_MEMBER."""
        source = reader or self._db
        row = await repository.find(source, guild_id, user_id)
        if row is None:
            raise faults.UNKNOWN_MEMBER()
        return (await self.views(guild_id, [row], source))[0]

    async def views(self, guild_id: int, rows: Iterable[MemberRow], reader: Reader) -> list[MemberView]:
        found = list(rows)
        people = await self._users.find_many((row.user_id for row in found), reader)
        roles = await repository.roles_of(reader, guild_id, people)
        return [
            MemberView.of(row, people[row.user_id], roles.get(row.user_id, ()))
            for row in found
            if row.user_id in people
        ]

    async def some(self, guild_id: int, user_ids: Iterable[int]) -> list[MemberView]:
        """Those of them who are members."""
        rows = await repository.some(self._db, guild_id, list(user_ids))
        return await self.views(guild_id, rows, self._db)

    async def every(self, guild_id: int) -> list[MemberView]:
        views: list[MemberView] = []
        after = 0
        while rows := await repository.page(self._db, guild_id, after, PAGE):
            views += await self.views(guild_id, rows, self._db)
            after = rows[-1].user_id
        return views

    async def matching(self, guild_id: int, prefix: str, limit: int) -> list[MemberView]:
        """Whose nickname, global name or username begins with `prefix`, whatever its case."""
        rows = await repository.matching(self._db, guild_id, prefix.casefold(), limit)
        return await self.views(guild_id, rows, self._db)

    async def guild_ids(self, user_id: int, reader: Reader | None = None) -> list[int]:
        return await repository.guild_ids(reader or self._db, user_id)

    async def row(self, guild_id: int, user_id: int) -> MemberRow | None:
        return await repository.find(self._db, guild_id, user_id)

    async def nicks(self, user_id: int, guild_ids: Iterable[int]) -> dict[int, str | None]:
        """What they are called in those of the guilds that they are in."""
        rows = [await repository.find(self._db, guild_id, user_id) for guild_id in guild_ids]
        return {row.guild_id: row.nick for row in rows if row is not None}

    async def role_ids(self, user_id: int) -> list[int]:
        """The roles they hold, in every guild."""
        return await repository.role_ids(self._db, user_id)

    async def in_common(self, one: int, other: int, reader: Reader) -> list[int]:
        return await repository.in_common(reader, one, other)

    async def roles_held(self, guild_id: int, user_ids: Iterable[int]) -> dict[int, list[int]]:
        return await repository.roles_of(self._db, guild_id, user_ids)

    # -- changing ---------------------------------------------------------------------------------------------

    async def roles_in(self, user_id: int, guild_ids: list[int]) -> dict[int, list[int]]:
        """Role ids by guild, an empty list without any; guilds the user is not in are absent."""
        return await repository.roles_in(self._db, user_id, guild_ids)

    async def _appearance(
        self, user: UserRow, guild_id: int, member_id: int, body: OwnMemberUpdate
    ) -> dict[str, Any]:
        """How a member is to look. Raises MISSING_PERMISSIONS for anybody but oneself, and what images raise."""
        values = {name: value for name, value in filled(body).items() if name in _APPEARANCE}
        if not values:
            return values
        await self._where.guild(user, guild_id)
        if member_id != user.id:
            raise faults.MISSING_PERMISSIONS()
        for name, use in _IMAGES.items():
            if name in values:
                values[name] = await self._assets.hash(use, user.id, values[name], name)
        if values.get("profile_flags") is not None:
            values["profile_flags"] &= PROFILE_FLAGS
        return values

    async def update(
        self, user: UserRow, guild_id: int, member_id: int, body: OwnMemberUpdate, reason: str | None = None
    ) -> MemberView:
        """A `MemberUpdate` where roles may change, too. Raises UNKNOWN_MEMBER, UNKNOWN_ROLE, MISSING_PERMISSIONS, USER_NOT_IN_VOICE, CANNOT_MODIFY_VOICE_STATE."""
        appearance = await self._appearance(user, guild_id, member_id, body)

        async def work(tx: Transaction) -> MemberView:
            standing = await self._where.guild(user, guild_id, tx)
            position = await self._where.position_of(standing.guild, member_id, tx)
            above = member_id == user.id or standing.outranks_member(member_id, position)
            sent = filled(body)
            self._voice(standing, sent, above)
            values = dict(appearance)
            if "nick" in sent:
                standing.need(rules.CHANGE_NICKNAME if member_id == user.id else rules.MANAGE_NICKNAMES)
                values["nick"] = sent["nick"] or None
            if "communication_disabled_until" in sent:
                values["timed_out_until"] = await self._timeout(tx, standing, member_id, sent)
            if (values or "roles" in sent) and not above:
                raise faults.MISSING_PERMISSIONS()
            if "roles" in sent:
                await self._set_roles(tx, standing, member_id, sent["roles"], reason)
            before = await repository.find(tx, guild_id, member_id)
            await repository.update(tx, guild_id, member_id, values)
            after = await repository.find(tx, guild_id, member_id)
            if differences := actions.changes(_noted(before), _noted(after)):
                await self._audit.record(
                    tx, guild_id, actions.MEMBER_UPDATE, user.id, member_id,
                    reason=reason or sent.get("timeout_reason"), changes=differences,
                )  # fmt: skip
            return await self._announce(tx, guild_id, member_id)

        return await self._db.transact(work)

    def _voice(self, standing: Standing, sent: dict[str, Any], above: bool) -> None:
        """Muting, deafening and moving work on members who are in voice, and nobody is."""
        asked = {"mute": rules.MUTE_MEMBERS, "deaf": rules.DEAFEN_MEMBERS, "channel_id": rules.MOVE_MEMBERS}
        wanted = [bit for name, bit in asked.items() if name in sent]
        for bit in wanted:
            standing.need(bit)
        if wanted and not above:
            raise faults.CANNOT_MODIFY_VOICE_STATE()
        if wanted:
            raise faults.USER_NOT_IN_VOICE()

    async def _timeout(
        self, tx: Transaction, standing: Standing, member_id: int, sent: dict[str, Any]
    ) -> int | None:
        standing.need(rules.MODERATE_MEMBERS)
        if member_id == standing.user.id:
            raise faults.MISSING_PERMISSIONS()
        until: datetime | None = sent["communication_disabled_until"]
        if until is None:
            return None
        target = await self._users.require(member_id, tx)
        if (await self._where.guild(target, standing.guild.id, tx)).permissions & rules.MODERATE_MEMBERS:
            raise faults.MISSING_PERMISSIONS()
        ms = unix_ms(until)
        if ms > self._clock.now_ms() + self._limits.timeout_seconds * 1000:
            raise invalid(
                "communication_disabled_until", "This is too far in the future.", "TIMEOUT_TOO_LONG"
            )
        return ms

    async def _set_roles(
        self, tx: Transaction, standing: Standing, member_id: int, wanted: list[int], reason: str | None
    ) -> None:
        standing.need(rules.MANAGE_ROLES)
        guild_id = standing.guild.id
        known = {row.id: row for row in await self._roles.all(guild_id, tx)}
        target = {int(role) for role in wanted if role != guild_id}
        held = set((await repository.roles_of(tx, guild_id, [member_id])).get(member_id, ()))
        for role_id in target | held:
            if role_id not in known:
                raise faults.UNKNOWN_ROLE()
            if role_id in target ^ held and not standing.outranks_role(known[role_id].position):
                raise faults.MISSING_PERMISSIONS()
        await repository.set_roles(tx, guild_id, member_id, target)
        await self._note_roles(tx, standing, member_id, target - held, held - target, reason)

    async def _note_roles(
        self,
        tx: Transaction,
        standing: Standing,
        member_id: int,
        added: set[int],
        removed: set[int],
        reason: str | None,
    ) -> None:
        if added or removed:
            told = {"added": sorted(map(str, added)), "removed": sorted(map(str, removed))}
            await self._audit.record(
                tx, standing.guild.id, actions.MEMBER_ROLE_UPDATE, standing.user.id, member_id, reason=reason,
                changes=[{"key": "roles", "new_value": told}],
            )  # fmt: skip

    async def give_role(self, tx: Transaction, guild_id: int, member_id: int, role_id: int) -> None:
        """In the caller's unit, without asking anybody's permissions."""
        await repository.add_role(tx, guild_id, member_id, role_id)
        await self._announce(tx, guild_id, member_id)

    async def change_role(
        self,
        user: UserRow,
        guild_id: int,
        member_id: int,
        role_id: int,
        *,
        add: bool,
        reason: str | None = None,
    ) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            if await repository.find(tx, guild_id, member_id) is None:
                raise faults.UNKNOWN_MEMBER()
            role = await self._roles.find(guild_id, role_id, tx)
            if role_id == guild_id or not standing.outranks_role(role.position):
                raise faults.MISSING_PERMISSIONS()
            held = (await repository.roles_of(tx, guild_id, [member_id])).get(member_id, ())
            change = repository.add_role if add else repository.drop_role
            await change(tx, guild_id, member_id, role_id)
            if add != (role_id in held):
                added, removed = ({int(role_id)}, set[int]()) if add else (set[int](), {int(role_id)})
                await self._note_roles(tx, standing, member_id, added, removed, reason)
            await self._announce(tx, guild_id, member_id)

        await self._db.transact(work)

    # -- going ------------------------------------------------------------------------------------------------

    async def kick(self, user: UserRow, guild_id: int, member_id: int, reason: str | None = None) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.KICK_MEMBERS)
            position = await self._where.position_of(standing.guild, member_id, tx)
            if not standing.outranks_member(member_id, position):
                raise faults.MISSING_PERMISSIONS()
            await self._joining.leave(tx, guild_id, await self._users.require(member_id, tx))
            await self._audit.record(tx, guild_id, actions.MEMBER_KICK, user.id, member_id, reason=reason)

        await self._db.transact(work)

    async def leave(self, user: UserRow, guild_id: int) -> None:
        """Raises a validation failure for the owner."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            if standing.owner:
                raise invalid(
                    "guild_id", "The owner cannot leave: transfer or delete the guild.", "OWNER_CANNOT_LEAVE"
                )
            await self._joining.leave(tx, guild_id, user)

        await self._db.transact(work)

    async def end_temporary(self, user_id: int) -> None:
        """The user's last connection is gone: memberships by temporary invites end, unless a role was given."""

        async def work(tx: Transaction) -> None:
            user = await self._users.find(user_id, tx)
            for guild_id in await repository.temporary_guilds(tx, user_id) if user else ():
                assert user is not None
                await self._joining.leave(tx, guild_id, user)

        await self._db.transact(work)

    async def reintroduce(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: somebody looks different now, and every guild they are in hears of it."""
        for guild_id in await repository.guild_ids(tx, user_id):
            await self._announce(tx, guild_id, user_id)

    async def _announce(self, tx: Transaction, guild_id: int, member_id: int) -> MemberView:
        view = await self.view(guild_id, member_id, tx)
        self._tell(tx, guild_id, view)
        return view

    async def _announce_many(self, tx: Transaction, guild_id: int, member_ids: list[int]) -> None:
        for view in await self.views(guild_id, await repository.some(tx, guild_id, member_ids), tx):
            self._tell(tx, guild_id, view)

    def _tell(self, tx: Transaction, guild_id: int, view: MemberView) -> None:
        told = {"guild_id": str(guild_id), **filled(view)}
        self._announcer.guild(tx, guild_id, "GUILD_MEMBER_UPDATE", told)


def _noted(row: MemberRow | None) -> dict[str, Any]:
    """What of a member stands in the audit log."""
    if row is None:
        return {}
    until = None if row.timed_out_until is None else iso(row.timed_out_until)
    return {"nick": row.nick, "communication_disabled_until": until}
