"""On-chain settlements of authorisations: noted before they are broadcast, so that none is ever sent twice or lost."""

from __future__ import annotations

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.ledger import repository
from flux.paygate.ledger.model import Hold, Moved, PaymentRow, transaction_key


class Settlements:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def note(self, tx: Transaction, hold: Hold, tx_hash: str) -> None:
        """The hash of a settlement that is about to be broadcast, in the unit that makes it."""
        await repository.note_settlement(tx, hold.key, hold.call_id, tx_hash)
        chain_id, payer = hold.funds.terms.chain.chain_id, hold.funds.payer
        await self._claim(tx, chain_id, payer, tx_hash, hold.api_id, hold.call_id)

    async def adopt(self, hold: Hold, tx_hash: str) -> bool:
        """A transaction of somebody else moved this call's money. False when it has paid for something already."""
        terms, payer = hold.funds.terms, hold.funds.payer

        async def work(tx: Transaction) -> bool:
            if not await self._claim(tx, terms.chain.chain_id, payer, tx_hash, hold.api_id, hold.call_id):
                return False
            await repository.note_settlement(tx, hold.key, hold.call_id, tx_hash)
            return True

        return await self._db.transact(work)

    async def own(self, row: PaymentRow, tries: list[list[str]]) -> list[list[str]]:
        """Of what was sent to settle an authorisation: what was sent for this payment's calls. The rest was settled for
        other resource servers, and bought something there. One of the hashes of a nonce tells for all."""
        found: list[list[str]] = []
        for hashes in tries:
            for tx_hash in hashes:
                claim = await repository.get(self._db, transaction_key(row.chain_id, tx_hash))
                if tx_hash == row.tx_hash or (claim is not None and claim.api_id == row.api_id):
                    found.append(hashes)
                    break
        return found

    async def forget(self, hold: Hold) -> None:
        """The chain did not take the settlement, so none is on its way."""

        async def work(tx: Transaction) -> None:
            await repository.note_settlement(tx, hold.key, hold.call_id, None)

        await self._db.transact(work)

    async def claim(self, tx: Transaction, chain_id: int, payer: str, tx_hash: str) -> None:
        """A settlement that no call waits for, or of another resource server: as a transaction it pays nobody here."""
        await self._claim(tx, chain_id, payer, tx_hash, "", "")

    async def mark(self, key: str, moved: Moved) -> None:
        """An authorisation whose settlement was unknown turned out to have moved its money."""

        async def work(tx: Transaction) -> None:
            await repository.mark_settled(tx, key, moved.tx_hash, moved.block_number, moved.block_hash)

        await self._db.transact(work)

    async def _claim(
        self, tx: Transaction, chain_id: int, payer: str, tx_hash: str, api_id: str, call_id: str
    ) -> bool:
        """False when the transaction is known."""
        values = {
            "key": transaction_key(chain_id, tx_hash),
            "chain_id": chain_id,
            "tx_hash": tx_hash,
            "api_id": api_id,
            "payer": payer,
            "call_id": call_id,
            "currency": "USDC",
            "paid_base": "0",
            "block_number": None,
            "block_hash": None,
            "now": self._clock.now_ms(),
        }
        return await repository.insert_consumed(tx, values)
