"""Every refusal of the paygate plane. Written by `python -m flux.client.generate` from the declared faults: do not edit.

`PaygateError` takes what has no class here; a code that this client does not know comes as the class of its status.
"""

from flux.client.errors.planes import PaygateError


class PaygateBadRequest(PaygateError, kind=(400,)):
    """Any 400 of the paygate plane."""


class PaygateUnauthorized(PaygateError, kind=(401,)):
    """Any 401 of the paygate plane."""


class PaygatePaymentRequired(PaygateError, kind=(402,)):
    """Any 402 of the paygate plane."""


class PaygateForbidden(PaygateError, kind=(403,)):
    """Any 403 of the paygate plane."""


class PaygateNotFound(PaygateError, kind=(404,)):
    """Any 404 of the paygate plane."""


class PaygateConflict(PaygateError, kind=(409,)):
    """Any 409 of the paygate plane."""


class PaygateUnprocessable(PaygateError, kind=(422,)):
    """Any 422 of the paygate plane."""


class PaygateTooManyRequests(PaygateError, kind=(429,), retry="later"):
    """Any 429 of the paygate plane."""


class PaygateServerError(PaygateError, kind=range(500, 600), retry="later"):
    """Any 5xx of the paygate plane."""


class InvalidRequest(PaygateBadRequest, code="INVALID_REQUEST", status=400):
    """The body could not be read. `details.reason` says why: `malformed_json` (with `position`),
    `not_an_object`, `duplicate_key`, `content_type` (send `application/json`), `body_too_large`,
    `bad_payment_payload`, `upgrade_not_supported` and their kin. Mend the request and send it again;
    the payment was not touched.
    """


class MissingParameter(PaygateBadRequest, code="MISSING_PARAMETER", status=400):
    """A required value is absent. `details.param` names the first one in the order of the reference and
    `details.in` tells where it belongs: body, query or header.
    """


class InvalidParameter(PaygateBadRequest, code="INVALID_PARAMETER", status=400):
    """A value is there and does not fit. `details.param` names it, `details.expected` says what would do,
    and `details.received` repeats at most 100 characters of what came.
    """


class InvalidApiId(PaygateBadRequest, code="INVALID_API_ID", status=400):
    """A listing id is `api_` followed by 1 to 60 letters and digits. The bare form some old guides show is
    not accepted: take the id from the listing itself.
    """


class InvalidEndpoint(PaygateBadRequest, code="INVALID_ENDPOINT", status=400):
    """The path behind the listing id, or an operation path of a listing, holds something that must never
    reach a target: control characters, dot segments, encoded separators, empty segments.
    `details.reason` names it. Nothing was charged.
    """


class MissingSignature(PaygateUnauthorized, code="MISSING_SIGNATURE", status=401):
    """`X-Payment-Tx` came alone. Sign keccak256(apiId ‖ txHash ‖ uint256 timestamp) with the wallet that
    paid (personal_sign) and send it as `X-Signature`.
    """


class MissingPaymentTx(PaygateUnauthorized, code="MISSING_PAYMENT_TX", status=401):
    """This call costs money. `details.payment` says how much of what to send to whom on which chain; send
    that transaction, wait until it is mined, and repeat the call with its hash in `X-Payment-Tx` and a
    signature in `X-Signature`.
    """


class InvalidSignature(PaygateUnauthorized, code="INVALID_SIGNATURE", status=401):
    """The signature is not that of the wallet that paid, or is over something else. `details.reason`:
    `malformed` (65 bytes of hex are needed), `high_s`, `signer_mismatch` (with the address that did
    sign), `signer_mismatch_or_expired`. Check apiId, hash text and timestamp against what was signed,
    and that the paying wallet signs.
    """


class SignatureExpired(PaygateUnauthorized, code="SIGNATURE_EXPIRED", status=401, retry="after-fix"):
    """The signed timestamp is more than 5 minutes old, or in the future. The payment is untouched: sign
    the same transaction hash again with the current time. `details.serverTime` shows our clock.
    """


class InvalidWallet(PaygateUnauthorized, code="INVALID_WALLET", status=401):
    """No public key fits this signature at all. The signing code is broken or the bytes were damaged; sign
    again.
    """


class NotAuthenticated(PaygateUnauthorized, code="NOT_AUTHENTICATED", status=401, retry="after-fix"):
    """This route needs a wallet session: POST /auth/nonce, sign the message, POST /auth/verify, then send
    the token as `Authorization: Bearer` or keep the cookie. Sessions end after 24 hours without use.
    """


