"""Making, showing, changing and deleting webhooks."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.envelope import invalid
from flux.community.inputs import filled
from flux.community.media.rules import AVATAR
from flux.community.media.service import AssetService
from flux.community.standing import records
from flux.community.standing import rules as bits
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.community.webhooks import repository
from flux.community.webhooks.repository import WebhookRow
from flux.community.webhooks.schemas import WebhookCreate, WebhookUpdate, WebhookView
from flux.kernel.store import Database, Reader, Snowflakes, Transaction, random_key
from flux.settings.community import CommunityLimits

TOKEN_LENGTH = 68


class WebhookService:
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
        new_token: Callable[[int], str] = random_key,
    ) -> None:
        self._db = db
        self._ids = ids
        self._users = users
        self._where = where
        self._assets = assets
        self._audit = audit
        self._announcer = announcer
        self._limits = limits
        self._new_token = new_token

    # -- reading ----------------------------------------------------------------------------------------------

    async def of_channel(self, user: UserRow, channel_id: int) -> list[WebhookView]:
        standing = await self._where.channel(user, channel_id)
        standing.need(bits.MANAGE_WEBHOOKS)
        return await self._views(await repository.of_channel(self._db, channel_id))

    async def of_guild(self, user: UserRow, guild_id: int) -> list[WebhookView]:
        standing = await self._where.guild(user, guild_id)
        standing.need(bits.MANAGE_WEBHOOKS)
        return await self._views(await repository.of_guild(self._db, guild_id))

    async def read(self, user: UserRow, webhook_id: int) -> WebhookView:
        return (await self._views([await self._managed(user, webhook_id, self._db)]))[0]

    async def by_token(self, webhook_id: int, token: str, reader: Reader | None = None) -> WebhookRow:
        """Raises UNKNOWN_WEBHOOK, for a wrong token too."""
        row = await repository.find(reader or self._db, webhook_id)
        if row is None or not compare_digest(row.token.encode(), token.encode("utf-8", "replace")):
            raise faults.UNKNOWN_WEBHOOK()
        return row

    async def _managed(self, user: UserRow, webhook_id: int, reader: Reader) -> WebhookRow:
        """Raises UNKNOWN_WEBHOOK, MISSING_ACCESS, MISSING_PERMISSIONS."""
        row = await repository.find(reader, webhook_id)
        if row is None:
            raise faults.UNKNOWN_WEBHOOK()
        (await self._where.channel(user, row.channel_id, reader)).need(bits.MANAGE_WEBHOOKS)
        return row

    async def _views(self, rows: list[WebhookRow]) -> list[WebhookView]:
        makers = await self._users.find_many({row.creator_id for row in rows})
        return [view(row, makers.get(row.creator_id)) for row in rows]

    # -- changing ---------------------------------------------------------------------------------------------

    async def create(
        self, user: UserRow, channel_id: int, body: WebhookCreate, reason: str | None
    ) -> WebhookView:
        """Raises MAX_WEBHOOKS_PER_CHANNEL, MAX_WEBHOOKS_PER_GUILD, INVALID_CHANNEL_TYPE, CANNOT_EXECUTE_ON_DM."""
        await self._demand_place(user, channel_id, self._db)
        webhook_id = self._ids.next()
        avatar = await self._assets.hash(AVATAR, webhook_id, body.avatar, "avatar")

        async def work(tx: Transaction) -> WebhookView:
            guild_id = await self._demand_place(user, channel_id, tx)
            await self._demand_room(tx, channel_id, guild_id)
            row = WebhookRow(
                webhook_id, guild_id, channel_id, user.id, body.name, avatar, self._new_token(TOKEN_LENGTH)
            )
            await repository.insert(tx, row)
            changed = actions.created({"name": row.name, "channel_id": str(channel_id), "type": 1})
            await self._audit.record(
                tx, guild_id, actions.WEBHOOK_CREATE, user.id, webhook_id, reason=reason, changes=changed
            )
            self._tell(tx, guild_id, channel_id)
            return view(row, user)

        return await self._db.transact(work)

    async def _demand_place(self, user: UserRow, channel_id: int, reader: Reader) -> int:
        """The guild of a channel that may have one of the user's webhooks."""
        standing = await self._where.channel(user, channel_id, reader)
        if standing.guild is None:
            raise faults.CANNOT_EXECUTE_ON_DM()
        standing.need(bits.MANAGE_WEBHOOKS)
        if standing.channel.type != records.TEXT:
            raise faults.INVALID_CHANNEL_TYPE()
        return standing.guild.guild.id

    async def _demand_room(
        self, tx: Transaction, channel_id: int, guild_id: int, *, moves: bool = False
    ) -> None:
        await self._where.guild_turn(tx, guild_id)
        in_channel, in_guild = await repository.count(tx, channel_id, guild_id)
        if in_channel >= self._limits.max_webhooks_per_channel:
            raise faults.MAX_WEBHOOKS_PER_CHANNEL(max=self._limits.max_webhooks_per_channel)
        if not moves and in_guild >= self._limits.max_webhooks_per_guild:
            raise faults.MAX_WEBHOOKS_PER_GUILD(max=self._limits.max_webhooks_per_guild)

    async def update(
        self, user: UserRow, webhook_id: int, body: WebhookUpdate, reason: str | None
    ) -> WebhookView:
        """Moving needs the permission in both channels. Raises MAX_WEBHOOKS_PER_CHANNEL."""
        await self._managed(user, webhook_id, self._db)
        values = await self._values(webhook_id, body)

        async def work(tx: Transaction) -> WebhookView:
            row = await self._managed(user, webhook_id, tx)
            target = body.channel_id
            if isinstance(target, int) and target != row.channel_id:
                if await self._demand_place(user, target, tx) != row.guild_id:
                    raise invalid("channel_id", "Expected a channel of the same guild.", "INVALID_CHANNEL")
                await self._demand_room(tx, target, row.guild_id, moves=True)
                values["channel_id"] = int(target)
            return await self._change(tx, row, values, user, reason)

        return await self._db.transact(work)

    async def update_by_token(self, webhook_id: int, token: str, body: WebhookUpdate) -> WebhookView:
        """Name and avatar; where it speaks stays."""
        await self.by_token(webhook_id, token)
        values = await self._values(webhook_id, body)

        async def work(tx: Transaction) -> WebhookView:
            row = await self.by_token(webhook_id, token, tx)
            return await self._change(tx, row, values, None, None)

        return await self._db.transact(work)

    async def _values(self, webhook_id: int, body: WebhookUpdate) -> dict[str, Any]:
        values = filled(body)
        values.pop("channel_id", None)
        if "avatar" in values:
            values["avatar"] = await self._assets.hash(AVATAR, webhook_id, values["avatar"], "avatar")
        return values

    async def _change(
        self,
        tx: Transaction,
        row: WebhookRow,
        values: dict[str, Any],
        user: UserRow | None,
        reason: str | None,
    ) -> WebhookView:
        await repository.update(tx, row.id, values)
        changed = await repository.find(tx, row.id)
        assert changed is not None
        names = ("name", "avatar", "channel_id")
        differences = actions.changes(actions.of(row, names), actions.of(changed, names))
        if user is not None and differences:
            await self._audit.record(
                tx, row.guild_id, actions.WEBHOOK_UPDATE, user.id, row.id, reason=reason, changes=differences
            )
        for channel_id in {row.channel_id, changed.channel_id}:
            self._tell(tx, row.guild_id, channel_id)
        maker = None if user is None else await self._users.find(row.creator_id, tx)
        return view(changed, maker)

    async def delete(self, user: UserRow, webhook_id: int, reason: str | None) -> None:
        async def work(tx: Transaction) -> None:
            row = await self._managed(user, webhook_id, tx)
            changed = actions.deleted({"name": row.name, "channel_id": str(row.channel_id)})
            await self._audit.record(
                tx, row.guild_id, actions.WEBHOOK_DELETE, user.id, row.id, reason=reason, changes=changed
            )
            await self._remove(tx, row)

        await self._db.transact(work)

    async def delete_by_token(self, webhook_id: int, token: str) -> None:
        async def work(tx: Transaction) -> None:
            await self._remove(tx, await self.by_token(webhook_id, token, tx))

        await self._db.transact(work)

    async def _remove(self, tx: Transaction, row: WebhookRow) -> None:
        await repository.delete(tx, row.id)
        self._tell(tx, row.guild_id, row.channel_id)

    def _tell(self, tx: Transaction, guild_id: int, channel_id: int) -> None:
        told = {"guild_id": str(guild_id), "channel_id": str(channel_id)}
        self._announcer.guild(tx, guild_id, "WEBHOOKS_UPDATE", told, channel_id=channel_id)


def view(row: WebhookRow, maker: UserRow | None = None) -> WebhookView:
    return WebhookView(
        id=str(row.id),
        guild_id=str(row.guild_id),
        channel_id=str(row.channel_id),
        name=row.name,
        avatar=row.avatar,
        token=row.token,
        **({} if maker is None else {"user": UserPartial.of(maker)}),
    )
