"""404, 409, 422: listings, calls and what they are made of."""

from __future__ import annotations

from flux.paygate.faults.table import paygate

_API = "api_01hzy8v3k2m4n6p8q0r2s4t6v8"

API_NOT_FOUND = paygate.declare(
    "API_NOT_FOUND",
    404,
    "API not found: {apiId}",
    advice="No listing has this id, or it was deleted. Look it up again in GET /apis.",
    params={"apiId": str},
    sample={"apiId": _API},
)
ENDPOINT_NOT_FOUND = paygate.declare(
    "ENDPOINT_NOT_FOUND",
    404,
    "Endpoint not found",
    advice="This method and path are not served: by the listing (then `details.available` lists operations that are) or by this "
    "API. The check comes before any payment is looked at, so nothing was charged.",
    params={"method": str, "path": str},
    sample={"method": "GET", "path": "/nope"},
)
CALL_NOT_FOUND = paygate.declare(
    "CALL_NOT_FOUND",
    404,
    "Call history not found",
    advice="No call has this id, or it is neither yours as consumer nor one of your listings'.",
    params={"callId": str},
    sample={"callId": "call_01hzy8v3k2m4n6p8q0r2s4t6v8"},
)
API_ALREADY_EXISTS = paygate.declare(
    "API_ALREADY_EXISTS",
    409,
    "API with this name already exists",
    advice="You already have a listing of that name (letter case and spacing do not make a difference): `details.existingApiId`. "
    "Choose another name or change that listing.",
    params={"name": str},
    sample={"name": "Weather"},
)
DUPLICATE_ENDPOINT = paygate.declare(
    "DUPLICATE_ENDPOINT",
    409,
    "Endpoint already registered",
    advice="A listing already sells this target URL (spelling of host case, default port and trailing slash do not matter). "
    "When it is your own, `details.existingApiId` names it.",
    params={"endpoint": str},
    sample={"endpoint": "https://api.example.com"},
)
INVALID_OPENAPI = paygate.declare(
    "INVALID_OPENAPI",
    422,
    "OpenAPI specification is invalid",
    advice="The `openapi` member is not an OpenAPI 3.0 or 3.1 document we can serve; `details.errors` lists up to 20 places and what "
    "is wrong there.",
    params={"errors": list},
    sample={"errors": [{"path": "info", "message": "must be an object"}]},
)
INVALID_PRICE = paygate.declare(
    "INVALID_PRICE",
    422,
    "Price must be greater than 0",
    advice="The price is zero, negative, beyond the ceiling, or has more decimals than the currency (`details.reason`, "
    "`details.maxDecimals`).",
    params={"pricePerRequest": str, "reason": str, "maxDecimals": int},
    sample={"pricePerRequest": "0", "reason": "not_positive", "maxDecimals": 18},
)
INVALID_CURRENCY = paygate.declare(
    "INVALID_CURRENCY",
    422,
    "Currency not supported",
    advice="Prices are in ETH or USDC, and the listing's chain must offer that one: ETH only where the native coin is ether, USDC "
    "only where a token is configured (GET /chains).",
    params={"currency": str, "supported": list},
    sample={"currency": "BTC", "supported": ["ETH", "USDC"]},
)
ENDPOINT_UNREACHABLE = paygate.declare(
    "ENDPOINT_UNREACHABLE",
    422,
    "Target endpoint is not reachable",
    advice="We tried to reach the target before accepting the listing and could not. `details.reason`: `dns`, `connect`, `tls`, "
    "`timeout`, or `address_not_allowed` (private and reserved addresses are never called). Make it answer any HTTP status, then "
    "try again.",
    params={"endpoint": str, "reason": str},
    sample={"endpoint": "https://api.example.com", "reason": "connect"},
)
