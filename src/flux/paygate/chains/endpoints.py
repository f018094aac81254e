"""GET /chains: which chains, tokens and confirmations payments may use."""

from __future__ import annotations

from typing import Any

from flux.kernel.wire import Call, Routes
from flux.paygate.chains.registry import Chain, Chains
from flux.paygate.signing.accounts import checksummed
from flux.paygate.words import API

routes = Routes(tag="chains", prefix=API)


@routes.get("/chains")
async def list_chains(call: Call) -> dict[str, Any]:
    """Chains, tokens and confirmations."""
    chains = call.use(Chains)
    return {"chains": [shown_chain(chain) for chain in chains], "default": chains.default.name}


def shown_chain(chain: Chain) -> dict[str, Any]:
    """Never with the URLs of its nodes."""
    tokens: dict[str, Any] = {}
    if chain.usdc is not None:
        tokens["USDC"] = {
            "address": checksummed(chain.usdc.address),
            "decimals": chain.usdc.decimals,
            "eip712": {"name": chain.usdc.name, "version": chain.usdc.version},
            "eip3009": chain.usdc.eip3009,
        }
    return {
        "name": chain.name,
        "chain": chain.name,
        "chainId": chain.chain_id,
        "caip2": chain.caip2,
        "nativeSymbol": chain.native_symbol,
        "currencies": chain.currencies,
        "tokens": tokens,
        "minConfirmations": chain.min_confirmations,
        "finalityDepth": chain.finality_depth,
        "explorerTxUrl": chain.explorer_tx_url or None,
        "available": bool(chain.rpc_urls),
    }
