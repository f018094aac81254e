"""Making, renaming and deleting emojis, and using them."""

from __future__ import annotations

from collections.abc import Iterable

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.expressions import repository, rules
from flux.community.expressions.records import EmojiRow
from flux.community.expressions.schemas import EmojiBulk, EmojiCreate, EmojiView, Failed
from flux.community.media.rules import EMOJI
from flux.community.media.service import AssetService
from flux.community.standing import rules as bits
from flux.community.standing.service import ChannelStanding, Standing, StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Database, Reader, Snowflakes, Transaction
from flux.settings.community import CommunityLimits


class EmojiService:
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

    async def listing(self, user: UserRow, guild_id: int) -> list[EmojiView]:
        await self._where.guild(user, guild_id)
        rows = await repository.emojis(self._db, guild_id)
        makers = await self._users.find_many({row.creator_id for row in rows})
        return [EmojiView.of(row, _partial(makers.get(row.creator_id))) for row in rows]

    async def read(self, user: UserRow, guild_id: int, emoji_id: int) -> EmojiView:
        """Raises UNKNOWN_EMOJI."""
        await self._where.guild(user, guild_id)
        row = await self._require(guild_id, emoji_id, self._db)
        return EmojiView.of(row, _partial(await self._users.find(row.creator_id)))

    async def all(self, guild_id: int, reader: Reader | None = None) -> list[EmojiView]:
        """As events show them."""
        return [EmojiView.of(row) for row in await repository.emojis(reader or self._db, guild_id)]

    async def of_many(self, guild_ids: list[int]) -> dict[int, list[EmojiView]]:
        """The same by guild; guilds without any are absent."""
        found: dict[int, list[EmojiView]] = {}
        for row in await repository.emojis_in(self._db, guild_ids):
            found.setdefault(row.guild_id, []).append(EmojiView.of(row))
        return found

    async def some(self, ids: Iterable[int], reader: Reader | None = None) -> dict[int, EmojiRow]:
        """Whatever guild they are of; those that are gone are absent."""
        return await repository.some_emojis(reader or self._db, ids)

    async def usable(self, standing: ChannelStanding, emoji_id: int, reader: Reader) -> EmojiRow:
        """For a reaction. Raises UNKNOWN_EMOJI, MISSING_PERMISSIONS for one of another guild."""
        row = (await repository.some_emojis(reader, [emoji_id])).get(emoji_id)
        if row is None:
            raise faults.UNKNOWN_EMOJI()
        if row.guild_id != standing.channel.guild_id:
            standing.need(bits.USE_EXTERNAL_EMOJIS)
            if not await self._where.is_member(row.guild_id, standing.user.id, reader):
                raise faults.UNKNOWN_EMOJI()
        return row

    # -- changing ---------------------------------------------------------------------------------------------

    async def create(self, user: UserRow, guild_id: int, body: EmojiCreate, reason: str | None) -> EmojiView:
        """Raises MAX_EMOJIS, MAX_ANIMATED_EMOJIS, MISSING_PERMISSIONS and what an image can raise."""
        await self._demand_maker(user, guild_id)
        return await self._make(user, guild_id, body, reason)

    async def create_many(
        self, user: UserRow, guild_id: int, bodies: list[EmojiCreate], reason: str | None
    ) -> EmojiBulk:
        """Each for itself: what fails is told and the others are made."""
        await self._demand_maker(user, guild_id)
        made: list[EmojiView] = []
        failed: list[Failed] = []
        for body in bodies:
            try:
                made.append(await self._make(user, guild_id, body, reason))
            except FaultError as refusal:
                failed.append(Failed(body.name, refusal.fault.code))
        return EmojiBulk(made, failed)

    async def _make(self, user: UserRow, guild_id: int, body: EmojiCreate, reason: str | None) -> EmojiView:
        emoji_id = self._ids.next()
        image = await self._assets.take(EMOJI, emoji_id, body.image, "image")
        animated = image.hash.startswith("a_")
        row = EmojiRow(emoji_id, guild_id, body.name, int(animated), image.hash, user.id)

        async def work(tx: Transaction) -> EmojiView:
            standing = await self._where.guild(user, guild_id, tx)
            standing.need(bits.CREATE_EXPRESSIONS)
            await self._where.guild_turn(tx, guild_id)
            most = rules.most_emojis(standing.guild.feature_list, self._limits, animated=animated)
            if await repository.count_emojis(tx, guild_id, row.animated) >= most:
                raise (faults.MAX_ANIMATED_EMOJIS if animated else faults.MAX_EMOJIS)(max=most)
            await repository.insert_emoji(tx, row)
            changed = actions.created({"name": row.name})
            await self._audit.record(
                tx, guild_id, actions.EMOJI_CREATE, user.id, emoji_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)
            return EmojiView.of(row, UserPartial.of(user))

        return await self._db.transact(work)

    async def rename(
        self, user: UserRow, guild_id: int, emoji_id: int, name: str, reason: str | None
    ) -> EmojiView:
        async def work(tx: Transaction) -> EmojiView:
            standing = await self._where.guild(user, guild_id, tx)
            row = await self._require(guild_id, emoji_id, tx)
            rules.demand_may_change(standing, row.creator_id)
            await repository.rename_emoji(tx, emoji_id, name)
            changed = actions.changes({"name": row.name}, {"name": name})
            await self._audit.record(
                tx, guild_id, actions.EMOJI_UPDATE, user.id, emoji_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)
            return EmojiView.of(await self._require(guild_id, emoji_id, tx))

        return await self._db.transact(work)

    async def delete(self, user: UserRow, guild_id: int, emoji_id: int, reason: str | None) -> None:
        async def work(tx: Transaction) -> None:
            standing = await self._where.guild(user, guild_id, tx)
            row = await self._require(guild_id, emoji_id, tx)
            rules.demand_may_change(standing, row.creator_id)
            await repository.delete_emoji(tx, emoji_id)
            changed = actions.deleted({"name": row.name})
            await self._audit.record(
                tx, guild_id, actions.EMOJI_DELETE, user.id, emoji_id, reason=reason, changes=changed
            )
            await self._tell(tx, guild_id)

        await self._db.transact(work)

    async def _demand_maker(self, user: UserRow, guild_id: int) -> Standing:
        standing = await self._where.guild(user, guild_id)
        standing.need(bits.CREATE_EXPRESSIONS)
        return standing

    async def _require(self, guild_id: int, emoji_id: int, reader: Reader) -> EmojiRow:
        row = (await repository.some_emojis(reader, [emoji_id])).get(emoji_id)
        if row is None or row.guild_id != guild_id:
            raise faults.UNKNOWN_EMOJI()
        return row

    async def _tell(self, tx: Transaction, guild_id: int) -> None:
        told = {"guild_id": str(guild_id), "emojis": await self.all(guild_id, tx)}
        self._announcer.guild(tx, guild_id, "GUILD_EMOJIS_UPDATE", told)


def _partial(row: UserRow | None) -> UserPartial | None:
    return None if row is None else UserPartial.of(row)
