"""The second step of a login: a ticket for whoever knew the password, and the factor that redeems it.

A ticket lives five minutes, bears ten tries and gives one session, however many redeem it at once; all tickets of an
account together bear a few times as many in a quarter of an hour. A passkey can also be
the only step: its authenticator has then checked who holds it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flux.community import faults
from flux.community.auth import ticket_repository as repository
from flux.community.auth.admission import Admission, Origin
from flux.community.auth.schemas import Issued, MfaPasskey, MfaRequired
from flux.community.envelope import invalid
from flux.community.factors import rules
from flux.community.factors.service import FactorService, wrong_code
from flux.community.passkeys.schemas import PasskeyAnswer
from flux.community.passkeys.service import PasskeyService
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.identity import new_token, token_hash
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunityLimits

TICKET_MS = 300_000
TRIES = 10
_METHODS = ("totp", "sms", "webauthn")
Check = Callable[[Transaction, UserRow], Awaitable[bool]]


class SecondStep:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        admission: Admission,
        factors: FactorService,
        passkeys: PasskeyService,
        quota: Quota,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._admission = admission
        self._factors = factors
        self._passkeys = passkeys
        self._quota = quota
        self._guesses = Rate.parse(limits.second_steps_per_account)

    async def begin(self, user: UserRow) -> MfaRequired:
        """A ticket for an account with a second factor."""
        ticket = new_token()
        expires = self._clock.now_ms() + TICKET_MS
        values = {"hash": token_hash(ticket), "user_id": user.id, "expires_at": expires}
        await self._db.transact(lambda tx: repository.add(tx, values))
        has = {method: kind in user.authenticators for kind, method in enumerate(_METHODS)}
        hint = rules.phone_hint(user.phone) if has["sms"] and user.phone else None
        allowed = [method for method in _METHODS if has[method]]
        return MfaRequired(ticket, allowed, hint, has["sms"], has["totp"], has["webauthn"])

    async def code(self, ticket: str, code: str, origin: Origin) -> Issued:
        """A one-time code or a backup code. Raises validation failures on `ticket` and `code`, ACCOUNT_*."""
        return await self._redeem(
            ticket, origin, lambda tx, user: self._factors.check(tx, user, code, login=True)
        )

    async def text(self, ticket: str, code: str, origin: Origin) -> Issued:
        """A code from a text message. Raises as `code`."""
        return await self._redeem(
            ticket, origin, lambda tx, user: self._factors.check_text(tx, user, "login", code)
        )

    async def send_text(self, ticket: str) -> None:
        """Raises a validation failure on `ticket`, SMS_MFA_NOT_ENABLED, PHONE_RATE_LIMIT_EXCEEDED."""
        await self._factors.send_text(await self._holder(ticket), "login")

    async def passkey_options(self, ticket: str) -> dict[str, Any]:
        """Raises a validation failure on `ticket`, NO_PASSKEYS_REGISTERED."""
        return await self._passkeys.options_for(await self._holder(ticket), "mfa")

    async def passkey(self, body: MfaPasskey, origin: Origin) -> Issued:
        """Raises PASSKEY_AUTHENTICATION_FAILED, a validation failure on `ticket`, ACCOUNT_*."""
        user = await self._holder(body.ticket)
        proof = await self._passkeys.authenticate(body, "mfa", user.id)

        async def check(tx: Transaction, _: UserRow) -> bool:
            await self._passkeys.record(tx, proof)
            return True

        return await self._redeem(body.ticket, origin, check)

    async def passkey_alone(self, body: PasskeyAnswer, origin: Origin) -> Issued:
        """A login by passkey and nothing else. Raises PASSKEY_AUTHENTICATION_FAILED, ACCOUNT_*."""
        proof = await self._passkeys.authenticate(body, "login")

        async def work(tx: Transaction) -> Issued:
            await self._passkeys.record(tx, proof)
            return await self._admission.admit(tx, proof.user_id, origin)

        return await self._db.transact(work)

    async def _redeem(self, ticket: str, origin: Origin, check: Check) -> Issued:
        hashed = token_hash(ticket)
        key = f"second:{(await self._holder(ticket)).id}"
        self._count(key)

        async def work(tx: Transaction) -> Issued | None:
            # The try is counted before anything is looked at, which also makes two with the same ticket wait in line.
            user_id = await repository.take_try(tx, hashed, self._clock.now_ms(), TRIES)
            if user_id is None:
                raise _no_ticket()
            user = await self._users.require(user_id, tx)
            self._admission.demand(user)
            if not await check(tx, user):
                return None
            await repository.drop(tx, hashed)
            return await self._admission.admit(tx, user_id, origin)

        issued = await self._db.transact(work)
        if issued is None:
            raise wrong_code()
        self._quota.forget(key)
        return issued

    def _count(self, key: str) -> None:
        """Tickets are for whoever knows the password, as many as they like. Raises RATE_LIMITED."""
        verdict = None if self._guesses is None else self._quota.count(key, self._guesses)
        if verdict is not None and not verdict.allowed:
            raise faults.rate_limited(verdict.retry_after)

    async def _holder(self, ticket: str) -> UserRow:
        user_id = await repository.holder(self._db, token_hash(ticket), self._clock.now_ms())
        if user_id is None:
            raise _no_ticket()
        return await self._users.require(user_id)

    async def sweep(self, tx: Transaction) -> None:
        """Tickets that have expired."""
        await repository.sweep(tx, self._clock.now_ms())


def _no_ticket() -> FaultError:
    return invalid("ticket", "The ticket is unknown or expired.", "INVALID_OR_EXPIRED_TICKET")
