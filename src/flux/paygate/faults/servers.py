"""500, 502, 503: us, the chain, the target; and the one extension."""

from __future__ import annotations

from flux.kernel.faults import Retry
from flux.paygate.faults.table import paygate

_CALL = "call_01hzy8v3k2m4n6p8q0r2s4t6v8"

INTERNAL_ERROR = paygate.declare(
    "INTERNAL_ERROR",
    500,
    "An unexpected error occurred",
    advice="A bug of ours. Retry with backoff; when it stays, report `details.requestId`.",
    params={"requestId": str},
    sample={"requestId": "req-simulated"},
    retry=Retry.LATER,
)
DATABASE_ERROR = paygate.declare(
    "DATABASE_ERROR",
    500,
    "Database operation failed",
    advice="The store did not answer or refused. Retry with backoff; no payment is consumed by this answer.",
    params={"requestId": str},
    sample={"requestId": "req-simulated"},
    retry=Retry.LATER,
)
BLOCKCHAIN_ERROR = paygate.declare(
    "BLOCKCHAIN_ERROR",
    500,
    "Blockchain operation failed",
    advice="The node of the chain answered and the answer is no good (`details.reason`). The payment is not consumed; retry with "
    "backoff, the operator has to look at the node.",
    params={"chain": str, "reason": str},
    sample={"chain": "base", "reason": "rpc_error"},
    retry=Retry.LATER,
)
GATEWAY_ERROR = paygate.declare(
    "GATEWAY_ERROR",
    500,
    "Failed to proxy request to target API",
    advice="The target could not be reached or hung up (`details.reason`). `details.paymentStatus` tells what became of the payment: "
    "when `released`, repeat the call with the same hash and a fresh signature.",
    params={"reason": str, "paymentStatus": str, "callId": str},
    sample={"reason": "connect", "paymentStatus": "released", "callId": _CALL},
    retry=Retry.LATER,
)
INVALID_GATEWAY_RESPONSE = paygate.declare(
    "INVALID_GATEWAY_RESPONSE",
    502,
    "Target API returned invalid response",
    advice="The target answered with something that is not a valid response (`details.reason`, `details.upstreamStatus`). When "
    "`details.paymentStatus` is `released`, the same hash can be used again.",
    params={"reason": str, "paymentStatus": str, "callId": str},
    sample={"reason": "protocol", "paymentStatus": "released", "callId": _CALL},
    retry=Retry.LATER,
)
GATEWAY_TIMEOUT = paygate.declare(
    "GATEWAY_TIMEOUT",
    502,
    "Request to target API timed out",
    advice="The target did not answer in time (`details.phase`, `details.timeoutMs`). It may have done the work all the same. When "
    "`details.paymentStatus` is `released`, the same hash can be used again.",
    params={"timeoutMs": int, "phase": str, "paymentStatus": str, "callId": str},
    sample={"timeoutMs": 30000, "phase": "first_byte", "paymentStatus": "released", "callId": _CALL},
    retry=Retry.LATER,
)
SERVICE_UNAVAILABLE = paygate.declare(
    "SERVICE_UNAVAILABLE",
    503,
    "Service is temporarily unavailable",
    advice="The operator has the service in maintenance, it is too busy to take this request, or the API called has failed too "
    "often lately to be worth paying for (`details.reason`: `target_unavailable`). Nothing was done and nothing charged. Retry after "
    "`Retry-After` seconds.",
    params={"reason": str, "seconds": int},
    sample={"reason": "maintenance", "seconds": 30},
    headers={"Retry-After": "{seconds}"},
    retry=Retry.LATER,
)
BLOCKCHAIN_UNAVAILABLE = paygate.declare(
    "BLOCKCHAIN_UNAVAILABLE",
    503,
    "Blockchain network is unavailable",
    advice="The node of the chain cannot be reached, so the payment cannot be checked; it is not consumed. Retry after "
    "`Retry-After` seconds with the same hash, unless `details.reason` is `not_configured`.",
    params={"chain": str, "reason": str, "seconds": int},
    sample={"chain": "base", "reason": "unreachable", "seconds": 5},
    headers={"Retry-After": "{seconds}"},
    retry=Retry.LATER,
)
SIMULATION_REFUSED = paygate.declare(
    "SIMULATION_REFUSED",
    400,
    "Simulation is not available for this request",
    advice="`X-Flux-Simulate` works only in the sandbox (`flux serve --sandbox`) and only with a code of this API; write "
    "`RATE_LIMIT_EXCEEDED@403` or `RATE_LIMIT_EXCEEDED@429` for the code that stands under two statuses.",
    params={"subject": str},
    sample={"subject": "NO_SUCH_CODE"},
)
