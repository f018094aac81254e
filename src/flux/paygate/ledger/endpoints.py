"""What the gateway knows about a payment, and the journal for the operator."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.paygate.chains.registry import Chain, Chains, UnknownChain
from flux.paygate.faults import BLOCKCHAIN_ERROR, BLOCKCHAIN_UNAVAILABLE, INVALID_PARAMETER
from flux.paygate.ledger.service import Ledger
from flux.paygate.ledger.states import PaymentStates
from flux.paygate.replies import viewer
from flux.paygate.scalars import TxHash
from flux.paygate.signing.accounts import checksummed
from flux.paygate.words import ADMIN, API, OPEN

routes = Routes(tag="payments", prefix=API)


class PaymentQuery(Struct, kw_only=True):
    chain: str | None = None


class JournalQuery(Struct, kw_only=True):
    after: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


@routes.get(
    "/payments/{tx_hash}", auth=OPEN, raises=[INVALID_PARAMETER, BLOCKCHAIN_UNAVAILABLE, BLOCKCHAIN_ERROR]
)
async def show_payment(call: Call, tx_hash: TxHash, query: PaymentQuery) -> dict[str, Any]:
    """The state of a payment as the gateway sees it."""
    chain = _chain(call.use(Chains), query.chain)
    return await call.use(PaymentStates).describe(chain, tx_hash, viewer(call))


def _chain(chains: Chains, named: str | None) -> Chain:
    if named is None:
        return chains.default
    try:
        found = chains.find(named)
    except UnknownChain:
        found = None
    if found is None:
        names = ", ".join(chain.name for chain in chains)
        detail = {"in": "query", "expected": f"one of {names}", "received": named[:100]}
        raise INVALID_PARAMETER(param="chain", detail=detail)
    return found


@routes.get("/admin/journal", auth=ADMIN, tag="admin", raises=[INVALID_PARAMETER])
async def show_journal(call: Call, query: JournalQuery) -> dict[str, Any]:
    """Every movement of money, in order."""
    entries = await call.use(Ledger).journal(query.after, query.limit)
    shown = [{**entry, "at": iso(entry["at"]), "payer": checksummed(entry["payer"])} for entry in entries]
    return {"movements": shown, "next": entries[-1]["id"] if entries else query.after}
