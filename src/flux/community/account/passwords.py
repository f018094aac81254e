"""Another password without the old one: a code by mail proves who asks."""

from __future__ import annotations

from typing import Final

from flux.community.account import change_repository as repository
from flux.community.account.changes import Changes, no_ticket
from flux.community.account.schemas import PasswordChangeStarted
from flux.community.auth.sessions import SessionService
from flux.community.envelope import invalid
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import hash_password, new_token, token_hash
from flux.kernel.store import Transaction

KIND: Final = "password"
CODE = "password-change"


class PasswordChange:
    def __init__(self, changes: Changes, users: UserService, sessions: SessionService) -> None:
        self._changes = changes
        self._db = changes.db
        self._users = users
        self._sessions = sessions

    async def start(self, user: UserRow) -> PasswordChangeStarted:
        """Raises a validation failure on `email` for accounts without one."""
        to = _address(user)

        async def work(tx: Transaction) -> str:
            ticket = await self._changes.start(tx, user, KIND)
            await self._changes.send(tx, user, ticket, CODE, to)
            return ticket

        return PasswordChangeStarted(await self._db.transact(work), *self._changes.times())

    async def resend(self, user: UserRow, ticket: str) -> None:
        """Raises a validation failure on `ticket`."""
        await self._changes.require(user, KIND, ticket)
        to = _address(user)
        await self._db.transact(lambda tx: self._changes.send(tx, user, ticket, CODE, to))

    async def verify(self, user: UserRow, ticket: str, code: str) -> str:
        """The proof to complete with. Raises validation failures on `ticket` and `code`."""
        await self._changes.require(user, KIND, ticket)
        proof = new_token()
        where = self._changes.where(user, KIND, ticket)

        async def then(tx: Transaction) -> None:
            await repository.set_proof(tx, where, token_hash(proof))

        await self._changes.redeem(user, CODE, ticket, _address(user), code, then)
        return proof

    async def complete(
        self, user: UserRow, ticket: str, proof: str, password: str, session: bytes | None
    ) -> None:
        """Every other session ends, `session` gets another token. Raises a validation failure on `ticket` for a ticket
        that is not proven, or was used."""
        hashed = await hash_password(password)
        now = self._changes.clock.now_ms()

        async def work(tx: Transaction) -> None:
            if not await repository.use(tx, self._changes.where(user, KIND, ticket), token_hash(proof)):
                raise no_ticket()
            await self._users.set(tx, user.id, password_hash=hashed, password_changed_at=now)
            await self._sessions.rotate(tx, user.id, session or b"")

        await self._db.transact(work)


def _address(user: UserRow) -> str:
    if user.email is None:
        raise invalid("email", "The account has no e-mail address.", "REQUIRED")
    return user.email
