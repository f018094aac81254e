"""401: who asks."""

from __future__ import annotations

from flux.kernel.faults import Retry
from flux.paygate.faults.table import paygate

MISSING_SIGNATURE = paygate.declare(
    "MISSING_SIGNATURE",
    401,
    "X-Signature header is required",
    advice="`X-Payment-Tx` came alone. Sign keccak256(apiId ‖ txHash ‖ uint256 timestamp) with the wallet that paid "
    "(personal_sign) and send it as `X-Signature`.",
    params={"header": str, "missing": list},
    sample={"header": "X-Signature", "missing": ["X-Signature"]},
)
MISSING_PAYMENT_TX = paygate.declare(
    "MISSING_PAYMENT_TX",
    401,
    "X-Payment-Tx header is required",
    advice="This call costs money. `details.payment` says how much of what to send to whom on which chain; send that transaction, "
    "wait until it is mined, and repeat the call with its hash in `X-Payment-Tx` and a signature in `X-Signature`.",
    params={"header": str, "missing": list},
    sample={"header": "X-Payment-Tx", "missing": ["X-Payment-Tx", "X-Signature"]},
)
INVALID_SIGNATURE = paygate.declare(
    "INVALID_SIGNATURE",
    401,
    "Signature verification failed",
    advice="The signature is not that of the wallet that paid, or is over something else. `details.reason`: `malformed` (65 bytes of "
    "hex are needed), `high_s`, `signer_mismatch` (with the address that did sign), `signer_mismatch_or_expired`. Check apiId, hash "
    "text and timestamp against what was signed, and that the paying wallet signs.",
    params={"reason": str},
    sample={"reason": "signer_mismatch"},
)
SIGNATURE_EXPIRED = paygate.declare(
    "SIGNATURE_EXPIRED",
    401,
    "Signature timestamp is too old",
    advice="The signed timestamp is more than 5 minutes old, or in the future. The payment is untouched: sign the same transaction "
    "hash again with the current time. `details.serverTime` shows our clock.",
    params={"reason": str},
    sample={"reason": "too_old"},
    retry=Retry.AFTER_FIX,
)
INVALID_WALLET = paygate.declare(
    "INVALID_WALLET",
    401,
    "Wallet address could not be recovered",
    advice="No public key fits this signature at all. The signing code is broken or the bytes were damaged; sign again.",
)
NOT_AUTHENTICATED = paygate.declare(
    "NOT_AUTHENTICATED",
    401,
    "Authentication required",
    advice="This route needs a wallet session: POST /auth/nonce, sign the message, POST /auth/verify, then send the token as "
    "`Authorization: Bearer` or keep the cookie. Sessions end after 24 hours without use.",
    params={"reason": str},
    sample={"reason": "missing"},
    headers={"WWW-Authenticate": "Bearer"},
    retry=Retry.AFTER_FIX,
)
