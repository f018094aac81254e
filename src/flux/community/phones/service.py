"""Proving a number, adding it to an account, removing it."""

from __future__ import annotations

from flux.community import faults
from flux.community.codes.service import CodeService
from flux.community.factors.service import FactorService
from flux.community.phones import repository, rules
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation

PURPOSE = "phone"
TOKEN_MS = 600_000


class PhoneService:
    def __init__(
        self, db: Database, clock: Clock, users: UserService, codes: CodeService, factors: FactorService
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._codes = codes
        self._factors = factors

    async def send(self, user: UserRow, text: str) -> None:
        """A code to the number. Raises INVALID_PHONE_NUMBER, PHONE_ALREADY_USED, PHONE_RATE_LIMIT_EXCEEDED."""
        phone = rules.number(text)
        if phone is None:
            raise faults.INVALID_PHONE_NUMBER()
        if await self._users.phone_holder(phone) not in (None, user.id):
            raise faults.PHONE_ALREADY_USED()
        await self._factors.text(user, phone, PURPOSE, _subject(user, phone))

    async def verify(self, user: UserRow, text: str, code: str) -> str:
        """A token that stands for the number, for ten minutes. Raises INVALID_PHONE_NUMBER,
        INVALID_PHONE_VERIFICATION_CODE."""
        phone = rules.number(text)
        if phone is None:
            raise faults.INVALID_PHONE_NUMBER()
        proven = phone
        token = new_token()
        values = {
            "hash": token_hash(token),
            "user_id": user.id,
            "phone": proven,
            "expires_at": self._clock.now_ms() + TOKEN_MS,
        }

        async def work(tx: Transaction) -> bool:
            right = await self._codes.use(tx, PURPOSE, _subject(user, proven), code)
            if right:
                await repository.add(tx, values)
            return right

        if not await self._db.transact(work):
            raise faults.INVALID_PHONE_VERIFICATION_CODE()
        return token

    async def add(self, user: UserRow, token: str) -> None:
        """Raises PHONE_VERIFICATION_REQUIRED for a token that is missing, expired or another's; PHONE_ALREADY_USED."""

        async def work(tx: Transaction) -> None:
            found = await repository.use(tx, token_hash(token), user.id)
            if found is None or found.expires_at < self._clock.now_ms():
                raise faults.PHONE_VERIFICATION_REQUIRED()
            current = await self._users.require(user.id, tx)
            left = current.suspicious_flags & ~rules.PHONE_PROOFS
            await self._users.set(tx, user.id, phone=found.phone, suspicious_flags=left)

        try:
            await self._db.transact(work)
        except UniqueViolation:
            raise faults.PHONE_ALREADY_USED() from None

    async def remove(self, user: UserRow) -> None:
        """Text messages stop being a second factor."""

        async def work(tx: Transaction) -> None:
            await self._users.set(tx, user.id, phone=None, sms_mfa=0)

        await self._db.transact(work)

    async def sweep(self, tx: Transaction) -> None:
        """Tokens that have expired."""
        await repository.sweep(tx, self._clock.now_ms())


def _subject(user: UserRow, phone: str) -> str:
    return f"{user.id}:{phone}"
