"""Changing a group: its name and icon, its owner, what its people are called in it."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.channels.private import PrivateChannels
from flux.community.channels.schemas import ChannelUpdate, ChannelView
from flux.community.envelope import invalid
from flux.community.inputs import filled
from flux.community.media.rules import ICON
from flux.community.media.service import AssetService
from flux.community.messages.records import CHANNEL_ICON_CHANGE, CHANNEL_NAME_CHANGE
from flux.community.messages.writing import Draft, Writing
from flux.community.standing import records
from flux.community.standing.records import ChannelRow
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database, Transaction

FIELDS = frozenset({"name", "icon", "owner_id"})
NOTES = (("name", CHANNEL_NAME_CHANGE), ("icon", CHANNEL_ICON_CHANGE))


class GroupService:
    def __init__(
        self,
        db: Database,
        where: StandingService,
        private: PrivateChannels,
        assets: AssetService,
        writing: Writing,
    ) -> None:
        self._db = db
        self._where = where
        self._private = private
        self._assets = assets
        self._writing = writing

    async def update(self, user: UserRow, channel_id: int, body: ChannelUpdate) -> ChannelView | None:
        """None for a guild's channel, which is not for this room. Anybody in the group may, but only its owner gives it
        away. Raises INVALID_CHANNEL_TYPE, MISSING_PERMISSIONS, and what an icon raises."""
        channel = (await self._where.channel(user, channel_id, changing=True)).channel
        if channel.guild_id is not None:
            return None
        if channel.type != records.GROUP_DM:
            raise faults.INVALID_CHANNEL_TYPE()
        values = {name: value for name, value in filled(body).items() if name in FIELDS}
        if "icon" in values:
            values["icon"] = await self._assets.hash(ICON, channel_id, values["icon"], "icon")

        async def work(tx: Transaction) -> ChannelView:
            standing = await self._where.channel(user, channel_id, tx, changing=True)
            _demand_heir(standing, values)
            await self._private.update(tx, channel_id, values)
            await self._call_by(tx, standing, body)
            changed = await self._where.find_channel(channel_id, tx)
            assert changed is not None
            await self._private.tell(tx, "CHANNEL_UPDATE", changed, standing.recipients)
            await self._note(tx, standing, changed)
            return await self._private.view(tx, changed, user.id)

        return await self._db.transact(work)

    async def _call_by(self, tx: Transaction, standing: ChannelStanding, body: ChannelUpdate) -> None:
        """Set what people are called; null for all of them takes every such name away."""
        people = {str(user_id): user_id for user_id in standing.recipients}
        nicks: dict[str, str | None] = {}
        if body.nicks is None:
            nicks = dict.fromkeys(people)
        elif isinstance(body.nicks, dict):
            nicks = body.nicks
        for stranger in nicks.keys() - people.keys():
            raise invalid(f"nicks.{stranger}", "Expected somebody of the group.", "INVALID_RECIPIENT")
        called = {people[each]: nick for each, nick in nicks.items()}
        await self._private.call_by(tx, standing.channel.id, called)

    async def _note(self, tx: Transaction, standing: ChannelStanding, changed: ChannelRow) -> None:
        """A message for each change that everybody should notice; a new name is its content."""
        for field, kind in NOTES:
            now = getattr(changed, field)
            if now != getattr(standing.channel, field):
                content = (now or "") if field == "name" else ""
                draft = Draft(standing.user.id, content, type=kind)
                await self._writing.write(tx, changed, draft, recipients=standing.recipients)


def _demand_heir(standing: ChannelStanding, values: dict[str, Any]) -> None:
    heir = values.get("owner_id", standing.channel.owner_id)
    if heir == standing.channel.owner_id:
        return
    if standing.channel.owner_id != standing.user.id:
        raise faults.MISSING_PERMISSIONS()
    if heir not in standing.recipients:
        raise invalid("owner_id", "Expected somebody of the group.", "INVALID_RECIPIENT")
