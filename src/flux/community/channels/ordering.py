"""Putting a guild's channels into another order, and under other categories."""

from __future__ import annotations

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.channels import repository
from flux.community.channels.rules import NOTED
from flux.community.channels.schemas import ChannelPlace, ChannelView
from flux.community.envelope import invalid
from flux.community.standing import records, rules
from flux.community.standing.records import ChannelRow
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database, Transaction
from flux.settings.community import CommunityLimits


class OrderingService:
    def __init__(
        self,
        db: Database,
        where: StandingService,
        audit: AuditService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._where = where
        self._audit = audit
        self._announcer = announcer
        self._limits = limits

    async def move(
        self, user: UserRow, guild_id: int, places: list[ChannelPlace], reason: str | None = None
    ) -> None:
        """All of them or none. Raises MISSING_PERMISSIONS, MAX_CATEGORY_CHANNELS, a validation failure for channels and
        categories that are not the guild's."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_CHANNELS)
            await self._where.guild_turn(tx, guild_id)
            rows = {row.id: row for row in await repository.list_channels(tx, guild_id)}
            for number, place in enumerate(places):
                await self._place(tx, rows, place, f"{number}")
            await self._demand_room(tx, {int(place.parent_id) for place in places if place.parent_id})
            changed = [int(place.id) for place in places]
            overwrites = await repository.overwrites_of(tx, changed)
            now = [row for row in await repository.list_channels(tx, guild_id) if row.id in changed]
            views = [ChannelView.of(row, overwrites.get(row.id, ())) for row in now]
            for row in now:
                await self._note(tx, user, rows[row.id], row, reason)
            told = {"guild_id": str(guild_id), "channels": views}
            self._announcer.guild(tx, guild_id, "CHANNEL_UPDATE_BULK", told)

        await self._db.transact(work)

    async def _note(
        self, tx: Transaction, user: UserRow, before: ChannelRow, after: ChannelRow, reason: str | None
    ) -> None:
        """In the guild's audit log, if it stands elsewhere now."""
        differences = actions.changes(actions.of(before, NOTED), actions.of(after, NOTED))
        if differences and after.guild_id is not None:
            await self._audit.record(
                tx,
                after.guild_id,
                actions.CHANNEL_UPDATE,
                user.id,
                after.id,
                reason=reason,
                changes=differences,
            )

    async def _place(
        self, tx: Transaction, rows: dict[int, ChannelRow], place: ChannelPlace, path: str
    ) -> None:
        row = rows.get(place.id)
        if row is None:
            raise invalid(f"{path}.id", "Expected a channel of this guild.", "INVALID_CHANNEL")
        values: dict[str, int | None] = {}
        if isinstance(place.position, int):
            values["position"] = place.position
        if place.parent_id is None:
            values["parent_id"] = None
        elif isinstance(place.parent_id, int):
            parent = rows.get(place.parent_id)
            if parent is None or parent.type != records.CATEGORY or row.type == records.CATEGORY:
                raise invalid(f"{path}.parent_id", "Expected a category of this guild.", "INVALID_PARENT")
            values["parent_id"] = parent.id
            if place.lock_permissions:
                await self._copy_overwrites(tx, parent.id, row.id)
        await repository.update(tx, row.id, values)

    async def _copy_overwrites(self, tx: Transaction, source: int, target: int) -> None:
        await repository.drop_overwrites(tx, target)
        for each in (await repository.overwrites_of(tx, [source])).get(source, ()):
            await repository.put_overwrite(tx, target, each.target_id, each.kind, each.allow, each.deny)

    async def _demand_room(self, tx: Transaction, parents: set[int]) -> None:
        most = self._limits.max_category_channels
        for parent in parents:
            if await repository.count_children(tx, parent) > most:
                raise faults.MAX_CATEGORY_CHANNELS(max=most)
