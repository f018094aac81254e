"""The paid call's two mounts. Both take both families of payment proofs."""

from __future__ import annotations

from typing import Any

from flux.kernel.wire import Call, Raw, Reply, Routes, Stream
from flux.kernel.wire.bodies import ClientGone
from flux.paygate.faults import (
    API_DISABLED,
    API_NOT_FOUND,
    BANNED,
    BLOCKCHAIN_ERROR,
    BLOCKCHAIN_UNAVAILABLE,
    ENDPOINT_NOT_FOUND,
    GATEWAY_ERROR,
    GATEWAY_TIMEOUT,
    INSUFFICIENT_PAYMENT,
    INVALID_ENDPOINT,
    INVALID_GATEWAY_RESPONSE,
    INVALID_PARAMETER,
    INVALID_PAYMENT_CHAIN,
    INVALID_REQUEST,
    INVALID_SIGNATURE,
    INVALID_SIGNATURE_X402,
    INVALID_WALLET,
    MISSING_PARAMETER,
    MISSING_PAYMENT_TX,
    MISSING_PAYMENT_TX_X402,
    MISSING_SIGNATURE,
    PAYMENT_IDENTIFIER_CONFLICT,
    PAYMENT_NOT_CONFIRMED,
    PAYMENT_NOT_FOUND,
    PAYMENT_REVERTED,
    PROVIDER_BLOCKED,
    QUOTA_EXCEEDED,
    RATE_LIMIT_EXCEEDED,
    SIGNATURE_EXPIRED,
    SIGNATURE_EXPIRED_X402,
)
from flux.paygate.relay.exchange import ConsumerGone
from flux.paygate.relay.service import Relay
from flux.paygate.scalars import ApiId
from flux.paygate.words import API, PAYMENT

routes = Routes(tag="gateway", prefix=API)
NEVER_FORWARDED = ("TRACE", "CONNECT", "OPTIONS")
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

PAID_CALL = [
    API_NOT_FOUND, PROVIDER_BLOCKED, API_DISABLED, INVALID_ENDPOINT, ENDPOINT_NOT_FOUND, MISSING_PAYMENT_TX,
    MISSING_SIGNATURE, INVALID_PARAMETER, MISSING_PARAMETER, INVALID_SIGNATURE, SIGNATURE_EXPIRED, INVALID_WALLET,
    INVALID_REQUEST, INSUFFICIENT_PAYMENT, BLOCKCHAIN_UNAVAILABLE, BLOCKCHAIN_ERROR, PAYMENT_NOT_FOUND,
    INVALID_PAYMENT_CHAIN, PAYMENT_NOT_CONFIRMED, PAYMENT_REVERTED, BANNED, RATE_LIMIT_EXCEEDED, QUOTA_EXCEEDED,
    GATEWAY_ERROR, INVALID_GATEWAY_RESPONSE, GATEWAY_TIMEOUT, MISSING_PAYMENT_TX_X402, INVALID_SIGNATURE_X402,
    SIGNATURE_EXPIRED_X402, PAYMENT_IDENTIFIER_CONFLICT,
]  # fmt: skip


@routes.any("/gateway/{api_id}/{rest:path}", auth=PAYMENT, raises=PAID_CALL)
async def call_gateway(call: Call, api_id: ApiId, rest: str) -> Any:
    """Call a listed API, paid for."""
    return await _serve(call, api_id, "gateway")


@routes.any("/x402/{api_id}/{rest:path}", auth=PAYMENT, raises=PAID_CALL)
async def call_x402(call: Call, api_id: ApiId, rest: str) -> Any:
    """The same, for x402 clients: unpaid calls are answered 402 with what to pay."""
    return await _serve(call, api_id, "x402")


async def _serve(call: Call, api_id: str, mount: str) -> Raw | Stream | Reply:
    suffix = raw_suffix(call)
    if call.method in NEVER_FORWARDED:
        if call.method == "OPTIONS" and not _has_payment(call):
            return Reply(None, 204, {"Allow": METHODS})
        raise ENDPOINT_NOT_FOUND(method=call.method, path=suffix or "/")
    try:
        return await call.use(Relay).serve(call, api_id, suffix, mount)
    except ConsumerGone:
        raise ClientGone from None


def raw_suffix(call: Call) -> str:
    """What stands behind the listing id, byte for byte as sent."""
    path: str = call.scope["raw_path"].decode("latin-1")
    mark = "/gateway/" if "/api/v2/gateway/" in path else "/x402/"
    behind = path[path.index(mark) + len(mark) :]
    _, slash, rest = behind.partition("/")
    return slash + rest


def _has_payment(call: Call) -> bool:
    return any(
        call.header(name) for name in ("x-payment-tx", "x-signature", "payment-signature", "x-payment")
    )
