"""A user lets an application in: a code for its tokens, and its bot into a guild."""

from __future__ import annotations

from urllib.parse import urlencode

from flux.community import faults
from flux.community.audit import actions
from flux.community.audit.service import AuditService
from flux.community.envelope import invalid
from flux.community.inputs import Permissions, identifier
from flux.community.members.joining import BY_BOT_INVITE, Joining
from flux.community.members.service import MemberService
from flux.community.messages.welcome import Welcome
from flux.community.oauth2 import repository
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.records import SCOPES, ApplicationRow
from flux.community.oauth2.schemas import Consent, ConsentGiven
from flux.community.roles.service import RoleService
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import Clock, Database, Transaction

CODE_MS = 600_000


class ConsentService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        applications: ApplicationService,
        where: StandingService,
        roles: RoleService,
        members: MemberService,
        joining: Joining,
        welcome: Welcome,
        audit: AuditService,
        public_url: str,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._applications = applications
        self._where = where
        self._roles = roles
        self._members = members
        self._joining = joining
        self._welcome = welcome
        self._audit = audit
        self._public_url = public_url

    async def give(self, user: UserRow, body: Consent) -> ConsentGiven:
        """Raises INVALID_CLIENT, INVALID_SCOPE, UNSUPPORTED_RESPONSE_TYPE, INVALID_REDIRECT_URI,
        INVALID_PERMISSIONS_*, MISSING_PERMISSIONS, BOT_IS_PRIVATE, BOT_ALREADY_IN_GUILD …"""
        application = await self._application(body.client_id)
        scopes = await self._scopes(application, body.scope)
        with_code = self._wants_code(body, scopes)
        uri = self._redirect_uri(application, body, with_code)
        permissions = 0 if body.permissions is None else Permissions.from_wire(body.permissions)

        async def work(tx: Transaction) -> str | None:
            if "bot" in scopes:
                if not isinstance(body.guild_id, int):
                    raise invalid("guild_id", "This field is required.", "REQUIRED")
                await self._add_bot(tx, user, application, body.guild_id, int(permissions))
            return await self._code(tx, user, application, uri, scopes) if with_code else None

        code = await self._db.transact(work, serializable=True)
        query = {
            name: value for name, value in (("code", code), ("state", body.state)) if isinstance(value, str)
        }
        if not uri:
            return ConsentGiven(f"{self._public_url}/oauth2/authorized")
        return ConsentGiven(f"{uri}{'&' if '?' in uri else '?'}{urlencode(query)}" if query else uri)

    async def _application(self, client_id: str | int) -> ApplicationRow:
        number = identifier(str(client_id))
        row = None if number is None else await self._applications.find(number)
        if row is None:
            raise faults.INVALID_CLIENT()
        return row

    async def _scopes(self, application: ApplicationRow, text: str) -> list[str]:
        scopes = list(dict.fromkeys(text.split()))
        if not scopes or set(scopes) - SCOPES:
            raise faults.INVALID_SCOPE()
        if "admin" in scopes and not (await self._users.require(application.owner_id)).acl_set:
            raise faults.INVALID_SCOPE()
        return scopes

    def _wants_code(self, body: Consent, scopes: list[str]) -> bool:
        if body.response_type == "code":
            return True
        if isinstance(body.response_type, str) or scopes != ["bot"]:
            raise faults.UNSUPPORTED_RESPONSE_TYPE()
        return False

    def _redirect_uri(self, application: ApplicationRow, body: Consent, with_code: bool) -> str:
        """Empty when a bot is added without going back anywhere."""
        uri = body.redirect_uri or ""
        if not uri and not with_code:
            return ""
        if uri not in application.uris:
            raise faults.INVALID_REDIRECT_URI()
        return uri

    async def _add_bot(
        self, tx: Transaction, user: UserRow, application: ApplicationRow, guild_id: int, permissions: int
    ) -> None:
        standing = await self._where.guild(user, guild_id, tx)
        standing.need(rules.MANAGE_GUILD)
        if not application.bot_public and application.owner_id != user.id:
            raise faults.BOT_IS_PRIVATE()
        if not standing.owner and not rules.may_grant(permissions, standing.permissions):
            raise faults.MISSING_PERMISSIONS()
        bot = await self._applications.bot(application, tx)
        if not await self._joining.join(tx, guild_id, bot, source=BY_BOT_INVITE, inviter_id=user.id):
            raise faults.BOT_ALREADY_IN_GUILD()
        if permissions & rules.ALL:
            role = await self._roles.make(tx, guild_id, application.name, permissions)
            await self._members.give_role(tx, guild_id, bot.id, role.id)
        await self._audit.record(tx, guild_id, actions.BOT_ADD, user.id, bot.id)
        await self._welcome.say(tx, standing.guild, bot)

    async def _code(
        self, tx: Transaction, user: UserRow, application: ApplicationRow, uri: str, scopes: list[str]
    ) -> str:
        code = new_token()
        values = {
            "code_hash": token_hash(code),
            "application_id": application.id,
            "user_id": user.id,
            "redirect_uri": uri,
            "scopes": " ".join(scopes),
            "expires_at": self._clock.now_ms() + CODE_MS,
        }
        await repository.add_code(tx, values)
        return code
