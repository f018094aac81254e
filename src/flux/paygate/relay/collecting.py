"""Payments by transfer authorisation: verified before the target is called, collected once it has answered well."""

from __future__ import annotations

from flux.kernel.faults import FaultError
from flux.kernel.store import Transaction
from flux.paygate.chains.nodes import ChainFailure
from flux.paygate.envelope import chain_fault
from flux.paygate.facilitator.model import Payload, Refused, Requirement, Settlement
from flux.paygate.facilitator.payloads import RECEIPTS, BadPayload, encoded, from_header
from flux.paygate.facilitator.refusals import fault_of
from flux.paygate.facilitator.rules import signed_by_payer
from flux.paygate.facilitator.service import Facilitator
from flux.paygate.faults import INVALID_REQUEST
from flux.paygate.ledger.model import Funds, Hold, Moved, PaymentRow
from flux.paygate.ledger.rules import is_spent, refusal
from flux.paygate.ledger.service import Ledger
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.payment.rules import Terms
from flux.paygate.relay.asked import Asked, Bill, Collected
from flux.paygate.relay.exchange import NotCollected
from flux.paygate.relay.proofs import Presented
from flux.paygate.replays.model import Kept
from flux.paygate.replays.service import Replays

PENDING = "settlement_pending"


class Collector:
    def __init__(
        self, facilitator: Facilitator, ledger: Ledger, settlements: Settlements, replays: Replays
    ) -> None:
        self._replays = replays
        self._facilitator = facilitator
        self._ledger = ledger
        self._settlements = settlements

    async def bill(self, asked: Asked, requirement: Requirement, shown: Presented) -> Bill | Kept:
        """The header's payment, verified; or the answer this very request got before. Raises declared faults.

        Nothing is left to collect when the money moved before, for a call that got no answer.
        """
        assert shown.x402 is not None
        await asked.body()
        terms = terms_of_requirement(requirement)
        try:
            payload = from_header(*shown.x402)
        except BadPayload as error:
            raise INVALID_REQUEST(reason="bad_payment_payload", detail={"expected": str(error)}) from None
        except Refused as refused:
            raise fault_of(refused, requirement, terms) from None
        kept = await self._kept(asked, payload, requirement, terms, shown.idempotency_key)
        if kept is not None:
            return kept
        key = payload.key(requirement.chain.chain_id, requirement.token.address)
        row = await self._ledger.look(key)
        if row is not None and is_spent(row):
            raise refusal(row, terms)
        try:
            moved = await self._moved_before(row, payload, requirement, terms)
            if not moved:
                await self._facilitator.verify(payload, requirement)
        except Refused as refused:
            raise fault_of(refused, requirement, terms, network=payload.network) from None
        except ChainFailure as failure:
            raise chain_fault(failure, failure.chain) from failure
        funds = Funds(
            key=key,
            flow="x402-v1" if payload.version == 1 else "x402-v2",
            terms=terms,
            payer=payload.payer,
            paid=requirement.amount,
            tx_hash=row.tx_hash if row is not None and moved else None,
        )

        async def collect(hold: Hold) -> Collected:
            return await self._collect(hold, payload, requirement, terms)

        return Bill(funds, None if moved else collect)

    async def _kept(
        self, asked: Asked, payload: Payload, requirement: Requirement, terms: Terms, key: str | None
    ) -> Kept | None:
        """Only for who is proven to have signed, which is cheap to tell for wallets that are no contracts."""
        remembered = await asked.remembered(key)
        if remembered is None or not signed_by_payer(payload, requirement):
            return None
        return await self._replays.find(asked.listing.id, [payload.payer], remembered, terms)

    async def _moved_before(
        self, row: PaymentRow | None, payload: Payload, requirement: Requirement, terms: Terms
    ) -> bool:
        """Whether an earlier attempt settled after all. Never a second transfer while one may still be mined."""
        if row is None or row.settled:
            return row is not None
        tries = await self._tries(row, payload, requirement)
        if not tries:
            return False
        found = await self._facilitator.look(tries, payload, requirement)
        if found is None:
            raise fault_of(Refused(PENDING), requirement, terms, tries[0][0])
        if found.success:
            moved = Moved(found.transaction, found.block_number, found.block_hash)
            await self._settlements.mark(row.payment_key, moved)
        return found.success

    async def _tries(self, row: PaymentRow, payload: Payload, requirement: Requirement) -> list[list[str]]:
        """What was sent to settle the payment for calls of this listing, newest first."""
        tries = await self._settlements.own(row, await self._facilitator.sent(payload, requirement))
        if row.tx_hash is not None and not any(row.tx_hash in hashes for hashes in tries):
            tries = [[row.tx_hash], *tries]
        return tries

    async def _moved_meanwhile(
        self, hold: Hold, payload: Payload, requirement: Requirement
    ) -> Settlement | None:
        """The settlement of an earlier call that ended without one after this call was verified, or somebody else's."""
        row = await self._ledger.look(hold.key)
        tries = await self._tries(row, payload, requirement) if row is not None else []
        if tries:
            try:
                found = await self._facilitator.look(tries, payload, requirement)
            except ChainFailure:
                found = None
            if found is None:
                return Settlement(
                    False, payload.payer, requirement.chain, requirement.amount, tries[0][0], PENDING
                )
            if found.success:
                return found
        other = await self._facilitator.moved_by_another(payload, requirement)
        if other is not None and await self._settlements.adopt(hold, other.transaction):
            return other
        return None

    async def _collect(
        self, hold: Hold, payload: Payload, requirement: Requirement, terms: Terms
    ) -> Collected:
        async def note(tx: Transaction, tx_hash: str) -> None:
            await self._settlements.note(tx, hold, tx_hash)

        try:
            settlement = await self._facilitator.settle(payload, requirement, note)
        except ChainFailure as failure:
            raise NotCollected(chain_fault(failure, failure.chain)) from failure
        if not settlement.success and settlement.reason != PENDING:
            if not settlement.transaction:
                # What was noted went nowhere, and must not be waited for.
                await self._settlements.forget(hold)
            settlement = await self._moved_meanwhile(hold, payload, requirement) or settlement
        receipt = {RECEIPTS[payload.version]: encoded(settlement.shown(payload.version))}
        if not settlement.success:
            raise NotCollected(self._refused(settlement, requirement, terms, receipt))
        return Collected(
            Moved(settlement.transaction, settlement.block_number, settlement.block_hash), receipt
        )

    @staticmethod
    def _refused(
        settlement: Settlement, requirement: Requirement, terms: Terms, receipt: dict[str, str]
    ) -> FaultError:
        error = fault_of(Refused(settlement.reason), requirement, terms, settlement.transaction)
        return FaultError(
            error.fault, error.params, error.detail, error.extra, {**error.extra_headers, **receipt}
        )


def terms_of_requirement(requirement: Requirement) -> Terms:
    return Terms(
        requirement.chain,
        "USDC",
        requirement.token.address,
        requirement.token.decimals,
        requirement.pay_to,
        requirement.amount,
    )
