"""Logging in: the password, the state of the account, and addresses seen for the first time."""

from __future__ import annotations

from flux.community import faults
from flux.community.auth import repository
from flux.community.auth.mails import Mails
from flux.community.auth.register import Origin
from flux.community.auth.schemas import Issued, Login, Poll
from flux.community.auth.sessions import SessionService
from flux.community.envelope import entry, invalid
from flux.community.users import rules
from flux.community.users.records import BY_ADMIN, BY_OWNER, DELETED, DISABLED, UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.identity import new_token, password_matches, token_hash
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunitySettings

TICKET_MS = 900_000
RESEND_AFTER_SECONDS = 30
_WRONG = "The e-mail address or the password is wrong."


class LoginService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        sessions: SessionService,
        mails: Mails,
        quota: Quota,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._sessions = sessions
        self._mails = mails
        self._quota = quota
        self._per_email = Rate.parse(settings.limits.login_per_email)
        self._per_address = Rate.parse(settings.limits.login_per_ip)
        self._ask_new_addresses = settings.ip_authorization

    async def login(self, body: Login, origin: Origin) -> Issued:
        """Raises RATE_LIMITED, a validation failure, ACCOUNT_*, IP_AUTHORIZATION_REQUIRED."""
        mail_key = f"login:mail:{rules.folded(body.email)}"
        self._count(f"login:address:{origin.address}", self._per_address)
        self._count(mail_key, self._per_email)
        user = await self._users.by_email(body.email)
        if not await password_matches(body.password, user.password_hash if user else None) or user is None:
            wrong = [entry(path, _WRONG, "INVALID_EMAIL_OR_PASSWORD") for path in ("email", "password")]
            raise faults.VALIDATION_ERROR(errors=wrong)
        self._quota.forget(mail_key)
        if (refusal := self.refusal(user)) is not None:
            raise refusal
        if self._ask_new_addresses and not await repository.knows_address(self._db, user.id, origin.address):
            raise await self._ask(user, origin.address)
        return await self._admit(user, origin)

    def refusal(self, user: UserRow) -> FaultError | None:
        """Why the account may not log in now, if so."""
        if user.flags & DELETED or user.banned_until == 0:
            return faults.ACCOUNT_SUSPENDED_PERMANENTLY()
        if user.banned_until is not None and user.banned_until > self._clock.now_ms():
            return faults.ACCOUNT_SUSPENDED_TEMPORARILY()
        if user.flags & DISABLED and user.disabled_by != BY_OWNER:
            return faults.ACCOUNT_DISABLED()
        if user.deletion_at is not None and user.deletion_by == BY_ADMIN:
            return faults.ACCOUNT_SCHEDULED_FOR_DELETION()
        return None

    async def _admit(self, user: UserRow, origin: Origin) -> Issued:
        """A session; what its owner had switched off or asked to be deleted is undone."""

        async def work(tx: Transaction) -> Issued:
            if user.disabled_by == BY_OWNER or user.deletion_by == BY_OWNER:
                await self._users.set(
                    tx, user.id, flags=user.flags & ~DISABLED, disabled_by=0, deletion_by=0, deletion_at=None
                )
            return await self._sessions.issue(tx, user.id, origin.address, origin.user_agent, origin.platform)

        return await self._db.transact(work)

    def _count(self, key: str, rate: Rate | None) -> None:
        if rate is None:
            return
        verdict = self._quota.count(key, rate)
        if not verdict.allowed:
            raise faults.rate_limited(verdict.retry_after)

    async def sweep(self, tx: Transaction) -> None:
        """Mail tokens and tickets that have expired."""
        await repository.sweep(tx, self._clock.now_ms())

    # -- new addresses ----------------------------------------------------------------------------------------

    async def _ask(self, user: UserRow, address: str) -> FaultError:
        ticket, token = new_token(), new_token()
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            values = {
                "ticket_hash": token_hash(ticket),
                "token_hash": token_hash(token),
                "user_id": user.id,
                "address": address,
                "expires_at": now + TICKET_MS,
                "now": now,
            }
            await repository.add_ticket(tx, values)
            await self._mails.authorize(tx, user, token, address)

        await self._db.transact(work)
        return faults.IP_AUTHORIZATION_REQUIRED(
            ip_authorization_required=True,
            ticket=ticket,
            email=user.email or "",
            resend_available_in=RESEND_AFTER_SECONDS,
        )

    async def authorize(self, token: str) -> None:
        """The link in the mail. Raises a validation failure on `token`."""

        async def work(tx: Transaction) -> None:
            found = await repository.ticket_by_token(tx, token_hash(token))
            if found is None or found.expires_at < self._clock.now_ms():
                raise invalid("token", "The token is unknown or expired.", "INVALID_OR_EXPIRED_TOKEN")
            await repository.know_address(tx, found.user_id, found.address, self._clock.now_ms())
            await repository.complete_ticket(tx, found.ticket_hash)

        await self._db.transact(work)

    async def poll(self, ticket: str, origin: Origin) -> Poll:
        """A session once the link was opened; each ticket gives one. Raises a validation failure on `ticket`."""

        async def work(tx: Transaction) -> Poll:
            found = await repository.ticket(tx, token_hash(ticket))
            if found is None or found.expires_at < self._clock.now_ms():
                raise invalid("ticket", "The ticket is unknown or expired.", "INVALID_OR_EXPIRED_TICKET")
            if not found.completed:
                return Poll(False)
            user = await self._users.require(found.user_id, tx)
            if (refusal := self.refusal(user)) is not None:
                raise refusal
            await repository.drop_ticket(tx, found.ticket_hash)
            issued = await self._sessions.issue(
                tx, user.id, found.address, origin.user_agent, origin.platform
            )
            return Poll(True, issued.token, issued.user_id)

        return await self._db.transact(work)
