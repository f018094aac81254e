"""Private conversations as channels: making, opening, closing, and showing each person the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flux.community.announcing import Announcer
from flux.community.channels import private_repository as repository
from flux.community.channels import repository as channel_repository
from flux.community.channels.schemas import ChannelView
from flux.community.standing import records
from flux.community.standing.records import ChannelRow
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits


class PrivateChannels:
    """Everything but the listing happens in the caller's unit of work."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Snowflakes,
        users: UserService,
        where: StandingService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._users = users
        self._where = where
        self._announcer = announcer
        self._limits = limits

    async def listing(self, user_id: int) -> list[ChannelView]:
        """The open ones, one's own notes first."""
        rows = await repository.open_of(self._db, user_id)
        people_of = await repository.recipients_of(self._db, [row.id for row in rows])
        everybody = {each for people in people_of.values() for each in people}
        people = await self._users.find_many(everybody)
        nicks = await self._nicks(self._db, rows)
        return [
            self._view(row, people_of.get(row.id, ()), people, user_id, nicks.get(row.id, {})) for row in rows
        ]

    async def make_notes(self, tx: Transaction, user: UserRow) -> None:
        """The account's notes to itself, under its own id."""
        await self._insert(tx, records.NOTES, {user.id: True}, channel_id=user.id)

    async def direct(self, tx: Transaction, one: int, other: int) -> ChannelRow:
        """Open for `one`; the other sees it with the first message. Raises `UniqueViolation` when both begin at once."""
        known = await repository.pair(tx, one, other)
        if known is None:
            known = await self._insert(tx, records.DM, {one: True, other: False})
            await repository.add_pair(tx, one, other, known)
        await self._open(tx, known, one)
        return await self._require(tx, known)

    async def group(self, tx: Transaction, owner_id: int, others: Iterable[int]) -> ChannelRow:
        people = {owner_id: True, **dict.fromkeys(others, True)}
        return await self._require(tx, await self._insert(tx, records.GROUP_DM, people, owner_id=owner_id))

    async def count_groups(self, reader: Reader, user_id: int) -> int:
        return await repository.count_of_type(reader, user_id, records.GROUP_DM)

    async def close(self, tx: Transaction, channel: ChannelRow, user_id: int) -> None:
        await repository.set_open(tx, channel.id, user_id, is_open=False)
        self._tell_gone(tx, channel, user_id)

    async def open_for_all(self, tx: Transaction, channel: ChannelRow) -> None:
        """Somebody wrote: whoever had closed the conversation sees it again."""
        for user_id in await repository.closed_for(tx, channel.id):
            await self._open(tx, channel.id, user_id)
            await self.tell(tx, "CHANNEL_CREATE", channel, [user_id])

    async def _open(self, tx: Transaction, channel_id: int, user_id: int) -> None:
        """Where that makes too many, the conversations that were quiet for longest close. Groups stay: only leaving ends them."""
        await repository.set_open(tx, channel_id, user_id, is_open=True)
        surplus = await repository.count_open(tx, user_id) - self._limits.max_private_channels
        if surplus > 0:
            for row in await repository.oldest_open(tx, user_id, records.DM, channel_id, surplus):
                await self.close(tx, row, user_id)

    async def add(self, tx: Transaction, channel: ChannelRow, user_id: int) -> bool:
        return await repository.add(tx, channel.id, user_id)

    async def remove(self, tx: Transaction, channel: ChannelRow, user_id: int) -> list[int]:
        """Who is left. The ownership goes on; a group without people is gone."""
        await repository.drop(tx, channel.id, user_id)
        self._tell_gone(tx, channel, user_id)
        left = await repository.recipients(tx, channel.id)
        if not left:
            await repository.delete(tx, channel.id)
        elif channel.owner_id == user_id:
            await repository.set_owner(tx, channel.id, left[0])
        return left

    async def tell(self, tx: Transaction, name: str, channel: ChannelRow, user_ids: Iterable[int]) -> None:
        """To each of these people, with the others as recipients."""
        everybody = await repository.recipients(tx, channel.id)
        people = await self._users.find_many(everybody, tx)
        nicks = (await self._nicks(tx, [channel])).get(channel.id, {})
        for user_id in user_ids:
            self._announcer.user(tx, user_id, name, self._view(channel, everybody, people, user_id, nicks))

    async def view(self, reader: Reader, channel: ChannelRow, user_id: int) -> ChannelView:
        """As one of its people sees it."""
        everybody = await repository.recipients(reader, channel.id)
        people = await self._users.find_many(everybody, reader)
        nicks = (await self._nicks(reader, [channel])).get(channel.id, {})
        return self._view(channel, everybody, people, user_id, nicks)

    async def update(self, tx: Transaction, channel_id: int, values: dict[str, Any]) -> None:
        """The name, icon or owner of a group."""
        await channel_repository.update(tx, channel_id, values)

    async def call_by(self, tx: Transaction, channel_id: int, nicks: Mapping[int, str | None]) -> None:
        """What people are called in a group; None for by their own names."""
        for user_id, nick in nicks.items():
            await repository.set_nick(tx, channel_id, user_id, nick or None)

    @staticmethod
    async def _nicks(reader: Reader, rows: Iterable[ChannelRow]) -> dict[int, dict[int, str]]:
        groups = [row.id for row in rows if row.type == records.GROUP_DM]
        return await repository.nicks_of(reader, groups) if groups else {}

    def _tell_gone(self, tx: Transaction, channel: ChannelRow, user_id: int) -> None:
        self._announcer.user(tx, user_id, "CHANNEL_DELETE", {"id": str(channel.id), "type": channel.type})

    @staticmethod
    def _view(
        channel: ChannelRow,
        everybody: Iterable[int],
        people: Mapping[int, UserRow],
        user_id: int,
        nicks: Mapping[int, str],
    ) -> ChannelView:
        others = [UserPartial.of(people[each]) for each in everybody if each != user_id and each in people]
        return ChannelView.of(channel, (), others, nicks)

    async def _insert(
        self,
        tx: Transaction,
        kind: int,
        people: dict[int, bool],
        *,
        owner_id: int | None = None,
        channel_id: int | None = None,
    ) -> int:
        channel_id = self._ids.next() if channel_id is None else channel_id
        now = self._clock.now_ms()
        values = {"id": channel_id, "type": kind, "name": None, "owner_id": owner_id, "now": now}
        await repository.insert(tx, values, people)
        return channel_id

    async def _require(self, tx: Transaction, channel_id: int) -> ChannelRow:
        row = await self._where.find_channel(channel_id, tx)
        assert row is not None
        return row
