"""429: how often."""

from __future__ import annotations

from flux.kernel.faults import Retry
from flux.paygate.faults.table import paygate

RATE_LIMIT_EXCEEDED = paygate.declare(
    "RATE_LIMIT_EXCEEDED",
    429,
    "Rate limit exceeded. Retry after {seconds} seconds",
    advice="Too many requests in the window named by `details.scope`. Wait `Retry-After` seconds; the payment was not touched. "
    "Keeping on sending leads to a ban (the same code under 403).",
    params={"seconds": int, "scope": str, "limit": int, "windowSeconds": int},
    sample={"seconds": 30, "scope": "ip", "limit": 120, "windowSeconds": 60},
    headers={"Retry-After": "{seconds}"},
    retry=Retry.LATER,
)
QUOTA_EXCEEDED = paygate.declare(
    "QUOTA_EXCEEDED",
    429,
    "Monthly quota exceeded",
    advice="This wallet has used up the calls the provider allows each UTC month. Backing off for seconds does not help: the quota "
    "is free again at `details.resetsAt`. The payment was not consumed.",
    params={"seconds": int, "limit": int, "used": int, "period": str, "resetsAt": str},
    sample={
        "seconds": 86400,
        "limit": 1000,
        "used": 1000,
        "period": "2026-01",
        "resetsAt": "2026-02-01T00:00:00.000Z",
    },
    headers={"Retry-After": "{seconds}"},
    retry=Retry.AFTER_FIX,
)
