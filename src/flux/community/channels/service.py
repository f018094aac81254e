"""Reading, creating, changing and deleting channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.channels import repository
from flux.community.channels.overwrites import Overwrites
from flux.community.channels.private import PrivateChannels
from flux.community.channels.rules import CREATABLE, DEFAULT_BITRATE, FIELDS, NOTED, visible
from flux.community.channels.schemas import ChannelCreate, ChannelUpdate, ChannelView
from flux.community.envelope import invalid
from flux.community.inputs import filled
from flux.community.standing import records, rules
from flux.community.standing.records import ChannelRow
from flux.community.standing.service import ChannelStanding, Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.voice.service import RegionService
from flux.kernel.store import Clock, Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits


class ChannelService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Snowflakes,
        where: StandingService,
        private: PrivateChannels,
        overwrites: Overwrites,
        regions: RegionService,
        audit: AuditService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._where = where
        self._private = private
        self._overwrites = overwrites
        self._regions = regions
        self._audit = audit
        self._announcer = announcer
        self._limits = limits

    # -- reading ----------------------------------------------------------------------------------------------

    async def read(self, user: UserRow, channel_id: int) -> ChannelView:
        return await self.view(await self._where.channel(user, channel_id))

    async def view(self, standing: ChannelStanding, reader: Reader | None = None) -> ChannelView:
        """As the caller sees it: a conversation shows the other people."""
        if standing.guild is None:
            return await self._private.view(reader or self._db, standing.channel, standing.user.id)
        return ChannelView.of(standing.channel, standing.overwrites)

    async def listing(self, user: UserRow, guild_id: int) -> list[ChannelView]:
        return await self.visible(await self._where.guild(user, guild_id))

    async def visible(self, standing: Standing, reader: Reader | None = None) -> list[ChannelView]:
        """The guild's channels that the member sees, in order."""
        source = reader or self._db
        rows = await repository.list_channels(source, standing.guild.id)
        overwrites = await repository.overwrites_of(source, [row.id for row in rows])
        mine = standing.role_ids
        return [
            ChannelView.of(row, overwrites.get(row.id, ()))
            for row in rows
            if visible(row, overwrites.get(row.id, ()), standing.permissions, standing.user.id, mine)
        ]

    async def visible_in(self, standings: Mapping[int, Standing]) -> dict[int, list[ChannelView]]:
        """The same in several guilds; by guild."""
        rows = await repository.list_many(self._db, list(standings))
        overwrites = await repository.overwrites_of(self._db, [row.id for row in rows])
        mine = {guild_id: standing.role_ids for guild_id, standing in standings.items()}
        found: dict[int, list[ChannelView]] = {guild_id: [] for guild_id in standings}
        for row in rows:
            assert row.guild_id is not None
            standing, over = standings[row.guild_id], overwrites.get(row.id, ())
            if visible(row, over, standing.permissions, standing.user.id, mine[row.guild_id]):
                found[row.guild_id].append(ChannelView.of(row, over))
        return found

    async def all(self, guild_id: int, reader: Reader | None = None) -> list[ChannelView]:
        source = reader or self._db
        rows = await repository.list_channels(source, guild_id)
        overwrites = await repository.overwrites_of(source, [row.id for row in rows])
        return [ChannelView.of(row, overwrites.get(row.id, ())) for row in rows]

    async def all_in(self, guild_ids: list[int]) -> dict[int, list[ChannelView]]:
        """The same of several guilds; by guild."""
        rows = await repository.list_many(self._db, guild_ids)
        overwrites = await repository.overwrites_of(self._db, [row.id for row in rows])
        found: dict[int, list[ChannelView]] = {guild_id: [] for guild_id in guild_ids}
        for row in rows:
            assert row.guild_id is not None
            found[row.guild_id].append(ChannelView.of(row, overwrites.get(row.id, ())))
        return found

    # -- creating ---------------------------------------------------------------------------------------------

    async def make_defaults(self, tx: Transaction, guild_id: int) -> int:
        """What a new guild begins with: a text and a voice channel, each in a category; the text channel's id."""
        general = 0
        plan = (("Text Channels", records.TEXT, "general"), ("Voice Channels", records.VOICE, "General"))
        for position, (category, kind, name) in enumerate(plan):
            parent = await self._insert(tx, guild_id, records.CATEGORY, category, position * 2)
            made = await self._insert(tx, guild_id, kind, name, position * 2 + 1, parent_id=parent)
            general = general or made
        return general

    async def create(
        self, user: UserRow, guild_id: int, body: ChannelCreate, reason: str | None = None
    ) -> ChannelView:
        """Raises INVALID_CHANNEL_TYPE, MAX_GUILD_CHANNELS, MAX_CATEGORY_CHANNELS, MISSING_PERMISSIONS …"""

        async def work(tx: Transaction) -> ChannelView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(rules.MANAGE_CHANNELS)
            if body.type not in CREATABLE:
                raise faults.INVALID_CHANNEL_TYPE()
            await self._where.guild_turn(tx, guild_id)
            if await repository.count(tx, guild_id) >= self._limits.max_guild_channels:
                raise faults.MAX_GUILD_CHANNELS(max=self._limits.max_guild_channels)
            parent = await self._parent(tx, guild_id, body.type, body.parent_id)
            kept = FIELDS[body.type] - {"parent_id", "position", "rtc_region"}
            values = {
                name: value for name, value in filled(body).items() if name in kept and value is not None
            }
            position = await repository.last_position(tx, guild_id) + 1
            channel_id = await self._insert(
                tx, guild_id, body.type, position=position, parent_id=parent, **values
            )
            await self._set_overwrites(tx, standing, channel_id, parent, body)
            view = await self._view(tx, channel_id)
            self._announcer.guild(tx, guild_id, "CHANNEL_CREATE", view, channel_id=channel_id)
            made = await repository.find(tx, channel_id)
            await self._note(tx, actions.CHANNEL_CREATE, user, None, made, reason)
            return view

        return await self._db.transact(work)

    async def _note(
        self,
        tx: Transaction,
        action: int,
        user: UserRow,
        before: ChannelRow | None,
        after: ChannelRow | None,
        reason: str | None,
    ) -> None:
        """In the guild's audit log, if anything is not as it was."""
        row = after or before
        if row is None or row.guild_id is None:
            return
        old, new = ({} if each is None else actions.of(each, NOTED) for each in (before, after))
        if differences := actions.changes(old, new):
            await self._audit.record(
                tx, row.guild_id, action, user.id, row.id, reason=reason, changes=differences
            )

    async def _set_overwrites(
        self, tx: Transaction, standing: Standing, channel_id: int, parent: int | None, body: ChannelCreate
    ) -> None:
        """Those sent, else a copy of the category's."""
        if body.permission_overwrites:
            await self._overwrites.replace(
                tx, standing, standing.permissions, channel_id, body.permission_overwrites
            )
        elif parent is not None:
            for row in (await repository.overwrites_of(tx, [parent])).get(parent, ()):
                await repository.put_overwrite(tx, channel_id, row.target_id, row.kind, row.allow, row.deny)

    async def _insert(
        self, tx: Transaction, guild_id: int, kind: int, name: str = "", position: int = 0, **more: Any
    ) -> int:
        channel_id = self._ids.next()
        values: dict[str, Any] = {
            "id": channel_id,
            "guild_id": guild_id,
            "type": kind,
            "name": name,
            "topic": None,
            "url": None,
            "owner_id": None,
            "position": position,
            "parent_id": None,
            "nsfw": 0,
            "rate_limit_per_user": 0,
            "bitrate": DEFAULT_BITRATE if kind == records.VOICE else None,
            "user_limit": 0 if kind == records.VOICE else None,
            "created_at": self._clock.now_ms(),
        }
        values |= {key: int(value) if isinstance(value, int) else value for key, value in more.items()}
        await repository.insert(tx, values)
        return channel_id

    async def _parent(self, tx: Transaction, guild_id: int, kind: int, parent_id: Any) -> int | None:
        """The category to stand in. Raises MAX_CATEGORY_CHANNELS, a validation failure on `parent_id`."""
        if not isinstance(parent_id, int) or kind == records.CATEGORY:
            return None
        parent = await repository.find(tx, parent_id)
        if parent is None or parent.guild_id != guild_id or parent.type != records.CATEGORY:
            raise invalid("parent_id", "Expected a category of this guild.", "INVALID_PARENT")
        if await repository.count_children(tx, parent_id) >= self._limits.max_category_channels:
            raise faults.MAX_CATEGORY_CHANNELS(max=self._limits.max_category_channels)
        return int(parent_id)

    # -- changing ---------------------------------------------------------------------------------------------

    async def update(
        self, user: UserRow, channel_id: int, body: ChannelUpdate, reason: str | None = None
    ) -> ChannelView:
        """A guild's channel. Raises INVALID_CHANNEL_TYPE, MAX_CATEGORY_CHANNELS, MISSING_PERMISSIONS …"""

        async def work(tx: Transaction) -> ChannelView:
            standing = await self._where.channel(user, channel_id, tx)
            channel = standing.channel
            if channel.guild_id is None or standing.guild is None:
                raise faults.INVALID_CHANNEL_TYPE()
            if isinstance(body.parent_id, int):
                await self._where.guild_turn(tx, channel.guild_id)
            values = await self._allowed_changes(tx, standing, channel.guild_id, body)
            if body.permission_overwrites:
                standing.need(rules.MANAGE_ROLES)
                await self._where.channel_turn(tx, channel_id)
                await self._overwrites.replace(
                    tx, standing.guild, standing.permissions, channel_id, body.permission_overwrites
                )
            await repository.update(tx, channel_id, values)
            changed = await repository.find(tx, channel_id)
            await self._note(tx, actions.CHANNEL_UPDATE, user, channel, changed, reason)
            return await self._announce(tx, channel.guild_id, channel_id)

        return await self._db.transact(work)

    async def _allowed_changes(
        self, tx: Transaction, standing: ChannelStanding, guild_id: int, body: ChannelUpdate
    ) -> dict[str, Any]:
        channel, sent = standing.channel, filled(body)
        values = {name: value for name, value in sent.items() if name in FIELDS[channel.type]}
        plain = values.keys() - {"rtc_region"}
        if plain or not (values or body.permission_overwrites):
            standing.need(rules.MANAGE_CHANNELS)
        if "rtc_region" in values:
            standing.need(rules.UPDATE_RTC_REGION)
            if values["rtc_region"] is not None:
                self._regions.demand(values["rtc_region"])
        if values.get("name", "") is None:
            raise invalid("name", "Expected a string.", "INVALID_TYPE")
        if "parent_id" in values and values["parent_id"] != channel.parent_id:
            values["parent_id"] = await self._parent(tx, guild_id, channel.type, values["parent_id"])
        for name in ("nsfw", "rate_limit_per_user"):
            if name in values:
                values[name] = int(values[name] or 0)
        return values

    async def delete(self, user: UserRow, channel_id: int, reason: str | None = None) -> None:
        """A guild's channel, for good. Raises CANNOT_EXECUTE_ON_DM."""

        async def work(tx: Transaction) -> None:
            standing = await self._where.channel(user, channel_id, tx)
            channel = standing.channel
            if channel.guild_id is None:
                raise faults.CANNOT_EXECUTE_ON_DM()
            standing.need(rules.MANAGE_CHANNELS)
            orphans = await repository.children(tx, channel_id)
            view = await self.view(standing, tx)
            for code in await repository.invites(tx, channel_id):
                gone = {"code": code, "channel_id": str(channel_id), "guild_id": str(channel.guild_id)}
                self._announcer.guild(
                    tx,
                    channel.guild_id,
                    "INVITE_DELETE",
                    gone,
                    channel_id=channel_id,
                    needs=rules.MANAGE_GUILD,
                )
            await repository.delete(tx, channel.guild_id, channel_id)
            await self._note(tx, actions.CHANNEL_DELETE, user, channel, None, reason)
            self._announcer.guild(tx, channel.guild_id, "CHANNEL_DELETE", view, channel_id=channel_id)
            if orphans:
                views = [await self._view(tx, row.id) for row in orphans]
                told = {"guild_id": str(channel.guild_id), "channels": views}
                self._announcer.guild(tx, channel.guild_id, "CHANNEL_UPDATE_BULK", told)

        await self._db.transact(work)

    # -- overwrites -------------------------------------------------------------------------------------------

    async def put_overwrite(
        self,
        user: UserRow,
        channel_id: int,
        target_id: int,
        kind: int,
        allow: int,
        deny: int,
        reason: str | None = None,
    ) -> None:
        async def work(tx: Transaction) -> None:
            standing, guild = await self._demand_overwriter(tx, user, channel_id)
            await self._where.channel_turn(tx, channel_id)
            await self._overwrites.demand_room(tx, channel_id, target_id)
            await self._overwrites.put(
                tx, guild, standing.permissions, channel_id, target_id, kind, allow, deny
            )
            await self._note_overwrite(tx, standing, target_id, reason)
            await self._announce(tx, guild.guild.id, channel_id)

        await self._db.transact(work)

    async def drop_overwrite(
        self, user: UserRow, channel_id: int, target_id: int, reason: str | None = None
    ) -> None:
        async def work(tx: Transaction) -> None:
            standing, guild = await self._demand_overwriter(tx, user, channel_id)
            await repository.drop_overwrite(tx, channel_id, target_id)
            await self._note_overwrite(tx, standing, target_id, reason)
            await self._announce(tx, guild.guild.id, channel_id)

        await self._db.transact(work)

    async def _demand_overwriter(
        self, tx: Transaction, user: UserRow, channel_id: int
    ) -> tuple[ChannelStanding, Standing]:
        standing = await self._where.channel(user, channel_id, tx)
        if standing.guild is None:
            raise faults.CANNOT_EXECUTE_ON_DM()
        standing.need(rules.MANAGE_ROLES)
        return standing, standing.guild

    async def _note_overwrite(
        self, tx: Transaction, standing: ChannelStanding, target_id: int, reason: str | None
    ) -> None:
        channel_id, guild_id = standing.channel.id, standing.channel.guild_id
        now = (await repository.overwrites_of(tx, [channel_id])).get(channel_id, ())
        before = next((each for each in standing.overwrites if each.target_id == target_id), None)
        after = next((each for each in now if each.target_id == target_id), None)
        old, new = ({} if each is None else actions.of(each, ("allow", "deny")) for each in (before, after))
        differences = actions.changes(old, new)
        if not differences or guild_id is None:
            return
        action = actions.CHANNEL_OVERWRITE_UPDATE
        if before is None or after is None:
            added = before is None
            action = actions.CHANNEL_OVERWRITE_CREATE if added else actions.CHANNEL_OVERWRITE_DELETE
        kind = (after or before).kind  # type: ignore[union-attr]
        await self._audit.record(
            tx, guild_id, action, standing.user.id, channel_id, reason=reason, changes=differences,
            id=str(target_id), type=kind,
        )  # fmt: skip

    # -- telling ----------------------------------------------------------------------------------------------

    async def _view(self, tx: Transaction, channel_id: int) -> ChannelView:
        row = await repository.find(tx, channel_id)
        assert row is not None
        overwrites = await repository.overwrites_of(tx, [row.id])
        return ChannelView.of(row, overwrites.get(row.id, ()))

    async def _announce(self, tx: Transaction, guild_id: int, channel_id: int) -> ChannelView:
        view = await self._view(tx, channel_id)
        self._announcer.guild(tx, guild_id, "CHANNEL_UPDATE", view, channel_id=channel_id)
        return view
