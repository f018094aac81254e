"""Another e-mail address: a code from the old one, a code from the new one, then a token for `PATCH /users/@me`."""

from __future__ import annotations

from typing import Final

from flux.community.account import change_repository as repository
from flux.community.account.changes import Changes
from flux.community.account.schemas import EmailChangeStarted, NewEmailAsked
from flux.community.envelope import invalid
from flux.community.users import rules
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import Transaction

KIND: Final = "email"
ORIGINAL = "email-change-original"
NEW = "email-change-new"


class EmailChange:
    def __init__(self, changes: Changes, users: UserService) -> None:
        self._changes = changes
        self._db = changes.db
        self._users = users

    async def start(self, user: UserRow) -> EmailChangeStarted:
        """A verified address must agree; any other is passed by."""
        asks = user.email is not None and bool(user.email_verified)
        proof = None if asks else new_token()

        async def work(tx: Transaction) -> str:
            ticket = await self._changes.start(tx, user, KIND, proof)
            if asks:
                await self._changes.send(tx, user, ticket, ORIGINAL, user.email or "")
            return ticket

        ticket = await self._db.transact(work)
        expires, again = self._changes.times() if asks else (None, None)
        return EmailChangeStarted(ticket, asks, user.email, proof, expires, again)

    async def resend_original(self, user: UserRow, ticket: str) -> None:
        """Raises a validation failure on `ticket`."""
        row = await self._changes.require(user, KIND, ticket)
        if row.proof_hash is None and user.email is not None:
            to = user.email
            await self._db.transact(lambda tx: self._changes.send(tx, user, ticket, ORIGINAL, to))

    async def verify_original(self, user: UserRow, ticket: str, code: str) -> str:
        """The proof that the old address agrees. Raises validation failures on `ticket` and `code`."""
        await self._changes.require(user, KIND, ticket)
        proof = new_token()
        where = self._changes.where(user, KIND, ticket)

        async def then(tx: Transaction) -> None:
            await repository.set_proof(tx, where, token_hash(proof))

        await self._changes.redeem(user, ORIGINAL, ticket, user.email or "", code, then)
        return proof

    async def request_new(self, user: UserRow, ticket: str, address: str, proof: str) -> NewEmailAsked:
        """Raises validation failures on `ticket`, `original_proof` and `new_email`."""
        await self._changes.require(user, KIND, ticket, proof)
        if not rules.is_email(address):
            raise invalid("new_email", "This is not an e-mail address.", "INVALID_EMAIL")
        if await self._users.by_email(address) is not None:
            raise _in_use("new_email")
        where = self._changes.where(user, KIND, ticket)

        async def work(tx: Transaction) -> None:
            await repository.set_email(tx, where, address)
            await self._changes.send(tx, user, ticket, NEW, address)

        await self._db.transact(work)
        return NewEmailAsked(ticket, address, *self._changes.times())

    async def resend_new(self, user: UserRow, ticket: str) -> None:
        """Raises a validation failure on `ticket`."""
        row = await self._changes.require(user, KIND, ticket)
        if row.new_email is not None:
            to = row.new_email
            await self._db.transact(lambda tx: self._changes.send(tx, user, ticket, NEW, to))

    async def verify_new(self, user: UserRow, ticket: str, code: str, proof: str) -> str:
        """A token for the new address. Raises validation failures on `ticket`, `original_proof` and `code`."""
        row = await self._changes.require(user, KIND, ticket, proof)
        token, address = new_token(), row.new_email or ""
        where = self._changes.where(user, KIND, ticket)

        async def then(tx: Transaction) -> None:
            await repository.set_token(tx, where, address, token_hash(token))

        await self._changes.redeem(user, NEW, ticket, address, code, then)
        return token

    async def spend(self, tx: Transaction, user: UserRow, token: str) -> str:
        """The address behind a token, in the caller's unit. Raises a validation failure on `email_token`."""
        address = await repository.use_token(tx, self._changes.where(user, KIND, token))
        if address is None:
            raise invalid("email_token", "The token is unknown or expired.", "INVALID_OR_EXPIRED_TOKEN")
        return address


def _in_use(path: str) -> FaultError:
    return invalid(path, "This e-mail address is already in use.", "EMAIL_ALREADY_IN_USE")
