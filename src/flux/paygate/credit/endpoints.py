"""What is left of what was paid in advance."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.paygate.amounts import from_base_units
from flux.paygate.chains.registry import ETH_DECIMALS, Chains
from flux.paygate.credit.service import Credits
from flux.paygate.words import API, SESSION

routes = Routes(tag="credits", prefix=API)


@routes.get("/credits", auth=SESSION)
async def list_credits(call: Call) -> dict[str, Any]:
    """Credit balances of this wallet."""
    chains = call.use(Chains)
    rows = []
    for account, balance, at in await call.use(Credits).of_payer(call.principal.address):
        chain = chains.get(account.chain_id)
        decimals = chain.decimals(account.currency) if chain is not None else ETH_DECIMALS
        rows.append(
            {
                "apiId": account.api_id,
                "chain": chain.name if chain is not None else str(account.chain_id),
                "chainId": account.chain_id,
                "currency": account.currency,
                "balance": str(from_base_units(balance, decimals)),
                "balanceBase": str(balance),
                "updatedAt": iso(at),
            }
        )
    return {"credits": rows}
