"""Making, changing and deleting stickers, and using them."""

from __future__ import annotations

from collections.abc import Sequence

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.expressions import repository, rules
from flux.community.expressions.records import StickerRow
from flux.community.expressions.schemas import Failed, StickerBulk, StickerCreate, StickerUpdate, StickerView
from flux.community.inputs import encode
from flux.community.media.rules import STICKER
from flux.community.media.service import AssetService
from flux.community.standing import rules as bits
from flux.community.standing.service import ChannelStanding, Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits


class StickerService:
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

    # -- reading ----------------------------------------------------------------------------------------------

    async def listing(self, user: UserRow, guild_id: int) -> list[StickerView]:
        await self._where.guild(user, guild_id)
        rows = await repository.stickers(self._db, guild_id)
        makers = await self._users.find_many({row.creator_id for row in rows})
        return [StickerView.of(row, _partial(makers.get(row.creator_id))) for row in rows]

    async def read(self, user: UserRow, guild_id: int, sticker_id: int) -> StickerView:
        """Raises UNKNOWN_STICKER."""
        await self._where.guild(user, guild_id)
        row = await self._require(guild_id, sticker_id, self._db)
        return StickerView.of(row, _partial(await self._users.find(row.creator_id)))

    async def all(self, guild_id: int, reader: Reader | None = None) -> list[StickerView]:
        """As events show them."""
        return [StickerView.of(row) for row in await repository.stickers(reader or self._db, guild_id)]

    async def of_many(self, guild_ids: list[int]) -> dict[int, list[StickerView]]:
        """The same by guild; guilds without any are absent."""
        found: dict[int, list[StickerView]] = {}
        for row in await repository.stickers_in(self._db, guild_ids):
            found.setdefault(row.guild_id, []).append(StickerView.of(row))
        return found

    async def usable(self, standing: ChannelStanding, ids: Sequence[int], reader: Reader) -> list[StickerRow]:
        """For a message. Raises UNKNOWN_STICKER, MISSING_PERMISSIONS for those of other guilds."""
        rows = await repository.some_stickers(reader, ids)
        here = standing.channel.guild_id
        found: list[StickerRow] = []
        for sticker_id in dict.fromkeys(ids):
            row = rows.get(sticker_id)
            if row is None:
                raise faults.UNKNOWN_STICKER()
            if row.guild_id != here:
                standing.need(bits.USE_EXTERNAL_STICKERS)
                if not await self._where.is_member(row.guild_id, standing.user.id, reader):
                    raise faults.UNKNOWN_STICKER()
            found.append(row)
        return found

    # -- changing ---------------------------------------------------------------------------------------------

    async def create(
        self, user: UserRow, guild_id: int, body: StickerCreate, reason: str | None
    ) -> StickerView:
        """Raises MAX_STICKERS, MISSING_PERMISSIONS and what an image can raise."""
        await self._demand_maker(user, guild_id)
        return await self._make(user, guild_id, body, reason)

    async def create_many(
        self, user: UserRow, guild_id: int, bodies: list[StickerCreate], reason: str | None
    ) -> StickerBulk:
        """Each for itself: what fails is told and the others are made."""
        await self._demand_maker(user, guild_id)
        made: list[StickerView] = []
        failed: list[Failed] = []
        for body in bodies:
            try:
                made.append(await self._make(user, guild_id, body, reason))
            except FaultError as refusal:
                failed.append(Failed(body.name, refusal.fault.code))
        return StickerBulk(made, failed)

    async def _make(
        self, user: UserRow, guild_id: int, body: StickerCreate, reason: str | None
    ) -> StickerView:
        sticker_id = self._ids.next()
        image = await self._assets.take(STICKER, sticker_id, body.image, "image")
        animated = image.hash.startswith("a_")
        row = StickerRow(
            sticker_id, guild_id, body.name, body.description or "", encode(body.tags or []), int(animated), image.hash,
            user.id,
        )  # fmt: skip

        async def work(tx: Transaction) -> StickerView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(bits.CREATE_EXPRESSIONS)
            await self._where.guild_turn(tx, guild_id)
            most = rules.most_stickers(standing.guild.feature_list, self._limits)
            if await repository.count_stickers(tx, guild_id) >= most:
                raise faults.MAX_STICKERS(max=most)
            await repository.insert_sticker(tx, row)
            changed = actions.created({"name": row.name})
            await self._audit.record(
                tx, guild_id, actions.STICKER_CREATE, user.id, sticker_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)
            return StickerView.of(row, UserPartial.of(user))

        return await self._db.transact(work)

    async def update(
        self, user: UserRow, guild_id: int, sticker_id: int, body: StickerUpdate, reason: str | None
    ) -> StickerView:
        """What is not sent becomes empty."""

        async def work(tx: Transaction) -> StickerView:
            standing = await self._where.guild(user, guild_id, tx)
            row = await self._require(guild_id, sticker_id, tx)
            rules.demand_may_change(standing, row.creator_id)
            values = {"name": body.name, "description": body.description or "", "tags": body.tags or []}
            await repository.update_sticker(tx, sticker_id, {**values, "tags": encode(values["tags"])})
            before = {"name": row.name, "description": row.description, "tags": row.tag_list}
            changed = actions.changes(before, values)
            await self._audit.record(
                tx, guild_id, actions.STICKER_UPDATE, user.id, sticker_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)
            return StickerView.of(await self._require(guild_id, sticker_id, tx))

        return await self._db.transact(work)

    async def delete(self, user: UserRow, guild_id: int, sticker_id: int, reason: str | None) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            row = await self._require(guild_id, sticker_id, tx)
            rules.demand_may_change(standing, row.creator_id)
            await repository.delete_sticker(tx, sticker_id)
            changed = actions.deleted({"name": row.name})
            await self._audit.record(
                tx, guild_id, actions.STICKER_DELETE, user.id, sticker_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)

        await self._db.transact(work)

    async def _demand_maker(self, user: UserRow, guild_id: int) -> Standing:
        standing = await self._where.guild(user, guild_id)
        standing.need(bits.CREATE_EXPRESSIONS)
        return standing

    async def _require(self, guild_id: int, sticker_id: int, reader: Reader) -> StickerRow:
        row = (await repository.some_stickers(reader, [sticker_id])).get(sticker_id)
        if row is None or row.guild_id != guild_id:
            raise faults.UNKNOWN_STICKER()
        return row

    async def _tell(self, tx: Transaction, guild_id: int) -> None:
        told = {"guild_id": str(guild_id), "stickers": await self.all(guild_id, tx)}
        self._announcer.guild(tx, guild_id, "GUILD_STICKERS_UPDATE", told)


def _partial(row: UserRow | None) -> UserPartial | None:
    return None if row is None else UserPartial.of(row)
