"""How a chain looks from outside."""

from __future__ import annotations

from typing import Any

from flux.paygate.chains.registry import Chain
from flux.paygate.signing.accounts import checksummed


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
