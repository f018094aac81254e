"""Reserve, dispatch, settle: each one unit of work together with the call's row, quotas, credit and the journal."""

from __future__ import annotations

import logging
from typing import Any

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.credit.service import Account, Credits
from flux.paygate.history.model import Outcome
from flux.paygate.history.service import History
from flux.paygate.ledger import journal, repository
from flux.paygate.ledger.model import Funds, Hold, Moved, PaymentRow, Prepaid, Request
from flux.paygate.ledger.rows import call_row, deposit_values, reservation_values
from flux.paygate.ledger.rules import (
    OPEN_STATES,
    is_authorisation,
    is_spent,
    month_of,
    moves_nothing,
    next_state,
    quota_exceeded,
    refusal,
)
from flux.paygate.payment.rules import Terms, insufficient
from flux.paygate.replays.model import Kept
from flux.paygate.replays.service import Replays

log = logging.getLogger("flux.paygate.ledger")


class LeaseLost(Exception):
    """The reservation was taken back while the call was still being made ready."""


class Ledger:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        history: History,
        credits: Credits,
        replays: Replays,
        max_releases: int,
    ) -> None:
        self._db = db
        self._clock = clock
        self._history = history
        self._credits = credits
        self._replays = replays
        self._max_releases = max_releases

    # -- looking ----------------------------------------------------------------------------------------------

    async def look(self, key: str) -> PaymentRow | None:
        return await repository.get(self._db, key)

    async def by_transaction(self, chain_id: int, tx_hash: str) -> PaymentRow | None:
        return await repository.by_transaction(self._db, chain_id, tx_hash)

    async def check_unspent(self, row: PaymentRow | None, terms: Terms) -> None:
        """Before any chain is asked: a payment that is used up will not become better."""
        if row is not None and is_spent(row):
            raise refusal(row, terms)

    async def check_orphans(self, payer: str, terms: Terms) -> None:
        """Strict mode: who has a payment that a reorganisation took back pays that first."""
        if await repository.has_orphans(self._db, payer):
            raise insufficient(terms, "outstanding_orphaned_payment")

    async def journal(self, after: int, limit: int) -> list[dict[str, Any]]:
        return await repository.journal(self._db, after, limit)

    # -- a call's payment -------------------------------------------------------------------------------------

    async def reserve(self, funds: Funds, request: Request, *, dispatched: bool = False) -> Hold:
        """Raises QUOTA_EXCEEDED, or INSUFFICIENT_PAYMENT when somebody was faster or credit does not reach.

        `dispatched`: a connection to the target stands, so the next thing that happens is the first byte to it, and
        the reservation and its dispatch are one unit.
        """
        now = self._clock.now_ms()
        period = month_of(now) if request.monthly_quota is not None else None
        key = funds.key if funds.prepaid is None else f"credit:{request.call_id}"

        async def work(tx: Transaction) -> None:
            if request.remembered is not None:
                await self._replays.open(
                    tx, request.api_id, funds.payer, request.remembered, request.call_id, funds.terms
                )
            if request.monthly_quota is not None and period is not None:
                await self._use_quota(tx, request, funds.payer, period, request.monthly_quota, now)
            if funds.prepaid is not None:
                await self._spend_credit(tx, funds, funds.prepaid, request, now)
            if not await repository.reserve(
                tx, reservation_values(funds, key, request, now, dispatched=dispatched)
            ):
                row = await repository.get(tx, key)
                assert row is not None
                raise refusal(row, funds.terms)
            await self._history.open(tx, call_row(funds, key, request, now))
            subject = journal.subject_for(funds, key, request.api_id)
            await journal.write(tx, subject, 0, [("reserve", funds.paid)], now)

        await self._db.transact(work)
        return Hold(funds, key, request.call_id, request.api_id, request.lease_ms, period, request.remembered)

    async def dispatched(self, hold: Hold) -> None:
        """The next thing that happens is the first byte to the target. Raises `LeaseLost`."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> bool:
            return await repository.dispatch(tx, hold.key, hold.call_id, now + hold.lease_ms, now)

        if not await self._db.transact(work):
            raise LeaseLost

    async def settle(
        self, hold: Hold, outcome: Outcome, moved: Moved | None = None, answer: Kept | None = None
    ) -> str:
        """Close the call; what became of its payment: consumed, released or credited. Once begun it is done, even when
        whoever waits is cancelled. Raises `LeaseLost` when an authorisation pays for another call by now.

        `moved`: it was settled on chain just now. `answer` is kept where the consumer sent an Idempotency-Key.
        """
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> str:
            if moved is not None:
                await repository.mark_settled(
                    tx, hold.key, moved.tx_hash, moved.block_number, moved.block_hash
                )
                await self._history.set_transaction(tx, hold.call_id, moved.tx_hash)
            status = await self._settle_held(tx, hold, outcome, now)
            if status is None:
                return await self._overtaken(tx, hold, outcome, now)
            if hold.remembered is not None:
                await self._replays.close(tx, hold.call_id, answer if outcome.charge else None)
            return status

        return await self._db.transact_through(work)

    async def _settle_held(self, tx: Transaction, hold: Hold, outcome: Outcome, now: int) -> str | None:
        """None when the payment is settled already."""
        if outcome.charge:
            if not await repository.consume(tx, hold.key, hold.call_id, now, final=hold.funds.final):
                return None
            # What the reservation wrote of it is in the hold.
            await self._history.close(tx, hold.call_id, outcome, "consumed", now)
            paid = hold.funds.paid
            subject = journal.subject_for(hold.funds, hold.key, hold.api_id)
            await journal.write(tx, subject, paid, journal.charged(paid, hold.funds.terms.required), now)
            return "consumed"
        row = await repository.get(tx, hold.key)
        if row is None or row.call_id != hold.call_id or row.state not in OPEN_STATES:
            return None
        return await self._settle_row(tx, row, outcome, hold.period, now)

    async def _overtaken(self, tx: Transaction, hold: Hold, outcome: Outcome, now: int) -> str:
        """The lease ran out before the call ended, and what that did stands; only an authorisation that was given back then,
        and is settled now, must not be had once more."""
        log.warning("call %s was settled before it ended", hold.call_id)
        given_back = outcome.charge and await self._history.gave_back(tx, hold.call_id)
        if given_back and await repository.take_again(tx, hold.key, hold.call_id, now):
            paid = hold.funds.paid
            moves = [("reserve", paid), *journal.charged(paid, hold.funds.terms.required)]
            await journal.write(tx, journal.subject_for(hold.funds, hold.key, hold.api_id), 0, moves, now)
            await self._history.amend(tx, hold.call_id, outcome, "consumed", now)
            return "consumed"
        row = await repository.get(tx, hold.key)
        if outcome.charge and is_authorisation(hold.key) and row is not None and row.call_id != hold.call_id:
            # Presented again meanwhile: what it buys is that call's.
            raise LeaseLost
        status = "released" if row is not None and row.state == "released" else "consumed"
        await self._history.close(tx, hold.call_id, outcome, status, now)
        return status

    async def finish_stream(self, hold: Hold, status: str, sent: int) -> None:
        """A stream whose payment was decided at its first byte has ended."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            await self._history.finish(tx, hold.call_id, status, sent, now)

        await self._db.transact(work)

    # -- leases that ran out ----------------------------------------------------------------------------------

    async def run_out(self, limit: int = 100) -> list[PaymentRow]:
        return await repository.run_out(self._db, self._clock.now_ms(), limit)

    async def expire(self, row: PaymentRow) -> None:
        """Whoever held it died. What may have been sent counts as used, and is looked at. An authorisation is given
        back: whether it has moved its money is found out when it is presented again, and then it moves none."""
        now = self._clock.now_ms()
        dispatched = row.state == "dispatched"
        given_back = is_authorisation(row.payment_key)
        undecided = given_back and row.tx_hash is not None and not row.settled
        outcome = Outcome(
            "aborted", charge=dispatched and not given_back, seen=dispatched, undecided=undecided
        )

        async def work(tx: Transaction) -> None:
            current = await repository.get(tx, row.payment_key)
            if current is None or current.call_id != row.call_id or current.state != row.state:
                return
            if current.lease_until >= now:
                return
            # Of the call's month, which need not be the payment's.
            month = month_of(await self._history.began(tx, current.call_id, now))
            if await self._settle_row(tx, current, outcome, month, now) is None:
                return
            await self._replays.close(tx, current.call_id, None)
            if dispatched:
                await repository.mark_for_review(tx, row.payment_key)

        await self._db.transact(work)

    # -- inside the units of work -----------------------------------------------------------------------------

    @staticmethod
    async def _use_quota(
        tx: Transaction, request: Request, payer: str, period: str, limit: int, now: int
    ) -> None:
        if await repository.use_quota(tx, request.api_id, payer, period, limit) is None:
            used = await repository.quota_used(tx, request.api_id, payer, period)
            raise quota_exceeded(limit, used, now)

    async def _spend_credit(
        self, tx: Transaction, funds: Funds, prepaid: Prepaid, request: Request, now: int
    ) -> None:
        deposit = prepaid.deposit
        if deposit is not None:
            if await repository.insert_deposit(tx, deposit_values(deposit, request, now)):
                await self._credits.deposit(tx, deposit.payer, request.api_id, deposit.terms, deposit.paid)
                subject = journal.subject_for(deposit, deposit.key, request.api_id)
                await journal.write(
                    tx, subject, 0, [("reserve", deposit.paid), ("deposit", -deposit.paid)], now
                )
            else:
                row = await repository.get(tx, deposit.key)
                if row is None or (row.api_id, row.payer) != (request.api_id, deposit.payer):
                    raise insufficient(funds.terms, "payment_already_used")
        await self._credits.spend(tx, funds.payer, request.api_id, funds.terms, prepaid.digest)

    async def _settle_row(
        self, tx: Transaction, row: PaymentRow, outcome: Outcome, period: str | None, now: int
    ) -> str | None:
        """None when between the read and this write somebody else dispatched or settled it: theirs is the truth, and
        theirs the journal."""
        state, releases = next_state(outcome, row.releases, self._max_releases)
        watched = row.block_number if state == "consumed" else None
        if not await repository.settle(tx, row, state, releases, watched, now):
            return None
        return await self._book(tx, row, outcome, state, period, now)

    async def _book(
        self, tx: Transaction, row: PaymentRow, outcome: Outcome, state: str, period: str | None, now: int
    ) -> str:
        """The payment is `state` now: what follows for its call, its credit and the journal. The call's status: for an
        authorisation that is refused for good before it moved any money it is released too, and nothing is charged."""
        from_credit = row.payment_key.startswith("credit:")
        if state == "consumed" and moves_nothing(row, outcome):
            state = "released"
        status = "credited" if from_credit and state == "released" else state
        await self._history.close(tx, row.call_id, outcome, status, now)
        paid, required = int(row.paid_base), int(row.required_base)
        if state == "released":
            if period is not None:
                await repository.give_back_quota(tx, row.api_id, row.payer, period)
            if from_credit:
                account = Account(row.payer, row.api_id, row.chain_id, row.currency)
                await self._credits.give_back(tx, account, paid)
            moves = [("release", -paid)]
        else:
            moves = journal.charged(paid, required)
        await journal.write(tx, journal.subject_of(row), paid, moves, now)
        return status
