"""Reserve, dispatch, settle: each one unit of work together with the call's row and the journal."""

from __future__ import annotations

import logging
from typing import Any

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.history.model import CallRow, Outcome
from flux.paygate.history.service import History
from flux.paygate.ledger import repository
from flux.paygate.ledger.model import Funds, Hold, Moved, PaymentRow, Request, transaction_key
from flux.paygate.ledger.rules import is_spent, month_of, next_state, quota_exceeded, refusal
from flux.paygate.payment.rules import Terms

log = logging.getLogger("flux.paygate.ledger")


class LeaseLost(Exception):
    """The reservation was taken back while the call was still being made ready."""


class Ledger:
    def __init__(self, db: Database, clock: Clock, history: History, max_releases: int) -> None:
        self._db = db
        self._clock = clock
        self._history = history
        self._max_releases = max_releases

    async def look(self, key: str) -> PaymentRow | None:
        return await repository.get(self._db, key)

    async def by_transaction(self, chain_id: int, tx_hash: str) -> PaymentRow | None:
        return await repository.by_transaction(self._db, chain_id, tx_hash)

    async def check_unspent(self, key: str, terms: Terms) -> None:
        """Before any chain is asked: a payment that is used up will not become better."""
        row = await self.look(key)
        if row is not None and is_spent(row):
            raise refusal(row, terms)

    async def reserve(self, funds: Funds, request: Request) -> Hold:
        """Raises QUOTA_EXCEEDED, or INSUFFICIENT_PAYMENT when somebody was faster."""
        now = self._clock.now_ms()
        period = month_of(now) if request.monthly_quota is not None else None

        async def work(tx: Transaction) -> None:
            if request.monthly_quota is not None and period is not None:
                used = await repository.use_quota(
                    tx, request.api_id, funds.payer, period, request.monthly_quota
                )
                if used is None:
                    known = await repository.quota_used(tx, request.api_id, funds.payer, period)
                    raise quota_exceeded(request.monthly_quota, known, now)
            if not await repository.reserve(tx, _reservation(funds, request, now)):
                row = await repository.get(tx, funds.key)
                assert row is not None
                raise refusal(row, funds.terms)
            await self._history.open(tx, _call_row(funds, request, now))
            await self._journal(tx, funds, request.api_id, now, [("reserve", funds.paid)])

        await self._db.transact(work)
        return Hold(funds, request.call_id, request.api_id, request.lease_ms, now, period)

    async def dispatched(self, hold: Hold) -> None:
        """The next thing that happens is the first byte to the target. Raises `LeaseLost`."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> bool:
            return await repository.dispatch(tx, hold.funds.key, hold.call_id, now + hold.lease_ms, now)

        if not await self._db.transact(work):
            raise LeaseLost

    async def note_settlement(self, hold: Hold, tx_hash: str) -> None:
        """The hash of a settlement that is about to be broadcast."""
        funds = hold.funds

        async def work(tx: Transaction) -> None:
            await repository.note_settlement(tx, funds.key, hold.call_id, tx_hash)
            await self._claim(tx, funds.terms, funds.payer, tx_hash, hold.api_id, hold.call_id)

        await self._db.transact(work)

    async def forget_settlement(self, hold: Hold) -> None:
        """The chain did not take the settlement, so none is on its way."""

        async def work(tx: Transaction) -> None:
            await repository.note_settlement(tx, hold.funds.key, hold.call_id, None)

        await self._db.transact(work)

    async def claim_transaction(self, terms: Terms, payer: str, tx_hash: str) -> None:
        """A settlement made for another resource server: it pays nobody here."""

        async def work(tx: Transaction) -> None:
            await self._claim(tx, terms, payer, tx_hash, "", "")

        await self._db.transact(work)

    async def _claim(
        self, tx: Transaction, terms: Terms, payer: str, tx_hash: str, api_id: str, call_id: str
    ) -> None:
        values = {
            "key": transaction_key(terms.chain.chain_id, tx_hash),
            "chain_id": terms.chain.chain_id,
            "tx_hash": tx_hash,
            "api_id": api_id,
            "payer": payer,
            "call_id": call_id,
            "currency": terms.currency,
            "now": self._clock.now_ms(),
        }
        await repository.claim_transaction(tx, values)

    async def mark_settled(self, key: str, moved: Moved) -> None:
        """An authorisation whose settlement was unknown turned out to have moved its money."""

        async def work(tx: Transaction) -> None:
            await repository.mark_settled(tx, key, moved.tx_hash, moved.block_number, moved.block_hash)

        await self._db.transact(work)

    async def settle(self, hold: Hold, outcome: Outcome, moved: Moved | None = None) -> str:
        """Close the call; what became of its payment: consumed or released. `moved`: it was settled just now."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> str:
            if moved is not None:
                await repository.mark_settled(
                    tx, hold.funds.key, moved.tx_hash, moved.block_number, moved.block_hash
                )
                await self._history.set_transaction(tx, hold.call_id, moved.tx_hash)
            row = await repository.get(tx, hold.funds.key)
            if row is None or row.call_id != hold.call_id or is_spent(row) or row.state == "released":
                log.warning("call %s was settled before it ended", hold.call_id)
                status = "released" if row is not None and row.state == "released" else "consumed"
                await self._history.close(tx, hold.call_id, outcome, status, now)
                return status
            return await self._settle_row(tx, row, outcome, hold.period, now)

        return await self._db.transact(work)

    async def finish_stream(self, hold: Hold, status: str, sent: int) -> None:
        """A stream whose payment was decided at its first byte has ended."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await self._history.finish(tx, hold.call_id, status, sent, now)

        await self._db.transact(work)

    async def expire(self, row: PaymentRow) -> None:
        """A lease that ran out: whoever held it died. What may have been sent counts as used, and is looked at."""
        now = self._clock.now_ms()
        dispatched = row.state == "dispatched"
        outcome = Outcome("aborted", charge=dispatched, seen=dispatched, error_code=None)

        async def work(tx: Transaction) -> None:
            current = await repository.get(tx, row.payment_key)
            if current is None or current.call_id != row.call_id or current.state != row.state:
                return
            if current.lease_until >= now:
                return
            await self._settle_row(tx, current, outcome, month_of(row.created_at), now)
            if dispatched:
                await repository.mark_for_review(tx, row.payment_key)

        await self._db.transact(work)

    async def run_out(self, limit: int = 100) -> list[PaymentRow]:
        return await repository.run_out(self._db, self._clock.now_ms(), limit)

    async def journal(self, after: int, limit: int) -> list[dict[str, Any]]:
        return await repository.journal(self._db, after, limit)

    async def _settle_row(
        self, tx: Transaction, row: PaymentRow, outcome: Outcome, period: str | None, now: int
    ) -> str:
        state, releases = next_state(outcome, row.releases, self._max_releases)
        final_at = row.block_number if state == "consumed" else None
        if not await repository.settle(tx, row.payment_key, row.call_id, state, releases, final_at, now):
            # Between our read and this write somebody else settled it: theirs is the truth, and theirs the journal.
            return state
        await self._history.close(tx, row.call_id, outcome, state, now)
        paid, required = int(row.paid_base), int(row.required_base)
        if state == "released":
            if period is not None:
                await repository.give_back_quota(tx, row.api_id, row.payer, period)
            moves = [("release", -paid)]
        else:
            moves = [("charge", -required)] + ([("surplus", required - paid)] if paid > required else [])
        await self._move(tx, row, paid, moves, now)
        return state

    async def _move(
        self, tx: Transaction, row: PaymentRow, balance: int, moves: list[tuple[str, int]], now: int
    ) -> None:
        entries: list[dict[str, Any]] = []
        for kind, amount in moves:
            balance += amount
            entries.append(
                {
                    "at": now,
                    "kind": kind,
                    "payment": row.payment_key,
                    "payer": row.payer,
                    "api_id": row.api_id,
                    "chain_id": row.chain_id,
                    "currency": row.currency,
                    "amount_base": str(amount),
                    "balance_after": str(balance),
                }
            )
        await repository.write_journal(tx, entries)

    async def _journal(
        self, tx: Transaction, funds: Funds, api_id: str, now: int, moves: list[tuple[str, int]]
    ) -> None:
        row = PaymentRow(
            payment_key=funds.key, state="reserved", chain_id=funds.terms.chain.chain_id, tx_hash=funds.tx_hash,
            api_id=api_id, payer=funds.payer, call_id="", lease_until=0, releases=0, currency=funds.terms.currency,
            paid_base=str(funds.paid), required_base="0", block_number=None, block_hash=None, created_at=now,
        )  # fmt: skip
        await self._move(tx, row, 0, moves, now)


def _reservation(funds: Funds, request: Request, now: int) -> dict[str, Any]:
    return {
        "key": funds.key,
        "chain_id": funds.terms.chain.chain_id,
        "tx_hash": funds.tx_hash,
        "api_id": request.api_id,
        "payer": funds.payer,
        "call_id": request.call_id,
        "lease_until": now + request.lease_ms,
        "currency": funds.terms.currency,
        "paid_base": str(funds.paid),
        "required_base": str(funds.terms.required),
        "block_number": funds.block_number,
        "block_hash": funds.block_hash,
        "now": now,
    }


def _call_row(funds: Funds, request: Request, now: int) -> CallRow:
    terms = funds.terms
    return CallRow(
        id=request.call_id,
        api_id=request.api_id,
        api_name=request.api_name,
        consumer=funds.payer,
        provider=request.provider,
        method=request.method,
        path=request.path,
        query=request.query,
        tx_hash=funds.tx_hash,
        chain=terms.chain.name,
        amount_base=str(terms.required),
        amount=terms.amount,
        currency=terms.currency,
        payment_flow=funds.flow,
        payment_key=funds.key,
        status="in_progress",
        http_status=None,
        error_code=None,
        latency_ms=None,
        request_bytes=request.request_bytes,
        response_bytes=None,
        payment_status=None,
        created_at=now,
        completed_at=None,
    )
