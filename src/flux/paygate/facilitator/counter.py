"""The facilitator's counter for others: gas is spent only on transfers to somebody a listing pays, and once each."""

from __future__ import annotations

import asyncio

from flux.kernel.store import Transaction
from flux.paygate.facilitator.model import Payload, Refused, Requirement, Settlement
from flux.paygate.facilitator.service import Facilitator
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.listings.service import Listings


class Counter:
    def __init__(self, facilitator: Facilitator, listings: Listings, settlements: Settlements) -> None:
        self._facilitator = facilitator
        self._listings = listings
        self._settlements = settlements
        self._settling: dict[str, asyncio.Task[Settlement]] = {}

    async def verify(self, payload: Payload, requirement: Requirement) -> None:
        """Raises `Refused`, or `ChainFailure`."""
        if not self._facilitator.serves(requirement.chain):
            raise Refused("invalid_network", payer=payload.payer)
        if not await self._listings.is_recipient(requirement.pay_to):
            raise Refused("invalid_payment_requirements", "payTo is not paid by any listing", payload.payer)
        await self._facilitator.verify(payload, requirement)

    async def settle(self, payload: Payload, requirement: Requirement) -> Settlement:
        """The same authorisation asked for twice at once is sent once."""
        key = payload.key(requirement.chain.chain_id, requirement.token.address)
        running = self._settling.get(key)
        if running is None:
            running = self._settling[key] = asyncio.ensure_future(self._settle(payload, requirement))
            running.add_done_callback(lambda _: self._settling.pop(key, None))
        return await asyncio.shield(running)

    async def _settle(self, payload: Payload, requirement: Requirement) -> Settlement:
        await self.verify(payload, requirement)

        async def note(tx: Transaction, tx_hash: str) -> None:
            await self._settlements.claim(tx, requirement.chain.chain_id, payload.payer, tx_hash)

        return await self._facilitator.settle(payload, requirement, note)