class PaymentNotFound(PaygatePaymentRequired, code="PAYMENT_NOT_FOUND", status=402):
    """No chain we know has a transaction with this hash. Check that it was broadcast, on the chain the
    listing names, and that the hash is complete.
    """


class InsufficientPayment(PaygatePaymentRequired, code="INSUFFICIENT_PAYMENT", status=402):
    """This transaction does not pay for this call. `details.reason`: `amount_too_low`,
    `recipient_mismatch`, `wrong_token`, `no_transfer`, `payment_too_old`, `payment_already_used` (one
    transaction pays one call), `payment_in_use` (another call is being served with it right now).
    `details` states what is required and what was paid.
    """


class InvalidPaymentChain(PaygatePaymentRequired, code="INVALID_PAYMENT_CHAIN", status=402):
    """The money moved on another chain than the one the listing names. `details.expected` and
    `details.actual` tell which. It cannot be used here; pay on the expected chain.
    """


class PaymentNotConfirmed(
    PaygatePaymentRequired, code="PAYMENT_NOT_CONFIRMED", status=402, retry="after-fix"
):
    """The transaction is known and not yet deep enough in the chain. Nothing is lost: repeat the same call
    after `Retry-After` seconds (with a fresh signature once five minutes have passed).
    """


class PaymentReverted(PaygatePaymentRequired, code="PAYMENT_REVERTED", status=402):
    """The transaction was mined and failed, so no money moved. Pay again; look at the transaction in an
    explorer for the cause (most often too little balance or gas).
    """


class Forbidden(PaygateForbidden, code="FORBIDDEN", status=403):
    """You are known and may not do this. `details.reason`: `not_owner` (the listing belongs to another
    wallet), `csrf` (a cookie write from a foreign origin), `admin_required` (the operator's token is
    needed).
    """


class ApiDisabled(PaygateForbidden, code="API_DISABLED", status=403):
    """The provider has switched this listing off. A payment already made is untouched and works once the
    listing is active again, within the age a payment may have.
    """


class RateLimitBanned(PaygateForbidden, code="RATE_LIMIT_EXCEEDED", status=403):
    """A hard limit, not a window: do not retry automatically. `details.reason`: `temporarily_banned` (you
    kept sending after being told to wait with 429; refused until `details.bannedUntil`) or
    `too_many_listings` (this wallet has as many as it may).
    """


class ProviderBlocked(PaygateForbidden, code="PROVIDER_BLOCKED", status=403):
    """The operator has suspended this provider's wallet: its listings cannot be called or changed.
    Payments already made are untouched; ask the operator.
    """


class ApiNotFound(PaygateNotFound, code="API_NOT_FOUND", status=404):
    """No listing has this id, or it was deleted. Look it up again in GET /apis."""


class EndpointNotFound(PaygateNotFound, code="ENDPOINT_NOT_FOUND", status=404):
    """This method and path are not served: by the listing (then `details.available` lists operations that
    are) or by this API. The check comes before any payment is looked at, so nothing was charged.
    """


class CallNotFound(PaygateNotFound, code="CALL_NOT_FOUND", status=404):
    """No call has this id, or it is neither yours as consumer nor one of your listings'."""


class ApiAlreadyExists(PaygateConflict, code="API_ALREADY_EXISTS", status=409):
    """You already have a listing of that name (letter case and spacing do not make a difference):
    `details.existingApiId`. Choose another name or change that listing.
    """


class DuplicateEndpoint(PaygateConflict, code="DUPLICATE_ENDPOINT", status=409):
    """A listing already sells this target URL (spelling of host case, default port and trailing slash do
    not matter). When it is your own, `details.existingApiId` names it.
    """


class InvalidOpenapi(PaygateUnprocessable, code="INVALID_OPENAPI", status=422):
    """The `openapi` member is not an OpenAPI 3.0 or 3.1 document we can serve; `details.errors` lists up
    to 20 places and what is wrong there.
    """


class InvalidPrice(PaygateUnprocessable, code="INVALID_PRICE", status=422):
    """The price is zero, negative, beyond the ceiling, or has more decimals than the currency
    (`details.reason`, `details.maxDecimals`).
    """


class InvalidCurrency(PaygateUnprocessable, code="INVALID_CURRENCY", status=422):
    """Prices are in ETH or USDC, and the listing's chain must offer that one: ETH only where the native
    coin is ether, USDC only where a token is configured (GET /chains).
    """


class EndpointUnreachable(PaygateUnprocessable, code="ENDPOINT_UNREACHABLE", status=422):
    """We tried to reach the target before accepting the listing and could not. `details.reason`: `dns`,
    `connect`, `tls`, `timeout`, or `address_not_allowed` (private and reserved addresses are never
    called). Make it answer any HTTP status, then try again.
    """


