"""403: known, and not allowed."""

from __future__ import annotations

from flux.paygate.faults.table import paygate

FORBIDDEN = paygate.declare(
    "FORBIDDEN",
    403,
    "You don't have permission for this action",
    advice="You are known and may not do this. `details.reason`: `not_owner` (the listing belongs to another wallet), `csrf` (a cookie "
    "write from a foreign origin), `admin_required` (the operator's token is needed).",
    params={"reason": str},
    sample={"reason": "not_owner"},
)
API_DISABLED = paygate.declare(
    "API_DISABLED",
    403,
    "This API is currently disabled",
    advice="The provider has switched this listing off. A payment already made is untouched and works once the listing is active "
    "again, within the age a payment may have.",
    params={"apiId": str},
    sample={"apiId": "api_01hzy8v3k2m4n6p8q0r2s4t6v8"},
)
BANNED = paygate.declare(
    "RATE_LIMIT_EXCEEDED",
    403,
    "Rate limit exceeded",
    advice="A hard limit, not a window: do not retry automatically. `details.reason`: `temporarily_banned` (you kept sending after "
    "being told to wait with 429; refused until `details.bannedUntil`) or `too_many_listings` (this wallet has as many as it may).",
    params={"scope": str, "reason": str},
    sample={"scope": "ip", "reason": "temporarily_banned"},
)
PROVIDER_BLOCKED = paygate.declare(
    "PROVIDER_BLOCKED",
    403,
    "This provider is blocked",
    advice="The operator has suspended this provider's wallet: its listings cannot be called or changed. Payments already made are "
    "untouched; ask the operator.",
    params={"provider": str},
    sample={"provider": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
)
