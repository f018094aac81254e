"""Making, changing and deleting roles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.envelope import invalid
from flux.community.inputs import filled
from flux.community.roles import repository
from flux.community.roles.schemas import RoleCreate, RolePosition, RoleUpdate, RoleView
from flux.community.standing import rules
from flux.community.standing.records import RoleRow
from flux.community.standing.service import Standing, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits

_NOTED = ("name", "color", "hoist", "mentionable", "permissions", "position", "hoist_position")

Lost = Callable[[Transaction, int, list[int]], Awaitable[None]]
"""Of a guild, those who lost a role."""


class RoleService:
    def __init__(
        self,
        db: Database,
        ids: Snowflakes,
        where: StandingService,
        audit: AuditService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._ids = ids
        self._where = where
        self._audit = audit
        self._announcer = announcer
        self._limits = limits
        self.on_lost: list[Lost] = []
        """Called in the unit that deletes a role, with those who had it, unless they are very many."""

    async def all(self, guild_id: int, reader: Reader | None = None) -> list[RoleRow]:
        return await repository.list_roles(reader or self._db, guild_id)

    async def of_many(self, guild_ids: list[int]) -> dict[int, list[RoleRow]]:
        """By guild."""
        found: dict[int, list[RoleRow]] = {guild_id: [] for guild_id in guild_ids}
        for row in await repository.list_many(self._db, guild_ids):
            found[row.guild_id].append(row)
        return found

    async def find(self, guild_id: int, role_id: int, reader: Reader | None = None) -> RoleRow:
        """Raises UNKNOWN_ROLE."""
        row = await repository.find(reader or self._db, guild_id, role_id)
        if row is None:
            raise faults.UNKNOWN_ROLE()
        return row

    async def listing(self, user: UserRow, guild_id: int) -> list[RoleView]:
        await self._where.guild(user, guild_id)
        return [RoleView.of(row) for row in await self.all(guild_id)]

    async def make_everyone(self, tx: Transaction, guild_id: int) -> None:
        """The role every member holds; its id is the guild's."""
        values = {"id": guild_id, "guild_id": guild_id, "name": "@everyone", "position": 0}
        values |= {"color": 0, "hoist": 0, "mentionable": 0, "permissions": rules.EVERYONE_DEFAULT}
        await repository.insert(tx, values)

    async def make(self, tx: Transaction, guild_id: int, name: str, permissions: int, **more: Any) -> RoleRow:
        """A role just above @everyone, in the caller's unit. Raises MAX_GUILD_ROLES."""
        await self._where.guild_turn(tx, guild_id)
        if await repository.count(tx, guild_id) >= self._limits.max_guild_roles:
            raise faults.MAX_GUILD_ROLES(max=self._limits.max_guild_roles)
        moved = await repository.make_room(tx, guild_id, 1)
        role_id = self._ids.next()
        values = {"id": role_id, "guild_id": guild_id, "name": name, "position": 1}
        values |= {"color": 0, "hoist": 0, "mentionable": 0, "permissions": permissions & rules.ALL, **more}
        await repository.insert(tx, values)
        row = await self.find(guild_id, role_id, tx)
        told = {"guild_id": str(guild_id), "role": RoleView.of(row)}
        self._announcer.guild(tx, guild_id, "GUILD_ROLE_CREATE", told)
        if moved:
            await self._announce_all(tx, guild_id)
        return row

    async def create(
        self, user: UserRow, guild_id: int, body: RoleCreate, reason: str | None = None
    ) -> RoleView:
        async def work(tx: Transaction) -> RoleView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            permissions = 0 if body.permissions is None or not body.permissions else int(body.permissions)
            _may_grant(standing, permissions)
            more = {
                "color": body.color or 0,
                "hoist": int(bool(body.hoist)),
                "mentionable": int(bool(body.mentionable)),
            }
            row = await self.make(tx, guild_id, body.name, permissions, **more)
            await self._note(tx, actions.ROLE_CREATE, standing, None, row, reason)
            return RoleView.of(row)

        return await self._db.transact(work)

    async def _note(
        self,
        tx: Transaction,
        action: int,
        standing: Standing,
        before: RoleRow | None,
        after: RoleRow | None,
        reason: str | None,
    ) -> None:
        """In the audit log, if anything is not as it was."""
        row = after or before
        assert row is not None
        old, new = ({} if each is None else actions.of(each, _NOTED) for each in (before, after))
        if differences := actions.changes(old, new):
            await self._audit.record(
                tx,
                row.guild_id,
                action,
                standing.user.id,
                row.id,
                reason=reason,
                changes=differences,
                role_name=row.name,
            )

    async def update(
        self, user: UserRow, guild_id: int, role_id: int, body: RoleUpdate, reason: str | None = None
    ) -> RoleView:
        async def work(tx: Transaction) -> RoleView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            row = await self.find(guild_id, role_id, tx)
            _outranks(standing, row)
            values = filled(body)
            if "permissions" in values:
                values["permissions"] = int(values["permissions"]) & rules.ALL
                _may_grant(standing, values["permissions"] & ~row.permissions)
            if role_id == guild_id:
                values.pop("name", None)
            for name in ("hoist", "mentionable"):
                if name in values:
                    values[name] = int(values[name])
            await repository.update(tx, guild_id, role_id, values)
            changed = await self.find(guild_id, role_id, tx)
            await self._note(tx, actions.ROLE_UPDATE, standing, row, changed, reason)
            view = RoleView.of(changed)
            self._announcer.guild(
                tx, guild_id, "GUILD_ROLE_UPDATE", {"guild_id": str(guild_id), "role": view}
            )
            return view

        return await self._db.transact(work)

    async def delete(self, user: UserRow, guild_id: int, role_id: int, reason: str | None = None) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            row = await self.find(guild_id, role_id, tx)
            if role_id == guild_id:
                raise invalid("role_id", "@everyone cannot be deleted.", "CANNOT_DELETE_EVERYONE")
            _outranks(standing, row)
            holders = await self._holders(tx, role_id)
            await repository.delete(tx, guild_id, role_id)
            await self._note(tx, actions.ROLE_DELETE, standing, row, None, reason)
            told = {"guild_id": str(guild_id), "role_id": str(role_id)}
            self._announcer.guild(tx, guild_id, "GUILD_ROLE_DELETE", told)
            for tell in self.on_lost:
                await tell(tx, guild_id, holders)

        await self._db.transact(work)

    async def _holders(self, tx: Transaction, role_id: int) -> list[int]:
        """Nobody when they are too many to be told of one by one."""
        most = self._limits.role_losses_told
        found = await repository.holders(tx, role_id, most + 1)
        return found if len(found) <= most else []

    async def move(
        self, user: UserRow, guild_id: int, body: list[RolePosition], reason: str | None = None
    ) -> None:
        """Raises UNKNOWN_ROLE, MISSING_PERMISSIONS when a role or its new place is not below the caller's highest."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            rows = {row.id: row for row in await self.all(guild_id, tx)}
            order = [
                row.id
                for row in sorted(rows.values(), key=lambda row: (row.position, row.id))
                if row.id != guild_id
            ]
            for item in body:
                if item.id not in rows or item.id == guild_id:
                    raise faults.UNKNOWN_ROLE()
                if not isinstance(item.position, int):
                    continue
                target = max(1, min(item.position, len(order)))
                if not (standing.outranks_role(rows[item.id].position) and standing.outranks_role(target)):
                    raise faults.MISSING_PERMISSIONS()
                order.remove(item.id)
                order.insert(target - 1, int(item.id))
            await repository.move(tx, guild_id, {role: at for at, role in enumerate(order, start=1)})
            await self._note_all(tx, standing, rows, {int(item.id) for item in body}, reason)
            await self._announce_all(tx, guild_id)

        await self._db.transact(work, serializable=True)

    async def hoist(
        self, user: UserRow, guild_id: int, positions: dict[int, int] | None, reason: str | None = None
    ) -> None:
        """In which order hoisted roles are shown; None for the order of the roles. Raises UNKNOWN_ROLE."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_ROLES)
            rows = {row.id: row for row in await self.all(guild_id, tx)}
            if positions is not None and positions.keys() - rows.keys():
                raise faults.UNKNOWN_ROLE()
            await repository.hoist(tx, guild_id, positions)
            await self._note_all(tx, standing, rows, set(rows), reason)
            await self._announce_all(tx, guild_id)

        await self._db.transact(work)

    async def _note_all(
        self,
        tx: Transaction,
        standing: Standing,
        before: dict[int, RoleRow],
        role_ids: set[int],
        reason: str | None,
    ) -> None:
        """Those of the roles that are not where they were."""
        for row in await self.all(standing.guild.id, tx):
            if row.id in role_ids:
                await self._note(tx, actions.ROLE_UPDATE, standing, before[row.id], row, reason)

    async def _announce_all(self, tx: Transaction, guild_id: int) -> None:
        roles = [RoleView.of(row) for row in await self.all(guild_id, tx)]
        told = {"guild_id": str(guild_id), "roles": roles}
        self._announcer.guild(tx, guild_id, "GUILD_ROLE_UPDATE_BULK", told)


def _may_grant(standing: Standing, permissions: int) -> None:
    if not standing.owner and not rules.may_grant(permissions, standing.permissions):
        raise faults.MISSING_PERMISSIONS()


def _outranks(standing: Standing, row: RoleRow) -> None:
    """@everyone may be changed by whoever may manage roles."""
    if row.id != standing.guild.id and not standing.outranks_role(row.position):
        raise faults.MISSING_PERMISSIONS()
