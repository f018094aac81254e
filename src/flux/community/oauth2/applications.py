"""Applications: each has one bot, whose user id is the application's id."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.auth.tokens import Credential, new_bot_token
from flux.community.envelope import invalid
from flux.community.inputs import encode, filled
from flux.community.members.joining import Joining
from flux.community.members.service import MemberService
from flux.community.oauth2 import repository
from flux.community.oauth2.records import ApplicationRow
from flux.community.oauth2.schemas import (
    ApplicationBot,
    ApplicationCreate,
    ApplicationUpdate,
    ApplicationView,
    BotToken,
)
from flux.community.standing.service import StandingService
from flux.community.users import rules
from flux.community.users.records import DELETED, NewAccount, UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, same, token_hash
from flux.kernel.store import Clock, Database, Reader, Snowflakes, Transaction, UniqueViolation


class ApplicationService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Snowflakes,
        users: UserService,
        members: MemberService,
        joining: Joining,
        where: StandingService,
        announcer: Announcer,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._users = users
        self._members = members
        self._joining = joining
        self._where = where
        self._announcer = announcer

    async def bot_of(self, credential: Credential) -> UserRow | None:
        """The bot whose token this is."""
        row = await repository.find(self._db, credential.application_id)
        if row is None or not same(row.bot_token_hash, credential.hash):
            return None
        return await self._users.find(row.bot_user_id)

    async def find(self, application_id: int, reader: Reader | None = None) -> ApplicationRow | None:
        return await repository.find(reader or self._db, application_id)

    async def read(self, user: UserRow, application_id: int) -> ApplicationView:
        row = await self.own(user, application_id)
        return ApplicationView.of(row, await self.bot(row))

    async def listing(self, user: UserRow) -> list[ApplicationView]:
        rows = await repository.owned(self._db, user.id)
        bots = await self._users.find_many(row.bot_user_id for row in rows)
        return [ApplicationView.of(row, bots[row.bot_user_id]) for row in rows if row.bot_user_id in bots]

    async def bot(self, row: ApplicationRow, reader: Reader | None = None) -> UserRow:
        return await self._users.require(row.bot_user_id, reader)

    async def own(self, user: UserRow, application_id: int, reader: Reader | None = None) -> ApplicationRow:
        """Raises UNKNOWN_APPLICATION, FORBIDDEN for somebody else's."""
        row = await repository.find(reader or self._db, application_id)
        if row is None:
            raise faults.UNKNOWN_APPLICATION()
        if row.owner_id != user.id:
            raise faults.FORBIDDEN()
        return row

    async def create(self, user: UserRow, body: ApplicationCreate) -> ApplicationView:
        """With a bot; both secrets are in the answer. Raises UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS."""
        if not user.bot and not user.claimed:
            raise faults.UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS()
        uris = _checked(body.redirect_uris or [])
        application_id = self._ids.next()
        secret = new_token()
        token, hashed = new_bot_token(application_id)

        async def work(tx: Transaction) -> ApplicationView:
            new = NewAccount(username=rules.username_from(body.name), bot=True)
            bot = await self._users.create(tx, new, application_id)
            values = {
                "id": application_id,
                "owner_id": user.id,
                "bot_user_id": bot.id,
                "name": body.name,
                "redirect_uris": encode(uris),
                "bot_public": int(body.bot_public is not False),
                "bot_require_code_grant": int(bool(body.bot_require_code_grant)),
                "secret_hash": token_hash(secret),
                "bot_token_hash": hashed,
                "created_at": self._clock.now_ms(),
            }
            await repository.insert(tx, values)
            row = await repository.find(tx, application_id)
            assert row is not None
            return ApplicationView.of(row, bot, secret=secret, token=token)

        for _ in range(5):
            try:
                return await self._db.transact(work)
            except UniqueViolation:
                continue
        raise faults.SERVICE_UNAVAILABLE()

    async def update(self, user: UserRow, application_id: int, body: ApplicationUpdate) -> ApplicationView:
        values = filled(body)
        if "redirect_uris" in values:
            values["redirect_uris"] = encode(_checked(values["redirect_uris"] or []))
        for name in ("bot_public", "bot_require_code_grant"):
            if name in values:
                values[name] = int(values[name])
        return await self._change(user, application_id, values)

    async def reset_secret(self, user: UserRow, application_id: int) -> ApplicationView:
        secret = new_token()
        return await self._change(user, application_id, {"secret_hash": token_hash(secret)}, secret=secret)

    async def reset_token(self, user: UserRow, application_id: int) -> BotToken:
        """The old token stops working and its connections end."""
        token, hashed = new_bot_token(application_id)

        async def work(tx: Transaction) -> BotToken:
            row = await self.own(user, application_id, tx)
            await repository.update(tx, application_id, {"bot_token_hash": hashed})
            self._announcer.control(tx, row.bot_user_id, "SESSIONS_ENDED", {"hashes": None})
            return BotToken(token, ApplicationBot.of(await self.bot(row, tx), token))

        return await self._db.transact(work)

    async def delete(self, user: UserRow, application_id: int) -> None:
        """Its bot leaves every guild; what it said stays. Raises USER_OWNS_GUILDS."""

        async def work(tx: Transaction) -> None:
            row = await self.own(user, application_id, tx)
            bot = await self.bot(row, tx)
            if await self._where.owns_guilds(tx, bot.id):
                raise faults.USER_OWNS_GUILDS()
            for guild_id in await self._members.guild_ids(bot.id, tx):
                await self._joining.leave(tx, guild_id, bot)
            await repository.delete(tx, application_id)
            self._announcer.control(tx, bot.id, "SESSIONS_ENDED", {"hashes": None})
            await self._users.set(tx, bot.id, flags=bot.flags | DELETED)

        await self._db.transact(work, serializable=True)

    async def _change(
        self, user: UserRow, application_id: int, values: dict[str, Any], secret: str | None = None
    ) -> ApplicationView:
        async def work(tx: Transaction) -> ApplicationView:
            await self.own(user, application_id, tx)
            await repository.update(tx, application_id, values)
            row = await self.own(user, application_id, tx)
            return ApplicationView.of(row, await self.bot(row, tx), secret=secret)

        return await self._db.transact(work)


def _checked(uris: list[str]) -> list[str]:
    for index, uri in enumerate(uris):
        scheme, mark, rest = uri.partition("://")
        if not mark or not rest or not scheme.replace("+", "").replace("-", "").replace(".", "").isalnum():
            raise invalid(f"redirect_uris.{index}", "Expected an absolute URI.", "INVALID_URL")
        if scheme.lower() in ("javascript", "data", "file") or "#" in uri:
            raise invalid(f"redirect_uris.{index}", "This URI cannot be redirected to.", "INVALID_URL")
    return uris
