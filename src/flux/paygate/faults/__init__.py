"""Every failure the paygate can answer with, one file a group of statuses.

table.py      the table itself
requests.py   400: what the caller sent
identity.py   401: who asks
payments.py   402: the payment
refusals.py   403: known, and not allowed
catalogue.py  404, 409, 422: listings and calls
limits.py     429: how often
servers.py    500, 502, 503: us, the chain, the target; simulation
x402.py       402, extensions for x402 clients

A parameter of a fault appears in `details` under its own name (`seconds` as `retryAfterSeconds`); what is not always
there goes in with `detail={…}`. Order of the groups and rows is that of the published reference.
"""

# The order of these imports is the order of the reference.
# ruff: noqa: I001
from flux.paygate.faults.table import paygate
from flux.paygate.faults.requests import (
    INVALID_API_ID,
    INVALID_ENDPOINT,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    MISSING_PARAMETER,
)
from flux.paygate.faults.identity import (
    INVALID_SIGNATURE,
    INVALID_WALLET,
    MISSING_PAYMENT_TX,
    MISSING_SIGNATURE,
    NOT_AUTHENTICATED,
    SIGNATURE_EXPIRED,
)
from flux.paygate.faults.payments import (
    INSUFFICIENT_PAYMENT,
    INVALID_PAYMENT_CHAIN,
    PAYMENT_NOT_CONFIRMED,
    PAYMENT_NOT_FOUND,
    PAYMENT_REVERTED,
)
from flux.paygate.faults.refusals import API_DISABLED, BANNED, FORBIDDEN, PROVIDER_BLOCKED
from flux.paygate.faults.catalogue import (
    API_ALREADY_EXISTS,
    API_NOT_FOUND,
    CALL_NOT_FOUND,
    DUPLICATE_ENDPOINT,
    ENDPOINT_NOT_FOUND,
    ENDPOINT_UNREACHABLE,
    INVALID_CURRENCY,
    INVALID_OPENAPI,
    INVALID_PRICE,
)
from flux.paygate.faults.limits import QUOTA_EXCEEDED, RATE_LIMIT_EXCEEDED
from flux.paygate.faults.servers import (
    BLOCKCHAIN_ERROR,
    BLOCKCHAIN_UNAVAILABLE,
    DATABASE_ERROR,
    GATEWAY_ERROR,
    GATEWAY_TIMEOUT,
    INTERNAL_ERROR,
    INVALID_GATEWAY_RESPONSE,
    SERVICE_UNAVAILABLE,
    SIMULATION_REFUSED,
)
from flux.paygate.faults.x402 import (
    INVALID_SIGNATURE_X402,
    MISSING_PAYMENT_TX_X402,
    PAYMENT_IDENTIFIER_CONFLICT,
    SIGNATURE_EXPIRED_X402,
)

__all__ = [
    "API_ALREADY_EXISTS",
    "API_DISABLED",
    "API_NOT_FOUND",
    "BANNED",
    "BLOCKCHAIN_ERROR",
    "BLOCKCHAIN_UNAVAILABLE",
    "CALL_NOT_FOUND",
    "DATABASE_ERROR",
    "DUPLICATE_ENDPOINT",
    "ENDPOINT_NOT_FOUND",
    "ENDPOINT_UNREACHABLE",
    "FORBIDDEN",
    "GATEWAY_ERROR",
    "GATEWAY_TIMEOUT",
    "INSUFFICIENT_PAYMENT",
    "INTERNAL_ERROR",
    "INVALID_API_ID",
    "INVALID_CURRENCY",
    "INVALID_ENDPOINT",
    "INVALID_GATEWAY_RESPONSE",
    "INVALID_OPENAPI",
    "INVALID_PARAMETER",
    "INVALID_PAYMENT_CHAIN",
    "INVALID_PRICE",
    "INVALID_REQUEST",
    "INVALID_SIGNATURE",
    "INVALID_SIGNATURE_X402",
    "INVALID_WALLET",
    "MISSING_PARAMETER",
    "MISSING_PAYMENT_TX",
    "MISSING_PAYMENT_TX_X402",
    "MISSING_SIGNATURE",
    "NOT_AUTHENTICATED",
    "PAYMENT_IDENTIFIER_CONFLICT",
    "PAYMENT_NOT_CONFIRMED",
    "PAYMENT_NOT_FOUND",
    "PAYMENT_REVERTED",
    "PROVIDER_BLOCKED",
    "QUOTA_EXCEEDED",
    "RATE_LIMIT_EXCEEDED",
    "SERVICE_UNAVAILABLE",
    "SIGNATURE_EXPIRED",
    "SIGNATURE_EXPIRED_X402",
    "SIMULATION_REFUSED",
    "paygate",
]
