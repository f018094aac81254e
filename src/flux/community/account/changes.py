"""What changing an address and changing a password share: a ticket, codes by mail, and proofs that codes were right.

A ticket lives half an hour. Codes are counted and used up by the room codes; proofs and tokens are kept as hashes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from flux.community.account import change_repository as repository
from flux.community.account.change_repository import ChangeRow
from flux.community.auth.mails import Mails
from flux.community.codes.service import LIFETIME_MS, RESEND_MS, CodeService
from flux.community.envelope import invalid
from flux.community.factors.service import wrong_code
from flux.community.users.records import UserRow
from flux.kernel.faults import FaultError
from flux.kernel.identity import new_token, same, token_hash
from flux.kernel.store import Clock, Database, Reader, Transaction, iso

TICKET_MS = 1_800_000
Kind = Literal["email", "password"]


class Changes:
    def __init__(self, db: Database, clock: Clock, mails: Mails, codes: CodeService) -> None:
        self.db = db
        self.clock = clock
        self._mails = mails
        self._codes = codes

    async def start(self, tx: Transaction, user: UserRow, kind: Kind, proof: str | None = None) -> str:
        """A ticket; with `proof` its first code is not asked for."""
        ticket = new_token()
        values = {
            "hash": token_hash(ticket),
            "user_id": user.id,
            "kind": kind,
            "proof_hash": None if proof is None else token_hash(proof),
            "expires_at": self.clock.now_ms() + TICKET_MS,
        }
        await repository.add(tx, values)
        return ticket

    def where(self, user: UserRow, kind: Kind, secret: str) -> dict[str, Any]:
        """How the repository finds a change by its ticket or token."""
        return {"hash": token_hash(secret), "user_id": user.id, "kind": kind, "now": self.clock.now_ms()}

    async def require(
        self, user: UserRow, kind: Kind, ticket: str, proof: str | None = None, reader: Reader | None = None
    ) -> ChangeRow:
        """Raises validation failures on `ticket` and, where the step needs it, on `original_proof`."""
        row = await repository.find(reader or self.db, self.where(user, kind, ticket))
        if row is None:
            raise no_ticket()
        if proof is not None and (row.proof_hash is None or not same(row.proof_hash, token_hash(proof))):
            raise invalid("original_proof", "The proof is wrong.", "INVALID_PROOF")
        return row

    async def send(self, tx: Transaction, user: UserRow, ticket: str, kind: str, to: str) -> None:
        """A code of that kind to an address; nothing within thirty seconds of the last."""
        code = await self._codes.issue(tx, kind, _subject(ticket, to), user.id)
        if code is not None:
            await self._mails.code(tx, user, to, kind, code)

    async def redeem(
        self,
        user: UserRow,
        kind: str,
        ticket: str,
        to: str,
        code: str,
        then: Callable[[Transaction], Awaitable[None]],
    ) -> None:
        """`then` in the unit that uses the code up. Raises a validation failure on `code`."""

        async def work(tx: Transaction) -> bool:
            right = await self._codes.use(tx, kind, _subject(ticket, to), code)
            if right:
                await then(tx)
            return right

        if not await self.db.transact(work):
            raise wrong_code()

    def times(self) -> tuple[str, str]:
        """(when a code sent now expires, when it can be sent again)."""
        now = self.clock.now_ms()
        return iso(now + LIFETIME_MS), iso(now + RESEND_MS)

    async def sweep(self, tx: Transaction) -> None:
        """Tickets that have expired."""
        await repository.sweep(tx, self.clock.now_ms())


def _subject(ticket: str, to: str) -> str:
    return f"{token_hash(ticket).hex()}:{to}"


def no_ticket() -> FaultError:
    return invalid("ticket", "The ticket is unknown or expired.", "INVALID_OR_EXPIRED_TICKET")
