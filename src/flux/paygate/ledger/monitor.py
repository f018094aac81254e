"""Reorganisations: consumed payments are looked at again until they are deep enough to be final.

A receipt that moved to another block is still good. One that vanished, or failed there, is orphaned: revenue is
reversed, an event says so, and the transaction may pay again only from another block.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from flux.kernel.bus.port import Bus
from flux.kernel.faults import PortFailure
from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.chains.decoding import Receipt
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader
from flux.paygate.credit.service import Account, Credits
from flux.paygate.history.service import History
from flux.paygate.ledger import journal, repository
from flux.paygate.ledger.model import PaymentRow

log = logging.getLogger("flux.paygate.ledger")
KIND = "paygate.reorgs"
PAGE = 50
"""Receipts asked for at once."""
ORPHANED = "paygate.payment.orphaned"


class ReorgMonitor:
    def __init__(
        self, db: Database, bus: Bus, clock: Clock, chains: ChainReader, history: History, credits: Credits
    ) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._chains = chains
        self._history = history
        self._credits = credits
        self._missing: dict[int, set[str]] = {}
        """Payments that the last look at a chain did not find."""

    async def look(self, _: dict[str, Any]) -> None:
        """The schedule's. Idempotent; a chain that cannot be asked is asked the next time."""
        for chain in self._chains.chains:
            if not chain.rpc_urls:
                continue
            try:
                await self._look_at(chain)
            except PortFailure as failure:
                log.warning("payments on %s were not checked again: %s", chain.name, failure)

    async def _look_at(self, chain: Chain) -> None:
        """All of them, page by page: the newest blocks are the ones that are replaced."""
        block, key = -1, ""
        missed = self._missing.pop(chain.chain_id, set())
        while rows := await repository.watched(self._db, chain.chain_id, block, key, PAGE):
            await self._look_at_page(chain, [row for row in rows if row.tx_hash is not None], missed)
            block, key = rows[-1].block_number or 0, rows[-1].payment_key
            if len(rows) < PAGE:
                return

    async def _look_at_page(self, chain: Chain, rows: list[PaymentRow], missed: set[str]) -> None:
        if not rows:
            return
        # The head first: a receipt may only be newer than it, so that nothing is final too early.
        head = await self._chains.head(chain)
        receipts = await self._chains.receipts(chain, [row.tx_hash or "" for row in rows])
        final: list[str] = []
        for row, receipt in zip(rows, receipts, strict=True):
            if receipt is None:
                if not await self._is_replaced(chain, row, head):
                    continue
                self._missing.setdefault(chain.chain_id, set()).add(row.payment_key)
                if row.payment_key in missed:
                    await self._orphan(chain, row)
            elif receipt.status != 1:
                await self._orphan(chain, row)
            elif head - receipt.block_number >= chain.finality_depth:
                final.append(row.payment_key)
            elif (receipt.block_number, receipt.block_hash) != (row.block_number, row.block_hash):
                await self._watch(row, receipt)
        if final:
            await self._leave(final)

    async def _is_replaced(self, chain: Chain, row: PaymentRow, head: int) -> bool:
        """A node that lags behind, or forgets, does not know a receipt either: that is no reorganisation. What is to be
        mined again usually is soon, so that only what is missing twice in a row has vanished."""
        if row.block_number is None or head < row.block_number:
            return False
        block_hash = await self._chains.block_hash(chain, row.block_number)
        return block_hash is not None and block_hash != row.block_hash

    async def _watch(self, row: PaymentRow, receipt: Receipt) -> None:
        async def work(tx: Transaction) -> None:
            await repository.watch_at(tx, row.payment_key, receipt.block_number, receipt.block_hash)

        await self._db.transact(work)

    async def _leave(self, keys: list[str]) -> None:
        async def work(tx: Transaction) -> None:
            await repository.leave(tx, keys)

        await self._db.transact(work)

    async def _orphan(self, chain: Chain, row: PaymentRow) -> None:
        log.warning("payment %s vanished from %s", row.payment_key, chain.name)
        now = self._clock.now_ms()
        self._chains.forget(chain, row.tx_hash or "")
        event = {"payment": row.payment_key, "payer": row.payer, "apiId": row.api_id, "callId": row.call_id}

        async def work(tx: Transaction) -> None:
            if not await repository.orphan(tx, row.payment_key, row.block_hash, now):
                return
            required = int(row.required_base)
            if required:
                await self._history.set_payment_status(tx, row.call_id, "orphaned")
                moves = [("reversal", required), ("orphaned", -required)]
                await journal.write(tx, journal.subject_of(row), 0, moves, now)
            else:
                await self._withdraw(tx, row, now)
            self._bus.tell(tx, ORPHANED, msgspec.json.encode(event))

        await self._db.transact(work)

    async def _withdraw(self, tx: Transaction, row: PaymentRow, now: int) -> None:
        """A deposit of credit vanished: what is left of it goes, what was spent stays uncovered."""
        account = Account(row.payer, row.api_id, row.chain_id, row.currency)
        paid = int(row.paid_base)
        taken = await self._credits.take_back(tx, account, paid)
        moves = [("withdraw", taken), ("uncovered", paid - taken), ("orphaned", -paid)]
        await journal.write(tx, journal.subject_of(row), 0, [move for move in moves if move[1]], now)
