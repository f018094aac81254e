"""Extensions for clients of x402, most of them 402: what stands under 401 in the reference, which these clients do not react to."""

from __future__ import annotations

from flux.kernel.faults import Retry
from flux.paygate.faults.table import paygate

MISSING_PAYMENT_TX_X402 = paygate.declare(
    "MISSING_PAYMENT_TX",
    402,
    "X-Payment-Tx header is required",
    advice="This call costs money, and this URL speaks x402: an x402 client pays by itself from `accepts` or the `PAYMENT-REQUIRED` "
    "header. To pay directly, send what `details.payment` says and repeat the call with `X-Payment-Tx` and `X-Signature`.",
    params={"header": str, "missing": list},
    sample={"header": "X-Payment-Tx", "missing": ["X-Payment-Tx", "X-Signature"]},
)
INVALID_SIGNATURE_X402 = paygate.declare(
    "INVALID_SIGNATURE",
    402,
    "Signature verification failed",
    advice="The transfer authorisation is not signed by the wallet it takes the money from, or for another token, chain or domain. "
    "Take `extra.name` and `extra.version` of the requirement and sign again.",
    params={"reason": str},
    sample={"reason": "signer_mismatch"},
)
SIGNATURE_EXPIRED_X402 = paygate.declare(
    "SIGNATURE_EXPIRED",
    402,
    "Signature timestamp is too old",
    advice="The transfer authorisation is not valid any more, or not yet (`validBefore` needs at least 6 seconds left). Sign a new "
    "one; no money has moved.",
    params={"reason": str},
    sample={"reason": "too_old"},
    retry=Retry.AFTER_FIX,
)
PAYMENT_IDENTIFIER_CONFLICT = paygate.declare(
    "PAYMENT_IDENTIFIER_CONFLICT",
    409,
    "Payment identifier was used for another request",
    advice="The proof names its payment (x402 extension `payment-identifier`) as an earlier one of this wallet, which paid for another "
    "method, path, query or body. Repeat the earlier request as it was to get its answer again, or give the new one a name of its own.",
    params={"identifier": str},
    sample={"identifier": "pay_7d5d747be160e280"},
    retry=Retry.AFTER_FIX,
)
