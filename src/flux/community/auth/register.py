"""New accounts, and verifying their addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from flux.community import faults
from flux.community.auth.admission import Origin
from flux.community.auth.mails import VERIFY, Mails
from flux.community.auth.schemas import Issued, Register
from flux.community.auth.sessions import SessionService
from flux.community.envelope import entry, invalid
from flux.community.users import rules
from flux.community.users.records import NewAccount, UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import hash_password
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation
from flux.settings.community import CommunitySettings

EMAIL_PROOFS = 1 | 2 | 16 | 32 | 64 | 128
"""The suspicious-activity flags that a verified e-mail address clears."""
_TRIES = 5


class RegisterService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        sessions: SessionService,
        mails: Mails,
        settings: CommunitySettings,
        on_created: Callable[[Transaction, UserRow], Awaitable[None]],
        *,
        sandbox: bool,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._sessions = sessions
        self._mails = mails
        self._on_created = on_created
        self._minimum_age = settings.minimum_age
        self._first_is_admin = settings.first_account_is_admin and not sandbox

    async def register(self, body: Register, origin: Origin) -> Issued:
        """Raises a validation failure with every field that does not do."""
        self._check(body)
        username = body.username or rules.username_from(body.global_name or body.email or "")
        hashed = await hash_password(body.password) if body.password else None

        async def work(tx: Transaction) -> Issued:
            first = self._first_is_admin and not await self._users.anybody_here(tx)
            new = NewAccount(
                username=username,
                global_name=body.global_name or None,
                email=body.email or None,
                password_hash=hashed,
                date_of_birth=body.date_of_birth,
                acls=["*"] if first else None,
                address=origin.address,
            )
            user = await self._users.create(tx, new)
            await self._on_created(tx, user)
            if user.email is not None:
                await self._mails.verify(tx, user)
            return await self._sessions.issue(tx, user.id, origin.address, origin.user_agent, origin.platform)

        for _ in range(_TRIES):
            try:
                return await self._db.transact(work, serializable=self._first_is_admin)
            except UniqueViolation as taken:
                if "email" in taken.constraint:
                    raise invalid(
                        "email", "This e-mail address is already in use.", "EMAIL_ALREADY_IN_USE"
                    ) from None
        raise faults.SERVICE_UNAVAILABLE()

    def _check(self, body: Register) -> None:
        errors: list[dict[str, str]] = []
        if body.email and not rules.is_email(body.email):
            errors.append(entry("email", "This is not an e-mail address.", "INVALID_EMAIL"))
        if body.email and not body.password:
            errors.append(entry("password", "This field is required.", "REQUIRED"))
        if body.password and not body.email:
            errors.append(entry("email", "This field is required.", "REQUIRED"))
        born = rules.birthday(body.date_of_birth)
        if born is None:
            errors.append(entry("date_of_birth", "Expected a date as YYYY-MM-DD.", "INVALID_DATE"))
        elif not self._minimum_age <= rules.age(born, self._clock.now_ms()) <= 150:
            errors.append(entry("date_of_birth", f"You must be {self._minimum_age} or older.", "TOO_YOUNG"))
        if not body.consent:
            errors.append(entry("consent", "You must accept the terms.", "CONSENT_REQUIRED"))
        if errors:
            raise faults.VALIDATION_ERROR(errors=errors)

    # -- tokens from mails ------------------------------------------------------------------------------------

    async def verify(self, token: str) -> None:
        """The address in the mail is verified. Raises a validation failure on `token`."""

        async def work(tx: Transaction) -> None:
            user = await self._mails.redeem(tx, token, VERIFY)
            left = user.suspicious_flags & ~EMAIL_PROOFS
            await self._users.set(tx, user.id, email_verified=1, suspicious_flags=left)

        await self._db.transact(work)

    async def resend(self, user: UserRow) -> None:
        if user.email is None or (user.email_verified and not user.suspicious_flags & EMAIL_PROOFS):
            return

        async def work(tx: Transaction) -> None:
            await self._mails.verify(tx, user)

        await self._db.transact(work)
