"""What emojis and stickers have in common: making, changing, deleting, and who may use one where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.expressions import rules
from flux.community.expressions.records import EmojiRow, StickerRow
from flux.community.expressions.repository import Shelf
from flux.community.expressions.schemas import EmojiCreate, EmojiView, Failed, StickerCreate, StickerView
from flux.community.media.rules import Use
from flux.community.media.service import AssetService
from flux.community.standing import rules as bits
from flux.community.standing.service import ChannelStanding, Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.faults import Fault, FaultError
from flux.kernel.store import Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits

Row = TypeVar("Row", EmojiRow, StickerRow)
View = TypeVar("View", EmojiView, StickerView)
Create = TypeVar("Create", EmojiCreate, StickerCreate)


@dataclass(frozen=True, slots=True)
class Kind:
    """In what emojis and stickers differ without a rule. `name` is the member of `event` that lists them all, `elsewhere`
    the permission to use them outside their guild; `created`, `updated`, `deleted` are entries of the audit log."""

    name: str
    event: str
    image: Use
    unknown: Fault
    elsewhere: int
    created: int
    updated: int
    deleted: int


class ExpressionService(ABC, Generic[Row, View, Create]):
    kind: Kind
    shelf: Shelf[Row]

    def __init__(
        self,
        db: Database,
        ids: Snowflakes,
        users: UserService,
        where: StandingService,
        assets: AssetService,
        audit: AuditService,
        announcer: Announcer,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._ids = ids
        self._users = users
        self._where = where
        self._assets = assets
        self._audit = audit
        self._announcer = announcer
        self._limits = limits

    @abstractmethod
    def view(self, row: Row, user: UserPartial | None = None) -> View:
        """`user` is who made it."""

    @abstractmethod
    def _new(self, expression_id: int, guild_id: int, body: Create, image: str, creator_id: int) -> Row: ...

    @abstractmethod
    def _noted(self, row: Row) -> dict[str, Any]:
        """What of it stands in the audit log."""

    @abstractmethod
    async def _demand_room(self, tx: Transaction, standing: Standing, row: Row) -> None:
        """For one more, when it is the guild's turn."""

    # -- reading ----------------------------------------------------------------------------------------------

    async def listing(self, user: UserRow, guild_id: int) -> list[View]:
        await self._where.guild(user, guild_id)
        rows = await self.shelf.of_guilds(self._db, [guild_id])
        makers = await self._users.find_many({row.creator_id for row in rows})
        return [self.view(row, _partial(makers.get(row.creator_id))) for row in rows]

    async def read(self, user: UserRow, guild_id: int, expression_id: int) -> View:
        """Raises UNKNOWN_EMOJI or UNKNOWN_STICKER, as every verb about one."""
        await self._where.guild(user, guild_id)
        row = await self._require(guild_id, expression_id, self._db)
        return self.view(row, _partial(await self._users.find(row.creator_id)))

    async def all(self, guild_id: int, reader: Reader | None = None) -> list[View]:
        """As events show them."""
        return [self.view(row) for row in await self.shelf.of_guilds(reader or self._db, [guild_id])]

    async def of_many(self, guild_ids: list[int]) -> dict[int, list[View]]:
        """The same by guild; guilds without any are absent."""
        found: dict[int, list[View]] = {}
        for row in await self.shelf.of_guilds(self._db, guild_ids):
            found.setdefault(row.guild_id, []).append(self.view(row))
        return found

    async def some(self, ids: Iterable[int], reader: Reader | None = None) -> dict[int, Row]:
        """Whatever guild they are of; those that are gone are absent."""
        return await self.shelf.some(reader or self._db, ids)

    async def usable(self, standing: ChannelStanding, ids: Iterable[int], reader: Reader) -> list[Row]:
        """In a message or a reaction. Raises MISSING_PERMISSIONS for those of other guilds."""
        wanted = list(dict.fromkeys(ids))
        rows = await self.shelf.some(reader, wanted)
        for expression_id in wanted:
            row = rows.get(expression_id)
            if row is None:
                raise self.kind.unknown()
            if row.guild_id != standing.channel.guild_id:
                standing.need(self.kind.elsewhere)
                if not await self._where.is_member(row.guild_id, standing.user.id, reader):
                    raise self.kind.unknown()
        return [rows[expression_id] for expression_id in wanted]

    # -- changing ---------------------------------------------------------------------------------------------

    async def create(self, user: UserRow, guild_id: int, body: Create, reason: str | None) -> View:
        """Raises MISSING_PERMISSIONS, the limit of its kind, and what an image can raise."""
        (await self._where.guild(user, guild_id)).need(bits.CREATE_EXPRESSIONS)
        return await self._make(user, guild_id, body, reason)

    async def create_many(
        self, user: UserRow, guild_id: int, bodies: list[Create], reason: str | None
    ) -> tuple[list[View], list[Failed]]:
        """Each for itself: what fails is told and the others are made."""
        (await self._where.guild(user, guild_id)).need(bits.CREATE_EXPRESSIONS)
        made: list[View] = []
        failed: list[Failed] = []
        for body in bodies:
            try:
                made.append(await self._make(user, guild_id, body, reason))
            except FaultError as refusal:
                failed.append(Failed(body.name, refusal.fault.code))
        return made, failed

    async def _make(self, user: UserRow, guild_id: int, body: Create, reason: str | None) -> View:
        expression_id = self._ids.next()
        image = await self._assets.take(self.kind.image, expression_id, body.image, "image")
        row = self._new(expression_id, guild_id, body, image.hash, user.id)

        async def work(tx: Transaction) -> View:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(bits.CREATE_EXPRESSIONS)
            await self._where.guild_turn(tx, guild_id)
            await self._demand_room(tx, standing, row)
            await self.shelf.insert(tx, row)
            await self._note(tx, user, self.kind.created, None, row, reason)
            return self.view(row, UserPartial.of(user))

        return await self._db.transact(work)

    async def change(
        self, user: UserRow, guild_id: int, expression_id: int, values: dict[str, Any], reason: str | None
    ) -> View:
        """`values` are columns."""

        async def work(tx: Transaction) -> View:
            row = await self._mine(tx, user, guild_id, expression_id)
            await self.shelf.update(tx, expression_id, values)
            changed = await self._require(guild_id, expression_id, tx)
            await self._note(tx, user, self.kind.updated, row, changed, reason)
            return self.view(changed)

        return await self._db.transact(work)

    async def delete(self, user: UserRow, guild_id: int, expression_id: int, reason: str | None) -> None:
        async def work(tx: Transaction) -> None:
            row = await self._mine(tx, user, guild_id, expression_id)
            await self.shelf.delete(tx, expression_id)
            await self._note(tx, user, self.kind.deleted, row, None, reason)

        await self._db.transact(work)

    async def _mine(self, tx: Transaction, user: UserRow, guild_id: int, expression_id: int) -> Row:
        """One that the caller may change. Raises MISSING_PERMISSIONS."""
        standing = await self._where.guild(user, guild_id, tx)
        row = await self._require(guild_id, expression_id, tx)
        rules.demand_may_change(standing, row.creator_id)
        return row

    async def _require(self, guild_id: int, expression_id: int, reader: Reader) -> Row:
        row = (await self.shelf.some(reader, [expression_id])).get(expression_id)
        if row is None or row.guild_id != guild_id:
            raise self.kind.unknown()
        return row

    async def _note(
        self,
        tx: Transaction,
        user: UserRow,
        action: int,
        before: Row | None,
        after: Row | None,
        reason: str | None,
    ) -> None:
        """In the audit log if anything is not as it was; the guild hears of all it has now."""
        old, new = ({} if each is None else self._noted(each) for each in (before, after))
        row = after or before
        assert row is not None
        if differences := actions.changes(old, new):
            await self._audit.record(
                tx, row.guild_id, action, user.id, row.id, reason=reason, changes=differences
            )
        told = {"guild_id": str(row.guild_id), self.kind.name: await self.all(row.guild_id, tx)}
        self._announcer.guild(tx, row.guild_id, self.kind.event, told)


def _partial(row: UserRow | None) -> UserPartial | None:
    return None if row is None else UserPartial.of(row)
