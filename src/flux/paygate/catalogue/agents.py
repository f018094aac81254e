"""Discovery and agent-info: what a program needs to know to pay for a listing and call it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.paygate.catalogue import examples
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.views import shown_chain
from flux.paygate.faults import paygate
from flux.paygate.listings.model import ANYTHING, CallPlan, Listing, Meaning
from flux.paygate.listings.resources import meanings
from flux.paygate.payment.rules import Terms
from flux.paygate.signing.message import CALL_TYPE

VECTOR = {
    "privateKey": "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "signer": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "apiId": "api_123",
    "txHash": "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef",
    "timestamp": 1700000000,
    "inner": "0xb425d5631550a91f8dba5c592c62c9bea816556c9b34176fdd7943689cbf7122",
    "digest": "0x563e968282cbb1db028b8d89622556ab0bb93039817cb48789a323542682b4cb",
    "signature": "0x275f318897b04f2fa6be1b4c481bfbc57f63aca27b53bde845beb2f0740568af"
    "6f485b9bc7175816fcb7cd3951d0970e068291a07c01deeccfbaab76421cb0991b",
}


def signing(*, max_age: int, skew: int, required: int | None) -> dict[str, Any]:
    """The machine form of what is signed, with a vector to test against."""
    return {
        "versions": [required] if required else [1, 2],
        "headers": {"signature": "X-Signature", "payment": "X-Payment-Tx", "timestamp": "X-Timestamp"},
        "maxAgeSeconds": max_age,
        "maxSkewSeconds": skew,
        "v1": {
            "message": "keccak256(utf8(apiId) || utf8(txHash as 66 characters) || uint256be(timestamp))",
            "scheme": "EIP-191 personal_sign over the 32 raw bytes",
            "vector": VECTOR,
        },
        "v2": {
            "scheme": "EIP-712",
            "header": {"X-Signature-Version": "2"},
            "domain": {"name": "ApiGateway", "version": "2", "chainId": "the payment's chain"},
            "type": CALL_TYPE,
            "target": "path and query below the listing, as sent",
            "bodyHash": "keccak256(body)",
        },
    }


def required_headers(*, timestamp: bool) -> list[str]:
    return ["X-Payment-Tx", "X-Signature", *(["X-Timestamp"] if timestamp else [])]


def pricing(terms: Terms) -> dict[str, Any]:
    """`{amount, token, chain}` of the reference, and the exact form beside it."""
    shown = terms.shown()
    return {
        "amount": terms.amount,
        "token": terms.currency,
        "chain": terms.chain.name,
        "chainId": shown["chainId"],
        "recipient": shown["recipient"],
        "tokenAddress": shown["tokenAddress"],
        "amountBaseUnits": shown["amountBaseUnits"],
    }


def capabilities(plan: CallPlan) -> list[dict[str, Any]]:
    """One for each operation; one for anything where nothing is declared."""
    names = {(op.method, op.path): op.operation_id or op.summary for op in plan.listing.declared}
    result = []
    for meaning in meanings(plan.listing):
        own, terms = meaning.own, plan.terms(meaning)
        method = meaning.method if meaning != ANYTHING else "GET"
        name = names.get((meaning.method, meaning.template)) or (own.summary if own else None)
        if name is None:
            name = plan.listing.name if meaning == ANYTHING else f"{method} {meaning.template}"
        result.append(
            {
                "name": name,
                "endpoint": {"method": method, "path": meaning.template},
                "pricing": pricing(terms) if terms is not None else None,
                "examples": own.examples if own else [],
            }
        )
    return result


def how_to_use(listing: Listing, plan: CallPlan, gateway_url: str) -> dict[str, Any]:
    first = next(iter(capabilities(plan)))
    endpoint = first["endpoint"]
    own = next(
        (op for op in listing.endpoints if (op.method, op.path) == (endpoint["method"], endpoint["path"])),
        None,
    )
    terms = plan.terms(Meaning(endpoint["method"], endpoint["path"], own))
    price = f"{terms.amount} {terms.currency} on {terms.chain.name}" if terms else "the quoted price"
    steps = {
        "step1": f"Ask GET /api/v2/apis/{listing.id}/quote?method={endpoint['method']}&path={endpoint['path']} for the exact price.",
        "step2": f"Send {price} to the recipient of the quote and wait until the transaction is mined.",
        "step3": "Sign keccak256(apiId || txHash || uint256 timestamp) with the paying wallet (personal_sign).",
        "step4": f"Call {gateway_url}{endpoint['path']} with X-Payment-Tx, X-Signature and X-Timestamp.",
        "step5": "One transaction pays one call. When details.paymentStatus is released, call again with the same hash.",
    }
    return {**steps, "exampleCode": example_code(listing, terms, gateway_url, endpoint) if terms else {}}


def example_code(
    listing: Listing, terms: Terms, gateway_url: str, endpoint: dict[str, str]
) -> dict[str, str]:
    shown = terms.shown()
    token = terms.token is not None
    fill = {
        "API_ID": listing.id,
        "RECIPIENT": shown["recipient"],
        "BASE_UNITS": shown["amountBaseUnits"],
        "TOKEN": shown["tokenAddress"] or "",
        "CHAIN_NAME": terms.chain.name,
        "CHAIN_ID": str(terms.chain.chain_id),
        "GATEWAY_URL": gateway_url,
        "METHOD": endpoint["method"],
        "PATH": endpoint["path"] if endpoint["path"] != "/" else "",
    }
    javascript = examples.JAVASCRIPT_USDC if token else examples.JAVASCRIPT_ETHER
    python = examples.PYTHON_USDC if token else examples.PYTHON_ETHER
    return {
        "javascript": _filled(examples.JAVASCRIPT, {"PAY": javascript, **fill}),
        "python": _filled(examples.PYTHON, {"PAY": python, **fill}),
        "curl": _filled(examples.CURL, fill),
    }


def _filled(template: str, fill: dict[str, str]) -> str:
    for name, value in fill.items():
        template = template.replace(f"@{name}@", value)
    return template


def error_actions() -> dict[str, str]:
    """What to do about each code, in the words of its declaration."""
    return {
        fault.code if fault.code != "RATE_LIMIT_EXCEEDED" else f"{fault.code}@{fault.status}": fault.advice
        for fault in paygate
    }


def chain_rows(chains: Iterable[Chain]) -> list[dict[str, Any]]:
    return [shown_chain(chain) for chain in chains]
