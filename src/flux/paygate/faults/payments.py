"""402: the payment."""

from __future__ import annotations

from flux.kernel.faults import Retry
from flux.paygate.faults.table import paygate

_HASH = "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"

PAYMENT_NOT_FOUND = paygate.declare(
    "PAYMENT_NOT_FOUND",
    402,
    "Transaction not found on chain",
    advice="No chain we know has a transaction with this hash. Check that it was broadcast, on the chain the listing names, and "
    "that the hash is complete.",
    params={"txHash": str, "chain": str, "searchedChains": list},
    sample={"txHash": _HASH, "chain": "base", "searchedChains": ["base"]},
)
INSUFFICIENT_PAYMENT = paygate.declare(
    "INSUFFICIENT_PAYMENT",
    402,
    "Payment amount is less than required",
    advice="This transaction does not pay for this call. `details.reason`: `amount_too_low`, `recipient_mismatch`, `wrong_token`, "
    "`no_transfer`, `payment_too_old`, `payment_already_used` (one transaction pays one call), `payment_in_use` (another call is "
    "being served with it right now). `details` states what is required and what was paid.",
    params={"reason": str},
    sample={"reason": "amount_too_low"},
)
INVALID_PAYMENT_CHAIN = paygate.declare(
    "INVALID_PAYMENT_CHAIN",
    402,
    "Payment on wrong blockchain",
    advice="The money moved on another chain than the one the listing names. `details.expected` and `details.actual` tell which. "
    "It cannot be used here; pay on the expected chain.",
    params={"expected": dict, "actual": dict},
    sample={"expected": {"chain": "base", "chainId": 8453}, "actual": {"chain": "ethereum", "chainId": 1}},
)
PAYMENT_NOT_CONFIRMED = paygate.declare(
    "PAYMENT_NOT_CONFIRMED",
    402,
    "Transaction not yet confirmed",
    advice="The transaction is known and not yet deep enough in the chain. Nothing is lost: repeat the same call after "
    "`Retry-After` seconds (with a fresh signature once five minutes have passed).",
    params={"txHash": str, "confirmations": int, "required": int, "seconds": int},
    sample={"txHash": _HASH, "confirmations": 0, "required": 1, "seconds": 2},
    headers={"Retry-After": "{seconds}"},
    retry=Retry.AFTER_FIX,
)
PAYMENT_REVERTED = paygate.declare(
    "PAYMENT_REVERTED",
    402,
    "Transaction was reverted",
    advice="The transaction was mined and failed, so no money moved. Pay again; look at the transaction in an explorer for the cause "
    "(most often too little balance or gas).",
    params={"txHash": str, "blockNumber": int},
    sample={"txHash": _HASH, "blockNumber": 1},
)
