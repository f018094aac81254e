"""The state of a payment: the ledger's word where it has one, else the chain's."""

from __future__ import annotations

from typing import Any

from flux.paygate.chains.nodes import ChainFailure
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader
from flux.paygate.envelope import chain_fault
from flux.paygate.ledger.service import Ledger


class PaymentStates:
    def __init__(self, ledger: Ledger, chains: ChainReader) -> None:
        self._ledger = ledger
        self._chains = chains

    async def describe(self, chain: Chain, tx_hash: str, viewer: str | None) -> dict[str, Any]:
        """`{txHash, chain, state, confirmations, required, apiId, callId}`; sums only for the payer."""
        row = await self._ledger.by_transaction(chain.chain_id, tx_hash)
        view: dict[str, Any] = {
            "txHash": tx_hash,
            "chain": chain.name,
            "state": "unknown",
            "confirmations": 0,
            "required": chain.min_confirmations,
            "apiId": None,
            "callId": None,
        }
        if row is not None:
            view["state"] = "reserved" if row.state == "dispatched" else row.state
            view["apiId"], view["callId"] = row.api_id, row.call_id
            if viewer == row.payer:
                view["currency"], view["paidBase"], view["requiredBase"] = (
                    row.currency,
                    row.paid_base,
                    row.required_base,
                )
        try:
            await self._ask_chain(chain, tx_hash, view, known=row is not None)
        except ChainFailure as failure:
            if row is None:
                raise chain_fault(failure, failure.chain) from failure
        return view

    async def _ask_chain(self, chain: Chain, tx_hash: str, view: dict[str, Any], *, known: bool) -> None:
        facts = await self._chains.facts(chain, tx_hash)
        if facts is None:
            return
        view["confirmations"] = facts.confirmations
        if known:
            return
        if facts.receipt is None:
            view["state"] = "pending"
        elif facts.receipt.status == 0:
            view["state"] = "reverted"
        elif facts.confirmations < chain.min_confirmations:
            view["state"] = "confirming"
        else:
            view["state"] = "available"
