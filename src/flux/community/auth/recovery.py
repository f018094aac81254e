"""Getting back into an account by mail: a forgotten password, an address that somebody else has changed."""

from __future__ import annotations

from flux.community.auth.admission import Admission, Origin
from flux.community.auth.mails import RESET, REVERT, Mails
from flux.community.auth.schemas import Issued, MfaRequired
from flux.community.auth.secondstep import SecondStep
from flux.community.auth.sessions import SessionService
from flux.community.envelope import invalid
from flux.community.users import rules
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import hash_password
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation


class Recovery:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        sessions: SessionService,
        admission: Admission,
        second: SecondStep,
        mails: Mails,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._sessions = sessions
        self._admission = admission
        self._second = second
        self._mails = mails

    async def forgot(self, email: str) -> None:
        """Says nothing about whether the account exists. Raises a validation failure for what is no address."""
        if not rules.is_email(email):
            raise invalid("email", "This is not an e-mail address.", "INVALID_EMAIL")
        user = await self._users.by_email(email)
        if user is None or user.password_hash is None:
            return
        found = user
        await self._db.transact(lambda tx: self._mails.reset(tx, found))

    async def reset(self, token: str, password: str, origin: Origin) -> Issued | MfaRequired:
        """A new password ends every session; the second factor is still asked for. Raises a validation failure on
        `token`, ACCOUNT_*."""
        hashed = await hash_password(password)

        async def work(tx: Transaction) -> tuple[UserRow, Issued | None]:
            user = await self._mails.redeem(tx, token, RESET)
            return await self._let_in(tx, user, hashed, origin, {"email_verified": 1})

        return await self._answer(*await self._db.transact(work))

    async def revert(self, token: str, password: str, origin: Origin) -> Issued | MfaRequired:
        """The address that the letter went to, and a new password; every session ends. Raises a validation failure on
        `token`, ACCOUNT_*."""
        hashed = await hash_password(password)

        async def work(tx: Transaction) -> tuple[UserRow, Issued | None]:
            found = await self._mails.take(tx, token, REVERT)
            user = None if found is None else await self._users.find(found.user_id, tx)
            if found is None or user is None:
                raise invalid("token", "The token is unknown or expired.", "INVALID_OR_EXPIRED_TOKEN")
            await self._mails.forget(tx, user.id, REVERT)
            address = {"email": found.email, "email_folded": rules.folded(found.email), "email_verified": 1}
            return await self._let_in(tx, user, hashed, origin, address)

        try:
            return await self._answer(*await self._db.transact(work))
        except UniqueViolation:
            raise invalid(
                "token", "The address belongs to another account by now.", "EMAIL_ALREADY_IN_USE"
            ) from None

    async def _let_in(
        self, tx: Transaction, user: UserRow, hashed: str, origin: Origin, more: dict[str, object]
    ) -> tuple[UserRow, Issued | None]:
        self._admission.demand(user)
        await self._sessions.end_all(tx, user.id)
        now = self._clock.now_ms()
        user = await self._users.set(tx, user.id, password_hash=hashed, password_changed_at=now, **more)
        return user, None if user.has_mfa else await self._admission.admit(tx, user.id, origin)

    async def _answer(self, user: UserRow, issued: Issued | None) -> Issued | MfaRequired:
        return await self._second.begin(user) if issued is None else issued