class RateLimitExceeded(PaygateTooManyRequests, code="RATE_LIMIT_EXCEEDED", status=429, retry="later"):
    """Too many requests in the window named by `details.scope`. Wait `Retry-After` seconds; the payment
    was not touched. Keeping on sending leads to a ban (the same code under 403).
    """


class QuotaExceeded(PaygateTooManyRequests, code="QUOTA_EXCEEDED", status=429, retry="after-fix"):
    """This wallet has used up the calls the provider allows each UTC month. Backing off for seconds does
    not help: the quota is free again at `details.resetsAt`. The payment was not consumed.
    """


class InternalError(PaygateServerError, code="INTERNAL_ERROR", status=500, retry="later"):
    """A bug of ours. Retry with backoff; when it stays, report `details.requestId`."""


class DatabaseError(PaygateServerError, code="DATABASE_ERROR", status=500, retry="later"):
    """The store did not answer or refused. Retry with backoff; no payment is consumed by this answer."""


class BlockchainError(PaygateServerError, code="BLOCKCHAIN_ERROR", status=500, retry="later"):
    """The node of the chain answered and the answer is no good (`details.reason`). The payment is not
    consumed; retry with backoff, the operator has to look at the node.
    """


class GatewayError(PaygateServerError, code="GATEWAY_ERROR", status=500, retry="later"):
    """The target could not be reached or hung up (`details.reason`). `details.paymentStatus` tells what
    became of the payment: when `released`, repeat the call with the same hash and a fresh signature.
    """


class InvalidGatewayResponse(PaygateServerError, code="INVALID_GATEWAY_RESPONSE", status=502, retry="later"):
    """The target answered with something that is not a valid response (`details.reason`,
    `details.upstreamStatus`). When `details.paymentStatus` is `released`, the same hash can be used
    again.
    """


class GatewayTimeout(PaygateServerError, code="GATEWAY_TIMEOUT", status=502, retry="later"):
    """The target did not answer in time (`details.phase`, `details.timeoutMs`). It may have done the work
    all the same. When `details.paymentStatus` is `released`, the same hash can be used again.
    """


class ServiceUnavailable(PaygateServerError, code="SERVICE_UNAVAILABLE", status=503, retry="later"):
    """The operator has the service in maintenance, it is too busy to take this request, or the API called
    has failed too often lately to be worth paying for (`details.reason`: `target_unavailable`). Nothing
    was done and nothing charged. Retry after `Retry-After` seconds.
    """


class BlockchainUnavailable(PaygateServerError, code="BLOCKCHAIN_UNAVAILABLE", status=503, retry="later"):
    """The node of the chain cannot be reached, so the payment cannot be checked; it is not consumed. Retry
    after `Retry-After` seconds with the same hash, unless `details.reason` is `not_configured`.
    """


class SimulationRefused(PaygateBadRequest, code="SIMULATION_REFUSED", status=400):
    """`X-Flux-Simulate` works only in the sandbox (`flux serve --sandbox`) and only with a code of this
    API; write `RATE_LIMIT_EXCEEDED@403` or `RATE_LIMIT_EXCEEDED@429` for the code that stands under two
    statuses.
    """


class MissingPaymentTx402(PaygatePaymentRequired, code="MISSING_PAYMENT_TX", status=402):
    """This call costs money, and this URL speaks x402: an x402 client pays by itself from `accepts` or the
    `PAYMENT-REQUIRED` header. To pay directly, send what `details.payment` says and repeat the call
    with `X-Payment-Tx` and `X-Signature`.
    """


class InvalidSignature402(PaygatePaymentRequired, code="INVALID_SIGNATURE", status=402):
    """The transfer authorisation is not signed by the wallet it takes the money from, or for another
    token, chain or domain. Take `extra.name` and `extra.version` of the requirement and sign again.
    """


class SignatureExpired402(PaygatePaymentRequired, code="SIGNATURE_EXPIRED", status=402, retry="after-fix"):
    """The transfer authorisation is not valid any more, or not yet (`validBefore` needs at least 6 seconds
    left). Sign a new one; no money has moved.
    """


class PaymentIdentifierConflict(
    PaygateConflict, code="PAYMENT_IDENTIFIER_CONFLICT", status=409, retry="after-fix"
):
    """The proof names its payment (x402 extension `payment-identifier`) as an earlier one of this wallet,
    which paid for another method, path, query or body. Repeat the earlier request as it was to get its
    answer again, or give the new one a name of its own.
    """
