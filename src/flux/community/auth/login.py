"""Logging in with a password, and addresses seen for the first time."""

from __future__ import annotations

from flux.community import faults
from flux.community.auth import repository
from flux.community.auth.admission import Admission, Origin
from flux.community.auth.mails import Mails
from flux.community.auth.schemas import Issued, Login, MfaRequired, Poll
from flux.community.auth.secondstep import SecondStep
from flux.community.envelope import entry, invalid
from flux.community.users import rules
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.identity import new_token, password_matches, token_hash
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunitySettings

TICKET_MS = 900_000
RESEND_MS = 30_000
RESENDS = 1
_WRONG = "The e-mail address or the password is wrong."


class LoginService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        admission: Admission,
        second: SecondStep,
        mails: Mails,
        quota: Quota,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._admission = admission
        self._second = second
        self._mails = mails
        self._quota = quota
        self._per_email = Rate.parse(settings.limits.login_per_email)
        self._per_address = Rate.parse(settings.limits.login_per_ip)
        self._ask_new_addresses = settings.ip_authorization

    async def login(self, body: Login, origin: Origin) -> Issued | MfaRequired:
        """A session, or what else is asked for. Raises RATE_LIMITED, a validation failure, ACCOUNT_*,
        IP_AUTHORIZATION_REQUIRED (of accounts without a second factor)."""
        mail_key = f"login:mail:{rules.folded(body.email)}"
        self._count(f"login:address:{origin.address}", self._per_address)
        self._count(mail_key, self._per_email)
        user = await self._users.by_email(body.email)
        if not await password_matches(body.password, user.password_hash if user else None) or user is None:
            wrong = [entry(path, _WRONG, "INVALID_EMAIL_OR_PASSWORD") for path in ("email", "password")]
            raise faults.VALIDATION_ERROR(errors=wrong)
        self._quota.forget(mail_key)
        self._admission.demand(user)
        return await self.go_on(user, origin)

    async def go_on(self, user: UserRow, origin: Origin) -> Issued | MfaRequired:
        """What follows a right password, or a letter that stands for one. Raises as `login`."""
        if user.has_mfa:
            return await self._second.begin(user)
        if self._ask_new_addresses and not await repository.knows_address(self._db, user.id, origin.address):
            raise await self._ask(user, origin.address)
        found = user
        return await self._db.transact(lambda tx: self._admission.admit(tx, found.id, origin))

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
            resend_available_in=RESEND_MS // 1000,
        )

    async def resend(self, ticket: str) -> None:
        """The mail again, with another token. Raises a validation failure on `ticket`,
        IP_AUTHORIZATION_RESEND_COOLDOWN, IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED."""
        token, now = new_token(), self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            found = await repository.ticket(tx, token_hash(ticket))
            if found is None or found.expires_at < now:
                raise _no_ticket()
            if not await repository.resend(
                tx, found.ticket_hash, token_hash(token), now, now - RESEND_MS, RESENDS
            ):
                if found.resent >= RESENDS:
                    raise faults.IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED()
                left = max(1, -(-(found.sent_at + RESEND_MS - now) // 1000))
                raise faults.IP_AUTHORIZATION_RESEND_COOLDOWN(resend_available_in=left)
            user = await self._users.require(found.user_id, tx)
            await self._mails.authorize(tx, user, token, found.address)

        await self._db.transact(work)

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
                raise _no_ticket()
            if not found.completed:
                return Poll(False)
            if not await repository.drop_ticket(tx, found.ticket_hash):
                raise _no_ticket()
            issued = await self._admission.admit(tx, found.user_id, origin, found.address)
            return Poll(True, issued.token, issued.user_id)

        return await self._db.transact(work)

    async def forget_addresses(self, user: UserRow) -> None:
        """Every address must be confirmed again, but those of sessions that live."""
        await self._db.transact(lambda tx: repository.forget_addresses(tx, user.id))

    async def forget(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: known addresses, and every letter that could still let somebody in."""
        await repository.forget_all(tx, user_id)


def _no_ticket() -> FaultError:
    return invalid("ticket", "The ticket is unknown or expired.", "INVALID_OR_EXPIRED_TICKET")
