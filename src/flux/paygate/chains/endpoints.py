"""GET /chains: which chains, tokens and confirmations payments may use."""

from __future__ import annotations

from typing import Any

from flux.kernel.wire import Call, Routes
from flux.paygate.chains.registry import Chains
from flux.paygate.chains.views import shown_chain
from flux.paygate.words import API

routes = Routes(tag="chains", prefix=API)


@routes.get("/chains")
async def list_chains(call: Call) -> dict[str, Any]:
    """Chains, tokens and confirmations."""
    chains = call.use(Chains)
    return {"chains": [shown_chain(chain) for chain in chains], "default": chains.default.name}
