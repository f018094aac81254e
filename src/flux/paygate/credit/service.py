"""Balances. What changes one does so inside the ledger's unit of work."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.amounts import from_base_units
from flux.paygate.credit import repository
from flux.paygate.credit.repository import Account
from flux.paygate.payment.rules import Terms, insufficient

USED = "payment_already_used"
MARGIN_SECONDS = 60
"""Processes need not agree about the time to the second."""


class Credits:
    def __init__(self, db: Database, clock: Clock, fresh_seconds: int = 360) -> None:
        """`fresh_seconds`: how long after it was first seen a signature may still pass for fresh."""
        self._db = db
        self._clock = clock
        self._digest_ms = (fresh_seconds + MARGIN_SECONDS) * 1000

    async def balance(self, payer: str, api_id: str, terms: Terms) -> int:
        return await repository.balance(self._db, account_of(payer, api_id, terms))

    async def deposit(self, tx: Transaction, payer: str, api_id: str, terms: Terms, amount: int) -> None:
        await repository.add(tx, account_of(payer, api_id, terms), amount, self._clock.now_ms())

    async def spend(self, tx: Transaction, payer: str, api_id: str, terms: Terms, digest: bytes) -> None:
        """The price of one call, with a signature that is good once. Raises INSUFFICIENT_PAYMENT."""
        now = self._clock.now_ms()
        if not await repository.use_digest(tx, digest, now + self._digest_ms):
            raise insufficient(terms, USED)
        account = account_of(payer, api_id, terms)
        if not await repository.spend(tx, account, terms.required, now):
            left = await repository.balance(tx, account)
            available = str(from_base_units(left, terms.decimals))
            raise insufficient(terms, "amount_too_low", left, available=available)

    async def give_back(self, tx: Transaction, account: Account, amount: int) -> None:
        await repository.add(tx, account, amount, self._clock.now_ms())

    async def take_back(self, tx: Transaction, account: Account, amount: int) -> int:
        """A deposit vanished from its chain: as much of it as is left, and how much that was."""
        while left := min(await repository.balance(tx, account), amount):
            # False when somebody spent from it between the two statements.
            if await repository.spend(tx, account, left, self._clock.now_ms()):
                return left
        return 0

    async def of_payer(self, payer: str) -> list[tuple[Account, int, int]]:
        return await repository.of_payer(self._db, payer)

    async def sweep(self, _: dict[str, Any]) -> None:
        """The schedule's. Idempotent."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await repository.sweep(tx, now)

        await self._db.transact(work)


def account_of(payer: str, api_id: str, terms: Terms) -> Account:
    return Account(payer, api_id, terms.chain.chain_id, terms.currency)


__all__ = ["Account", "Credits", "account_of"]
